/* SPDX-License-Identifier: Apache-2.0 */
/* Everything at once, twice: a node whose loops accept, echo, log durably and read back on workers,
 * under callers that come, talk, pause, cut and come again. Whatever it does, one seed does it
 * again. */
#include "tests/runtime/io/sim_rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>

enum {
    LOOPS = 3,
    CONNECTIONS = 6, /* per loop */
    PEERS = 9,
    LOG_BYTES_MAX = 256 * 1024,
    MS = 1000 * 1000,
    RUN_MS = 60,
    SEEDS = 12,
};

struct node;

/* One accepted connection: receives, logs, echoes, in that order. */
struct echo {
    struct io_op polling, receiving, logging, sending;
    struct io_work reading;
    struct node *node;
    struct io *io;
    io_socket socket;
    bool open, wants, working;
    unsigned char bytes[IO_RECEIVE_BYTES];
    size_t count, sent;
    uint64_t logged_at;
    struct iovec piece;
};

struct node {
    struct io_driver *driver;
    io_socket listener;
    struct io_op accepting[LOOPS];
    struct echo echoes[LOOPS * CONNECTIONS];
    io_file log;
    uint64_t log_bytes;
    unsigned turns, served, echoed, cut, reads;
    struct io_address address;
    struct sim_peer *peers[PEERS];
};

#define ECHO_OF(op, member) ((struct echo *)(void *)((char *)(op)-offsetof(struct echo, member)))

/* ------------------------------------------------------------------------------------- the node */

static void
echo_settle(struct echo *echo)
{
    bool busy = echo->polling.active || echo->receiving.active || echo->logging.active ||
                echo->sending.active;
    if (!echo->open && echo->socket >= 0 && !busy && !echo->working) {
        io_close(echo->io, echo->socket, false);
        echo->socket = -1;
    }
}

static void
echo_end(struct echo *echo)
{
    echo->open = false;
    io_cancel(echo->io, &echo->polling);
    io_cancel(echo->io, &echo->sending);
    echo_settle(echo);
}

static void
echo_receive(struct echo *echo)
{
    bool busy =
        echo->receiving.active || echo->logging.active || echo->sending.active || echo->working;
    if (echo->open && echo->wants && !busy) {
        echo->wants = false;
        io_receive(echo->io, &echo->receiving, echo->socket);
    }
}

static void
on_polled(struct io_op *op, int32_t result)
{
    struct echo *echo = ECHO_OF(op, polling);
    echo->wants = result >= 0;
    echo_receive(echo);
    echo_settle(echo);
}

static void
on_received(struct io_op *op, int32_t result)
{
    struct echo *echo = ECHO_OF(op, receiving);
    if (result > 0 && echo->open && echo->node->log_bytes + (size_t)result < LOG_BYTES_MAX) {
        memcpy(echo->bytes, io_received(echo->io, op), (size_t)result);
        echo->count = (size_t)result;
        echo->sent = 0;
        echo->wants = true;
        echo->logged_at = echo->node->log_bytes;
        echo->node->log_bytes += echo->count;
        echo->piece = (struct iovec){echo->bytes, echo->count};
        io_write_sync(echo->io, &echo->logging, echo->node->log, &echo->piece, 1, echo->logged_at);
    }
    io_release(echo->io, op);
    if (result == -ENOBUFS) {
        echo->wants = true;
        echo_receive(echo);
    } else if (result <= 0 && result != -EAGAIN) {
        echo_end(echo);
    } else {
        echo_receive(echo);
    }
    echo_settle(echo);
}

static void
on_logged(struct io_op *op, int32_t result)
{
    struct echo *echo = ECHO_OF(op, logging);
    assert_int_equal(result, 0);
    echo->working = true;
    io_work_start(echo->io, &echo->reading, echo->count % 4 == 0 ? IO_WORK_LOW : IO_WORK_NORMAL);
}

static void
on_read(struct io_work *work)
{
    struct echo *echo = ECHO_OF(work, reading);
    unsigned char bytes[64];
    size_t count = echo->count < sizeof(bytes) ? echo->count : sizeof(bytes);
    assert_int_equal(
        io_file_read(echo->node->driver, echo->node->log, bytes, count, echo->logged_at), count);
    assert_memory_equal(bytes, echo->bytes, count);
}

static void
on_read_done(struct io_work *work)
{
    struct echo *echo = ECHO_OF(work, reading);
    echo->working = false;
    echo->node->reads++;
    if (echo->open) {
        io_send(echo->io, &echo->sending, echo->socket, &echo->piece, 1);
    }
    echo_settle(echo);
}

static void
on_sent(struct io_op *op, int32_t result)
{
    struct echo *echo = ECHO_OF(op, sending);
    if (result < 0) {
        echo_end(echo);
        return;
    }
    echo->sent += (size_t)result;
    if (echo->sent < echo->count && echo->open) {
        echo->piece = (struct iovec){echo->bytes + echo->sent, echo->count - echo->sent};
        io_send(echo->io, op, echo->socket, &echo->piece, 1);
        return;
    }
    echo->node->echoed++;
    echo_receive(echo);
    echo_settle(echo);
}

static struct echo *
echo_free(struct node *node, unsigned loop)
{
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct echo *echo = &node->echoes[loop * CONNECTIONS + i];
        if (echo->socket < 0 && !echo->working) {
            return echo;
        }
    }
    return NULL;
}

static struct node *the_node; /* for accepts, which share their done */

static void
on_accepted(struct io_op *op, int32_t result)
{
    struct node *node = the_node;
    unsigned loop = (unsigned)(op - node->accepting);
    assert_true(result >= 0);
    struct echo *echo = echo_free(node, loop);
    if (!echo) {
        io_close(io_of(node->driver, loop), result, true);
        return;
    }
    *echo = (struct echo){
        .polling.done = on_polled,
        .receiving.done = on_received,
        .logging.done = on_logged,
        .sending.done = on_sent,
        .reading = {.run = on_read, .done = on_read_done},
        .node = node,
        .io = io_of(node->driver, loop),
        .socket = result,
        .open = true,
    };
    node->served++;
    io_poll(echo->io, &echo->polling, echo->socket);
}

/* ---------------------------------------------------------------------------------- the callers */

static void
caller_acts(void *context)
{
    struct node *node = context;
    struct sim_peer **peer = &node->peers[sim_random(node->driver, PEERS)];
    static unsigned char bytes[5000];
    switch (sim_random(node->driver, 8)) {
    case 0:
        sim_peer_free(*peer);
        *peer = NULL;
        break;
    case 1:
        if (*peer) {
            sim_peer_cut(*peer);
            node->cut++;
            sim_peer_free(*peer);
            *peer = NULL;
        }
        break;
    case 2:
    case 3:
        if (*peer) {
            sim_peer_pause(*peer, sim_random(node->driver, 2) == 0);
        }
        break;
    default:
        if (!*peer) {
            *peer =
                sim_peer_connect(node->driver, &node->address, &(struct sim_peer_events){0}, NULL);
        }
        io_random(io_of(node->driver, 0), bytes, sizeof(bytes));
        sim_peer_send(*peer, bytes, (size_t)sim_random(node->driver, sizeof(bytes)));
        break;
    }
    sim_at(node->driver, sim_now_ns(node->driver) + sim_random(node->driver, MS / 2), caller_acts,
           node);
}

/* ----------------------------------------------------------------------------------- running it */

static uint64_t
node_turn(void *context)
{
    struct node *node = context;
    node->turns++;
    return IO_NEVER;
}

static bool
node_idle(void *context)
{
    (void)context;
    return true;
}

static bool
node_stopped(void *context)
{
    (void)context;
    return false;
}

static uint64_t
play(uint64_t seed, uint64_t crash_at, struct node *node)
{
    struct io_loop loops[LOOPS];
    struct sim_options options = {.seed = seed,
                                  .loops = LOOPS,
                                  .root = "disk",
                                  .connection_bytes_max = 8000,
                                  .receive_buffers = 2};
    memset(node, 0, sizeof(*node));
    the_node = node;
    assert_int_equal(sim_rig_clean(NULL), 0); /* what is on the disk is where a run starts */
    assert_int_equal(sim_open(&options, &node->driver), 0);
    for (unsigned i = 0; i < LOOPS; i++) {
        loops[i] = (struct io_loop){
            .turn = node_turn, .idle = node_idle, .stopped = node_stopped, .context = node};
    }
    for (unsigned i = 0; i < LOOPS * CONNECTIONS; i++) {
        node->echoes[i].socket = -1;
    }
    node->address = sim_rig_address("127.0.0.1:4222");
    int flags = IO_OPEN_READ | IO_OPEN_WRITE | IO_OPEN_CREATE;
    assert_int_equal(io_file_open(node->driver, "disk/log", flags, &node->log), 0);
    assert_int_equal(io_start(node->driver, loops), 0);
    assert_int_equal(io_listen(io_of(node->driver, 0), &node->address, 4, &node->listener, NULL),
                     0);
    for (unsigned i = 0; i < LOOPS; i++) {
        node->accepting[i].done = on_accepted;
        io_accept(io_of(node->driver, i), &node->accepting[i], node->listener);
    }
    sim_at(node->driver, 0, caller_acts, node);
    if (crash_at > 0) {
        sim_crash_at(node->driver, crash_at);
    }
    (void)sim_run(node->driver, RUN_MS * (uint64_t)MS);
    uint64_t digest = sim_digest(node->driver);
    io_driver_close(node->driver);
    return digest;
}

static void
same_seed(void **state)
{
    (void)state;
    static struct node first, second;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint64_t digest = play(seed, 0, &first);
        assert_true(play(seed, 0, &second) == digest);
        assert_int_equal(first.turns, second.turns);
        assert_int_equal(first.log_bytes, second.log_bytes);
        assert_true(first.served > 5 && first.echoed > 20 && first.reads > 20 && first.cut > 0);
    }
}

static void
other_seed(void **state)
{
    (void)state;
    static struct node node;
    uint64_t digests[SEEDS];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        digests[seed] = play(seed, 0, &node);
        for (uint64_t i = 0; i < seed; i++) {
            assert_true(digests[i] != digests[seed]);
        }
    }
}

static void
crash_is_replayed(void **state)
{
    (void)state;
    static struct node first, second;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        uint64_t digest = play(seed, 200 + 100 * seed, &first);
        assert_true(play(seed, 200 + 100 * seed, &second) == digest);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the same seed is the same run, to the byte", same_seed),
        SPEC("another seed is another run", other_seed),
        SPEC("a run cut short by a crash is replayed, too", crash_is_replayed),
    };
    return cmocka_run_group_tests(specs, sim_rig_clean, NULL);
}
