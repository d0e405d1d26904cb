/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/check.h"
#include "tests/runtime/io/rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ------------------------------------------------------------------------ conversations */

static void
conversation(void **state)
{
    (void)state;
    struct rig rig;
    io_socket ends[2];
    struct probe polling = {0};
    struct probe receiving = {.rig = &rig};
    rig_open_this_way(&rig);
    rig_pair(&rig, ends);
    rig_poll(&rig, 0, &polling, ends[1]);
    rig_say(&rig, ends[0], "hello");
    assert_true(probe_await(&polling, 1) >= 0);
    assert_int_equal(rig_receive_now(&rig, &receiving, ends[1]), 5);
    assert_memory_equal(io_received(rig_io(&rig, 0), &receiving.op), "hello", 5);
    rig_release(&rig, 0, &receiving);
    rig_release(&rig, 0, &receiving); /* none is held: nothing happens */
    assert_int_equal(rig_receive_now(&rig, &receiving, ends[1]), -EAGAIN);

    unsigned before = probe_count(&polling);
    rig_say(&rig, ends[0], "again");
    assert_true(probe_await(&polling, before + 1) >= 0);
    assert_int_equal(rig_receive_now(&rig, &receiving, ends[1]), 5);
    rig_release(&rig, 0, &receiving);
    rig_cancel_await(&rig, &polling);
    struct io_stats stats = rig_stats(&rig, 0);
    assert_int_equal(stats.receive_bytes, 10);
    assert_int_equal(stats.send_bytes, 10);
    assert_int_equal(stats.sends, 2);
    assert_int_equal(stats.receives, 3);
    assert_int_equal(stats.accepts, 1);
    rig_drop(&rig, 0, ends[0], false);
    rig_drop(&rig, 0, ends[1], false);
    rig_close(&rig);
}

static void
gathered(void **state)
{
    (void)state;
    enum { PIECE_BYTES = 7 };
    struct rig rig;
    io_socket ends[2];
    struct probe sending = {0};
    struct probe receiving = {.rig = &rig};
    static struct iovec pieces[IO_SEND_PIECES_MAX];
    char text[IO_SEND_PIECES_MAX * PIECE_BYTES];
    rig_open_this_way(&rig);
    rig_pair(&rig, ends);
    for (unsigned i = 0; i < sizeof(text); i++) {
        text[i] = (char)('a' + i % 26);
    }
    for (unsigned i = 0; i < IO_SEND_PIECES_MAX; i++) {
        pieces[i] = rig_piece(text + (size_t)i * PIECE_BYTES, PIECE_BYTES);
    }
    rig_send(&rig, 0, &sending, ends[1], pieces, IO_SEND_PIECES_MAX);
    assert_int_equal(probe_await_end(&sending), sizeof(text));
    assert_int_equal(rig_receive_now(&rig, &receiving, ends[0]), sizeof(text));
    assert_memory_equal(io_received(rig_io(&rig, 0), &receiving.op), text, sizeof(text));
    rig_release(&rig, 0, &receiving);
    rig_close(&rig);
}

static void
end_of_stream(void **state)
{
    (void)state;
    struct rig rig;
    io_socket ends[2];
    struct probe polling = {0};
    struct probe receiving = {.rig = &rig};
    rig_open_this_way(&rig);
    rig_pair(&rig, ends);
    rig_poll(&rig, 0, &polling, ends[1]);
    rig_say(&rig, ends[0], "last");
    rig_shut(&rig, 0, ends[0]);
    unsigned events = 1;
    while ((probe_await(&polling, events) & IO_POLL_ENDING) == 0) {
        events++;
    }
    assert_int_equal(rig_receive_now(&rig, &receiving, ends[1]), 4);
    rig_release(&rig, 0, &receiving);
    assert_int_equal(rig_receive_now(&rig, &receiving, ends[1]), 0);
    rig_release(&rig, 0, &receiving);
    /* The other direction still stands. */
    rig_say(&rig, ends[1], "answer");
    assert_int_equal(rig_receive_now(&rig, &receiving, ends[0]), 6);
    rig_release(&rig, 0, &receiving);
    rig_close(&rig);
}

static void
reset(void **state)
{
    (void)state;
    struct rig rig;
    io_socket ends[2];
    struct probe polling = {0};
    struct probe sending = {0};
    struct probe receiving = {.rig = &rig};
    struct iovec pieces = rig_piece("x", 1);
    rig_open_this_way(&rig);
    rig_pair(&rig, ends);
    rig_poll(&rig, 0, &polling, ends[1]);
    rig_drop(&rig, 0, ends[0], true);
    assert_true(probe_await(&polling, 1) >= 0);
    assert_int_equal(rig_receive_now(&rig, &receiving, ends[1]), -ECONNRESET);
    rig_send(&rig, 0, &sending, ends[1], &pieces, 1);
    assert_int_equal(probe_await_end(&sending), -EPIPE); /* and no signal */
    rig_close(&rig);
}

static void
drained_or_not(void **state)
{
    (void)state;
    static char text[IO_RECEIVE_BYTES + 100];
    struct rig rig;
    io_socket ends[2];
    struct probe sending = {0};
    struct probe receiving = {.rig = &rig};
    struct iovec pieces = rig_piece(text, sizeof(text));
    rig_open_this_way(&rig);
    rig_pair(&rig, ends);
    rig_send(&rig, 0, &sending, ends[0], &pieces, 1);
    assert_int_equal(probe_await_end(&sending), sizeof(text));
    assert_int_equal(rig_receive_now(&rig, &receiving, ends[1]), IO_RECEIVE_BYTES);
    rig_release(&rig, 0, &receiving);
    assert_int_equal(rig_receive_now(&rig, &receiving, ends[1]), 100);
    rig_release(&rig, 0, &receiving);
    rig_close(&rig);
}

static void
partial_send(void **state)
{
    (void)state;
    enum { BYTES = 32 << 20 };
    struct rig rig;
    io_socket ends[2];
    struct probe sending = {0};
    struct probe waiting = {0};
    struct probe receiving = {.rig = &rig};
    unsigned char *bytes = test_calloc(1, BYTES);
    rig_open_this_way(&rig);
    rig_pair(&rig, ends);
    struct iovec pieces = rig_piece(bytes, BYTES);
    rig_send(&rig, 0, &sending, ends[0], &pieces, 1);
    int32_t taken = probe_await_end(&sending);
    assert_in_range(taken, 1, BYTES - 1);

    /* The next one takes more as the other end reads. */
    struct iovec rest = rig_piece(bytes + taken, BYTES - (size_t)taken);
    rig_send(&rig, 0, &waiting, ends[0], &rest, 1);
    int32_t received = 0;
    while (received < taken || probe_count(&waiting) == 0) {
        int32_t result = rig_receive_now(&rig, &receiving, ends[1]);
        assert_true(result > 0 || result == -EAGAIN);
        received += result > 0 ? result : 0;
        rig_release(&rig, 0, &receiving);
    }
    assert_true(probe_await_end(&waiting) > 0);
    rig_close(&rig);
    test_free(bytes);
}

static void
no_buffers(void **state)
{
    (void)state;
    enum { TALKERS = 3 };
    struct rig rig;
    io_socket ends[TALKERS][2];
    static struct probe receiving[TALKERS];
    memset(receiving, 0, sizeof(receiving));
    rig_open(&rig, &(struct rig_options){
                       .level = rig_way.level, .settle = rig_way.settle, .receive_buffers = 2});
    for (unsigned i = 0; i < TALKERS; i++) {
        rig_pair(&rig, ends[i]);
        rig_say(&rig, ends[i][0], "hello");
        receiving[i].rig = &rig;
    }
    assert_int_equal(rig_receive_now(&rig, &receiving[0], ends[0][1]), 5);
    assert_int_equal(rig_receive_now(&rig, &receiving[1], ends[1][1]), 5);
    assert_int_equal(rig_receive_now(&rig, &receiving[2], ends[2][1]), -ENOBUFS);
    assert_int_equal(rig_stats(&rig, 0).receive_buffers_short, 1);
    rig_release(&rig, 0, &receiving[1]);
    assert_int_equal(rig_receive_now(&rig, &receiving[2], ends[2][1]), 5);
    assert_memory_equal(io_received(rig_io(&rig, 0), &receiving[0].op), "hello", 5);
    rig_release(&rig, 0, &receiving[0]);
    rig_release(&rig, 0, &receiving[2]);
    /* None is lost by receives that bring nothing: far more of them than there are buffers. */
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(rig_receive_now(&rig, &receiving[0], ends[0][1]), -EAGAIN);
    }
    rig_close(&rig);
}

static void
trim(struct io *io, void *context)
{
    (void)context;
    io_trim(io);
}

/* Whether there is memory behind a page, of which nothing is read. */
static bool
is_resident(const unsigned char *page)
{
    unsigned char present = 0;
    assert_int_equal(mincore((void *)(uintptr_t)page, IO_RECEIVE_BYTES, &present), 0);
    return (present & 1) != 0;
}

static void
buffers_go_back(void **state)
{
    (void)state;
    enum { TALKERS = 3 };
    struct rig rig;
    io_socket ends[TALKERS][2];
    const unsigned char *buffers[TALKERS];
    static struct probe receiving[TALKERS];
    memset(receiving, 0, sizeof(receiving));
    rig_open(&rig, &(struct rig_options){
                       .level = rig_way.level, .settle = rig_way.settle, .receive_buffers = 4});
    for (unsigned i = 0; i < TALKERS; i++) {
        rig_pair(&rig, ends[i]);
        rig_say(&rig, ends[i][0], "hello");
        assert_int_equal(rig_receive_now(&rig, &receiving[i], ends[i][1]), 5);
        buffers[i] = io_received(rig_io(&rig, 0), &receiving[i].op);
    }
    rig_release(&rig, 0, &receiving[1]);
    rig_release(&rig, 0, &receiving[2]);
    /* They were needed since the start. */
    rig_do(&rig, 0, trim, NULL);
    assert_true(is_resident(buffers[1]) && is_resident(buffers[2]));
    /* Now they were not; what is held stays as it is. */
    rig_do(&rig, 0, trim, NULL);
    assert_false(is_resident(buffers[1]) || is_resident(buffers[2]));
    assert_memory_equal(buffers[0], "hello", 5);
    /* Only the warmest is needed again and again. */
    for (unsigned i = 0; i < 3; i++) {
        rig_say(&rig, ends[1][0], "again");
        assert_int_equal(rig_receive_now(&rig, &receiving[1], ends[1][1]), 5);
        assert_ptr_equal(io_received(rig_io(&rig, 0), &receiving[1].op), buffers[2]);
        assert_memory_equal(buffers[2], "again", 5);
        rig_release(&rig, 0, &receiving[1]);
        rig_do(&rig, 0, trim, NULL);
        assert_true(is_resident(buffers[2]));
        assert_false(is_resident(buffers[1]));
    }
    rig_release(&rig, 0, &receiving[0]);
    rig_close(&rig);
}

static void
bad_socket(void **state)
{
    (void)state;
    enum { NOT_OPEN = 1000000 };
    struct rig rig;
    struct probe probe = {0};
    struct iovec pieces[] = {rig_piece("x", 1), rig_piece("y", 1)};
    rig_open_this_way(&rig);
    rig_send(&rig, 0, &probe, NOT_OPEN, pieces, 2);
    assert_int_equal(probe_await_end(&probe), -EBADF);
    assert_int_equal(rig_receive_now(&rig, &probe, NOT_OPEN), -EBADF);
    probe_reset(&probe);
    rig_poll(&rig, 0, &probe, NOT_OPEN);
    assert_int_equal(probe_await_end(&probe), -EBADF);
    probe_reset(&probe);
    rig_accept(&rig, 0, &probe, NOT_OPEN);
    assert_int_equal(probe_await_end(&probe), -EBADF);
    rig_close(&rig);
}

/* ------------------------------------------------------------- more at once than the rings hold */

struct crowd {
    struct rig *rig;
    io_socket (*ends)[2];
    struct probe *probes;
    struct iovec *pieces;
    unsigned count;
};

static void
crowd_poll(struct io *io, void *context)
{
    const struct crowd *crowd = context;
    for (unsigned i = 0; i < crowd->count; i++) {
        io_poll(io, &crowd->probes[i].op, crowd->ends[i][1]);
    }
}

static void
crowd_send(struct io *io, void *context)
{
    const struct crowd *crowd = context;
    for (unsigned i = 0; i < crowd->count; i++) {
        io_send(io, &crowd->probes[i].op, crowd->ends[i][0], crowd->pieces, 2);
    }
}

/* Gives a probe its rig and its done, which only an operation does. */
static void
probe_prime(struct rig *rig, struct probe *probe)
{
    rig_send(rig, 0, probe, -1, &(struct iovec){.iov_base = "", .iov_len = 1}, 1);
    assert_int_equal(probe_await_end(probe), -EBADF);
    probe_reset(probe);
}

static void
crowd_overflows(void **state)
{
    (void)state;
    enum { CROWD = 100 };
    static io_socket ends[CROWD][2];
    static struct probe polling[CROWD];
    static struct probe sending[CROWD];
    struct rig rig;
    struct iovec pieces[] = {rig_piece("12", 2), rig_piece("34", 2)};
    memset(polling, 0, sizeof(polling));
    memset(sending, 0, sizeof(sending));
    rig_open(&rig, &(struct rig_options){
                       .level = rig_way.level, .settle = rig_way.settle, .ring_entries = 4});
    for (unsigned i = 0; i < CROWD; i++) {
        rig_pair(&rig, ends[i]);
        probe_prime(&rig, &polling[i]);
        probe_prime(&rig, &sending[i]);
    }
    struct crowd polls = {&rig, ends, polling, NULL, CROWD};
    struct crowd sends = {&rig, ends, sending, pieces, CROWD};
    rig_do(&rig, 0, crowd_poll, &polls);
    for (unsigned round = 1; round <= 3; round++) {
        unsigned before[CROWD];
        for (unsigned i = 0; i < CROWD; i++) {
            before[i] = probe_count(&polling[i]);
            probe_reset(&sending[i]);
        }
        rig_do(&rig, 0, crowd_send, &sends);
        for (unsigned i = 0; i < CROWD; i++) {
            assert_int_equal(probe_await_end(&sending[i]), 4);
            assert_true(probe_await(&polling[i], before[i] + 1) >= 0);
            struct probe receiving = {.rig = &rig};
            assert_int_equal(rig_receive_now(&rig, &receiving, ends[i][1]), 4);
            rig_release(&rig, 0, &receiving);
        }
    }
    for (unsigned i = 0; i < CROWD; i++) {
        assert_true(polling[i].op.active);
        rig_cancel(&rig, 0, &polling[i]);
        assert_int_equal(probe_await_end(&polling[i]), -ECANCELED);
    }
    rig_close(&rig);
}

/* -------------------------------------------------------------------- two loops in conversation */

enum { PING_ROUNDS = 2000 };

struct pinger {
    struct io_op polling, receiving, sending; /* the polling op is first */
    struct io *io;
    struct rig *rig;
    struct probe *told;
    io_socket socket;
    unsigned left;
    bool starts;
    char byte;
};

static void
ping_send(struct pinger *pinger)
{
    static const struct iovec byte = {.iov_base = (void *)(uintptr_t) "!", .iov_len = 1};
    io_send(pinger->io, &pinger->sending, pinger->socket, &byte, 1);
}

static void
ping_sent(struct io_op *op, int32_t result)
{
    (void)op;
    ASSERT(result == 1);
}

static void
ping_received(struct io_op *op, int32_t result)
{
    struct pinger *pinger = (struct pinger *)(op - 1);
    if (result == -EAGAIN) {
        return;
    }
    ASSERT(result == 1);
    io_release(pinger->io, op);
    if (--pinger->left > 0 || !pinger->starts) {
        ping_send(pinger);
    }
    if (pinger->left == 0) {
        probe_tell(pinger->rig, pinger->told, 1);
    }
}

static void
ping_ready(struct io_op *op, int32_t result)
{
    struct pinger *pinger = (struct pinger *)op;
    if (result >= 0 && !pinger->receiving.active) {
        io_receive(pinger->io, &pinger->receiving, pinger->socket);
    }
}

static void
ping_start(struct io *io, void *context)
{
    struct pinger *pinger = context;
    pinger->io = io;
    pinger->polling.done = ping_ready;
    pinger->receiving.done = ping_received;
    pinger->sending.done = ping_sent;
    io_poll(io, &pinger->polling, pinger->socket);
    if (pinger->starts) {
        ping_send(pinger);
    }
}

static void
two_loops(void **state)
{
    (void)state;
    struct rig rig;
    io_socket ends[2];
    struct pinger pingers[2];
    static struct probe told[2];
    rig_open(&rig, &(struct rig_options){.loops = 2, .level = rig_way.level});
    rig_pair(&rig, ends);
    for (unsigned i = 0; rig_way.settle && i < 2; i++) {
        assert_int_equal(rig_settle(&rig, i, &ends[i]), 0);
    }
    memset(pingers, 0, sizeof(pingers));
    memset(told, 0, sizeof(told));
    for (unsigned i = 0; i < 2; i++) {
        pingers[i].rig = &rig;
        told[i].rig = &rig;
        pingers[i].told = &told[i];
        pingers[i].socket = ends[i];
        pingers[i].left = PING_ROUNDS;
        pingers[i].starts = i == 1;
        rig_do(&rig, i, ping_start, &pingers[i]);
    }
    assert_int_equal(probe_await_end(&told[0]), 1);
    assert_int_equal(probe_await_end(&told[1]), 1);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what one end says the other hears, each time anew", conversation),
        SPEC("a send gathers its pieces in order", gathered),
        SPEC("after the last bytes the end is told, and the other direction stands", end_of_stream),
        SPEC("a reset is told, and a send after it is an error without a signal", reset),
        SPEC("a full receive tells that there may be more", drained_or_not),
        SPEC("a send takes what fits, and the next one more when there is room", partial_send),
        SPEC("an empty buffer pool is told and mended by a release", no_buffers),
        SPEC("buffers that nobody needed for a while go back to the kernel, held ones do not",
             buffers_go_back),
        SPEC("a socket that is not open is an error of the operation", bad_socket),
        SPEC("events that overflow the ring are not lost", crowd_overflows),
        SPEC("two loops converse over a socket", two_loops),
    };
    return rig_run(specs, sizeof specs / sizeof specs[0], true);
}
