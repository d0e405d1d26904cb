/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/io/rig.h"

#include "tests/spec.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum {
    /* How long a test waits for what must come: a hang, not a slow machine. */
    AWAIT_SECONDS = 60,
    BACKLOG = 128,
    TABLE_SLOTS = 3,
};

/* ------------------------------------------------------------------------ loops */

static struct rig_call *
calls_take(struct rig_loop *loop)
{
    pthread_mutex_lock(&loop->rig->lock);
    struct rig_call *calls = loop->calls;
    loop->calls = NULL;
    pthread_mutex_unlock(&loop->rig->lock);
    return calls;
}

static uint64_t
loop_turn(void *context)
{
    struct rig_loop *loop = context;
    for (struct rig_call *call = calls_take(loop); call != NULL;) {
        struct rig_call *next = call->next;
        call->run(loop->io, call->context);
        pthread_mutex_lock(&loop->rig->lock);
        call->done = true;
        pthread_cond_broadcast(&loop->rig->changed);
        pthread_mutex_unlock(&loop->rig->lock);
        call = next;
    }
    return IO_NEVER;
}

static bool
loop_idle(void *context)
{
    struct rig_loop *loop = context;
    pthread_mutex_lock(&loop->rig->lock);
    bool idle = loop->calls == NULL && !loop->stop;
    pthread_mutex_unlock(&loop->rig->lock);
    return idle;
}

static bool
loop_stopped(void *context)
{
    struct rig_loop *loop = context;
    pthread_mutex_lock(&loop->rig->lock);
    bool stop = loop->stop;
    pthread_mutex_unlock(&loop->rig->lock);
    return stop;
}

void
rig_open(struct rig *rig, const struct rig_options *options)
{
    struct io_loop loops[RIG_LOOPS_MAX];
    char why[256] = "";
    memset(rig, 0, sizeof(*rig));
    assert_int_equal(pthread_mutex_init(&rig->lock, NULL), 0);
    assert_int_equal(pthread_cond_init(&rig->changed, NULL), 0);
    struct uring_options uring = {
        .loops = options->loops == 0 ? 1 : options->loops,
        .level = options->level,
        .workers = 2,
        .spin_us = options->spin_us,
        .receive_buffers = options->receive_buffers,
        .ring_entries = options->ring_entries,
        .table_slots = options->table_slots == 0 ? TABLE_SLOTS : options->table_slots,
    };
    rig->settle = options->settle;
    assert_true(uring.loops <= RIG_LOOPS_MAX);
    if (uring_open(&uring, &rig->driver, why, sizeof(why)) < 0) {
        fail_msg("%s", why);
    }
    for (unsigned i = 0; i < uring.loops; i++) {
        rig->loops[i] = (struct rig_loop){.rig = rig, .io = io_of(rig->driver, i)};
        loops[i] = (struct io_loop){.turn = loop_turn,
                                    .idle = loop_idle,
                                    .stopped = loop_stopped,
                                    .context = &rig->loops[i]};
    }
    assert_int_equal(io_start(rig->driver, loops), 0);
}

void
rig_stop(struct rig *rig)
{
    pthread_mutex_lock(&rig->lock);
    for (unsigned i = 0; i < io_loops(rig->driver); i++) {
        rig->loops[i].stop = true;
    }
    pthread_mutex_unlock(&rig->lock);
    for (unsigned i = 0; i < io_loops(rig->driver); i++) {
        io_wake(rig->loops[i].io);
    }
    io_join(rig->driver);
    rig->stopped = true;
}

void
rig_close(struct rig *rig)
{
    if (!rig->stopped) {
        rig_stop(rig);
    }
    io_driver_close(rig->driver);
    pthread_cond_destroy(&rig->changed);
    pthread_mutex_destroy(&rig->lock);
}

/* Waits, under the lock, until something changes; fails the test when nothing does for long. */
static void
rig_wait(struct rig *rig)
{
    struct timespec end;
    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += AWAIT_SECONDS;
    if (pthread_cond_timedwait(&rig->changed, &rig->lock, &end) == ETIMEDOUT) {
        pthread_mutex_unlock(&rig->lock);
        fail_msg("nothing happened for %d seconds", AWAIT_SECONDS);
    }
}

void
rig_do(struct rig *rig, unsigned loop, void (*run)(struct io *io, void *context), void *context)
{
    struct rig_call call = {.run = run, .context = context};
    pthread_mutex_lock(&rig->lock);
    call.next = rig->loops[loop].calls;
    rig->loops[loop].calls = &call;
    pthread_mutex_unlock(&rig->lock);
    io_wake(rig->loops[loop].io);
    pthread_mutex_lock(&rig->lock);
    while (!call.done) {
        rig_wait(rig);
    }
    pthread_mutex_unlock(&rig->lock);
}

struct io *
rig_io(struct rig *rig, unsigned loop)
{
    return rig->loops[loop].io;
}

struct io_stats
rig_stats(struct rig *rig, unsigned loop)
{
    struct io_stats stats;
    io_stats_read(rig->loops[loop].io, &stats);
    return stats;
}

/* ------------------------------------------------------------------------ probes */

static void
probe_note(struct rig *rig, struct probe *probe, int32_t result, bool ended)
{
    pthread_mutex_lock(&rig->lock);
    if (probe->count < PROBE_RESULTS_MAX) {
        probe->results[probe->count] = result;
    }
    probe->count++;
    probe->ended = ended;
    pthread_cond_broadcast(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

static void
probe_done(struct io_op *op, int32_t result)
{
    struct probe *probe = (struct probe *)op;
    probe_note(probe->rig, probe, result, !op->more);
}

void
probe_tell(struct rig *rig, struct probe *probe, int32_t result)
{
    probe_note(rig, probe, result, true);
}

static struct io_op *
probe_arm(struct rig *rig, struct probe *probe)
{
    probe->rig = rig;
    probe->op.done = probe_done;
    return &probe->op;
}

int32_t
probe_await(struct probe *probe, unsigned count)
{
    assert_in_range(count, 1, PROBE_RESULTS_MAX);
    pthread_mutex_lock(&probe->rig->lock);
    while (probe->count < count) {
        rig_wait(probe->rig);
    }
    int32_t result = probe->results[count - 1];
    pthread_mutex_unlock(&probe->rig->lock);
    return result;
}

int32_t
probe_await_end(struct probe *probe)
{
    pthread_mutex_lock(&probe->rig->lock);
    while (!probe->ended) {
        rig_wait(probe->rig);
    }
    int32_t result = probe->results[probe->count - 1];
    pthread_mutex_unlock(&probe->rig->lock);
    return result;
}

unsigned
probe_count(struct probe *probe)
{
    pthread_mutex_lock(&probe->rig->lock);
    unsigned count = probe->count;
    pthread_mutex_unlock(&probe->rig->lock);
    return count;
}

void
probe_reset(struct probe *probe)
{
    pthread_mutex_lock(&probe->rig->lock);
    probe->count = 0;
    probe->ended = false;
    pthread_mutex_unlock(&probe->rig->lock);
}

/* ------------------------------------------------------------------------ the calls of io.h */

struct call {
    struct io_op *op;
    int handle;
    const struct io_address *address;
    const struct iovec *pieces;
    unsigned count;
    uint64_t offset;
    bool abort;
};

static void
run_accept(struct io *io, void *context)
{
    const struct call *call = context;
    io_accept(io, call->op, call->handle);
}

static void
run_connect(struct io *io, void *context)
{
    const struct call *call = context;
    io_connect(io, call->op, call->address);
}

static void
run_poll(struct io *io, void *context)
{
    const struct call *call = context;
    io_poll(io, call->op, call->handle);
}

static void
run_receive(struct io *io, void *context)
{
    const struct call *call = context;
    io_receive(io, call->op, call->handle);
}

static void
run_release(struct io *io, void *context)
{
    const struct call *call = context;
    io_release(io, call->op);
}

static void
run_send(struct io *io, void *context)
{
    const struct call *call = context;
    io_send(io, call->op, call->handle, call->pieces, call->count);
}

static void
run_write_sync(struct io *io, void *context)
{
    const struct call *call = context;
    io_write_sync(io, call->op, call->handle, call->pieces, call->count, call->offset);
}

static void
run_cancel(struct io *io, void *context)
{
    const struct call *call = context;
    io_cancel(io, call->op);
}

static void
run_shut(struct io *io, void *context)
{
    const struct call *call = context;
    io_shutdown(io, call->handle);
}

struct settle_call {
    io_socket *socket;
    int result;
};

static void
run_settle(struct io *io, void *context)
{
    struct settle_call *call = context;
    call->result = io_settle(io, *call->socket, call->socket);
}

static void
run_drop(struct io *io, void *context)
{
    const struct call *call = context;
    io_close(io, call->handle, call->abort);
}

io_socket
rig_listen(struct rig *rig, const char *address, struct io_address *out_bound)
{
    struct io_address wanted;
    io_socket listener = -1;
    assert_int_equal(io_address_parse(address, &wanted), 0);
    assert_int_equal(io_listen(rig->loops[0].io, &wanted, BACKLOG, &listener, out_bound), 0);
    return listener;
}

void
rig_accept(struct rig *rig, unsigned loop, struct probe *probe, io_socket listener)
{
    struct call call = {.op = probe_arm(rig, probe), .handle = listener};
    rig_do(rig, loop, run_accept, &call);
}

void
rig_connect(struct rig *rig, unsigned loop, struct probe *probe, const struct io_address *address)
{
    struct call call = {.op = probe_arm(rig, probe), .address = address};
    rig_do(rig, loop, run_connect, &call);
}

void
rig_poll(struct rig *rig, unsigned loop, struct probe *probe, io_socket socket)
{
    struct call call = {.op = probe_arm(rig, probe), .handle = socket};
    rig_do(rig, loop, run_poll, &call);
}

void
rig_receive(struct rig *rig, unsigned loop, struct probe *probe, io_socket socket)
{
    struct call call = {.op = probe_arm(rig, probe), .handle = socket};
    rig_do(rig, loop, run_receive, &call);
}

void
rig_release(struct rig *rig, unsigned loop, struct probe *probe)
{
    struct call call = {.op = &probe->op};
    rig_do(rig, loop, run_release, &call);
}

void
rig_send(struct rig *rig, unsigned loop, struct probe *probe, io_socket socket,
         const struct iovec *pieces, unsigned count)
{
    struct call call = {
        .op = probe_arm(rig, probe), .handle = socket, .pieces = pieces, .count = count};
    rig_do(rig, loop, run_send, &call);
}

void
rig_write_sync(struct rig *rig, unsigned loop, struct probe *probe, io_file file,
               const struct iovec *pieces, unsigned count, uint64_t offset)
{
    struct call call = {.op = probe_arm(rig, probe),
                        .handle = file,
                        .pieces = pieces,
                        .count = count,
                        .offset = offset};
    rig_do(rig, loop, run_write_sync, &call);
}

void
rig_cancel(struct rig *rig, unsigned loop, struct probe *probe)
{
    struct call call = {.op = &probe->op};
    rig_do(rig, loop, run_cancel, &call);
}

int
rig_settle(struct rig *rig, unsigned loop, io_socket *socket)
{
    struct settle_call call = {.socket = socket};
    rig_do(rig, loop, run_settle, &call);
    return call.result;
}

bool
rig_settles(enum io_level level)
{
    struct rig rig;
    uint32_t each;
    rig_open(&rig, &(struct rig_options){.level = level});
    bool can = io_settled_max(rig.driver, &each) > 0;
    rig_close(&rig);
    if (!can) {
        print_message("this kernel has no tables for sockets: passed over\n");
    }
    return can;
}

void
rig_shut(struct rig *rig, unsigned loop, io_socket socket)
{
    struct call call = {.handle = socket};
    rig_do(rig, loop, run_shut, &call);
}

void
rig_drop(struct rig *rig, unsigned loop, io_socket socket, bool abort)
{
    struct call call = {.handle = socket, .abort = abort};
    rig_do(rig, loop, run_drop, &call);
}

struct iovec
rig_piece(const void *bytes, size_t count)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
}

void
rig_say(struct rig *rig, io_socket socket, const char *text)
{
    struct probe sending = {0};
    struct iovec pieces = rig_piece(text, strlen(text));
    rig_send(rig, 0, &sending, socket, &pieces, 1);
    assert_int_equal(probe_await_end(&sending), strlen(text));
}

int32_t
rig_receive_now(struct rig *rig, struct probe *probe, io_socket socket)
{
    probe->rig = rig;
    probe_reset(probe);
    rig_receive(rig, 0, probe, socket);
    return probe_await_end(probe);
}

void
rig_cancel_await(struct rig *rig, struct probe *probe)
{
    rig_cancel(rig, 0, probe);
    assert_int_equal(probe_await_end(probe), -ECANCELED);
}

void
rig_pair(struct rig *rig, io_socket ends[2])
{
    struct io_address bound;
    struct probe accepting = {0};
    struct probe connecting = {0};
    io_socket listener = rig_listen(rig, "127.0.0.1:0", &bound);
    rig_accept(rig, 0, &accepting, listener);
    rig_connect(rig, 0, &connecting, &bound);
    ends[0] = probe_await_end(&connecting);
    ends[1] = probe_await(&accepting, 1);
    assert_true(ends[0] >= 0);
    assert_true(ends[1] >= 0);
    rig_cancel(rig, 0, &accepting);
    assert_int_equal(probe_await_end(&accepting), -ECANCELED);
    rig_drop(rig, 0, listener, false);
    if (rig->settle) {
        assert_int_equal(rig_settle(rig, 0, &ends[0]), 0);
        assert_int_equal(rig_settle(rig, 0, &ends[1]), 0);
    }
}

/* ------------------------------------------------------------------------ ways */

struct rig_way rig_way;

void
rig_open_this_way(struct rig *rig)
{
    rig_open(rig, &(struct rig_options){.level = rig_way.level, .settle = rig_way.settle});
}

static int
run_this_way(const struct CMUnitTest *specs, size_t count, const char *name, struct rig_way way)
{
    rig_way = way;
    return _cmocka_run_group_tests(name, specs, count, NULL, NULL);
}

int
rig_run(const struct CMUnitTest *specs, size_t count, bool settled)
{
    int failed = run_this_way(specs, count, "level probe", (struct rig_way){IO_LEVEL_PROBE, false});
    if (settled && rig_settles(IO_LEVEL_PROBE)) {
        failed += run_this_way(specs, count, "level probe, settled",
                               (struct rig_way){IO_LEVEL_PROBE, true});
    }
    return failed + run_this_way(specs, count, "level 6.1", (struct rig_way){IO_LEVEL_6_1, false});
}
