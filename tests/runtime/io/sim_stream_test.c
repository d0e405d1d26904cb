/* SPDX-License-Identifier: Apache-2.0 */
/* What flows on a simulated connection, and who is told. */
#include "tests/runtime/io/sim_rig.h"
#include "tests/spec.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(40), CONVERSATION_BYTES = 300 * 1000 };

static void
fill(unsigned char *bytes, size_t count, unsigned salt)
{
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (unsigned char)(i * 7 + (i >> 8) + salt);
    }
}

/* Moves a long conversation through small room, both sides at once, by polls alone. */
struct side {
    struct io *io;
    io_socket socket;
    struct io_op polling, receiving, sending;
    unsigned char *out, *in;
    size_t sent, received;
    unsigned partial;
    bool wants, end_seen, ended;
    struct iovec piece;
};

static void side_receive(struct side *side);

#define SIDE_OF(op, member) ((struct side *)(void *)((char *)(op)-offsetof(struct side, member)))

static void
side_polled(struct io_op *op, int32_t result)
{
    struct side *side = SIDE_OF(op, polling);
    if (result == -ECANCELED) {
        return;
    }
    assert_true(result >= 0 && op->more);
    side->wants = true;
    side->end_seen = side->end_seen || (result & POLLRDHUP) != 0;
    side_receive(side);
}

static void
side_received(struct io_op *op, int32_t result)
{
    struct side *side = SIDE_OF(op, receiving);
    if (result == -EAGAIN) {
        side_receive(side);
        return;
    }
    if (result == 0) {
        side->ended = true;
        return;
    }
    assert_in_range(result, 1, IO_RECEIVE_BYTES);
    assert_true(side->received + (size_t)result <= CONVERSATION_BYTES);
    memcpy(side->in + side->received, io_received(side->io, op), (size_t)result);
    side->received += (size_t)result;
    io_release(side->io, op);
    /* Fewer mean drained and the next poll tells; but an end that came with the bytes has been told
     * already. */
    side->wants = side->wants || side->end_seen || result == IO_RECEIVE_BYTES;
    side_receive(side);
}

static void
side_receive(struct side *side)
{
    if (side->wants && !side->receiving.active) {
        side->wants = false;
        io_receive(side->io, &side->receiving, side->socket);
    }
}

static void
side_send(struct side *side)
{
    side->piece.iov_base = side->out + side->sent;
    side->piece.iov_len = CONVERSATION_BYTES - side->sent;
    io_send(side->io, &side->sending, side->socket, &side->piece, 1);
}

static void
side_sent(struct io_op *op, int32_t result)
{
    struct side *side = SIDE_OF(op, sending);
    assert_true(result > 0);
    side->partial += (size_t)result < side->piece.iov_len;
    side->sent += (size_t)result;
    if (side->sent < CONVERSATION_BYTES) {
        side_send(side);
    } else {
        io_shutdown(side->io, side->socket);
    }
}

static void
side_begin(struct side *side, struct io *io, io_socket socket, unsigned salt)
{
    memset(side, 0, sizeof(*side));
    side->io = io;
    side->socket = socket;
    side->polling.done = side_polled;
    side->receiving.done = side_received;
    side->sending.done = side_sent;
    side->out = malloc(CONVERSATION_BYTES);
    side->in = malloc(CONVERSATION_BYTES);
    assert_true(side->out && side->in);
    fill(side->out, CONVERSATION_BYTES, salt);
    io_poll(io, &side->polling, socket);
    side_send(side);
}

static void
side_end(struct side *side)
{
    io_cancel(side->io, &side->polling);
    free(side->out);
    free(side->in);
}

static void
bytes_both_ways(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_rig rig;
        struct side a, b;
        io_socket client, server;
        sim_rig_open(&rig,
                     &(struct sim_options){.seed = seed, .loops = 2, .connection_bytes_max = 5000});
        sim_rig_connect(&rig, &client, &server);
        side_begin(&a, sim_rig_io(&rig, 0), client, 1);
        side_begin(&b, sim_rig_io(&rig, 1), server, 2);
        sim_rig_settle(&rig);
        assert_int_equal(a.received, CONVERSATION_BYTES);
        assert_int_equal(b.received, CONVERSATION_BYTES);
        assert_true(a.ended && b.ended);
        assert_memory_equal(a.out, b.in, CONVERSATION_BYTES);
        assert_memory_equal(b.out, a.in, CONVERSATION_BYTES);
        assert_true(a.partial > 0 && b.partial > 0);
        side_end(&a);
        side_end(&b);
        sim_rig_settle(&rig);
        io_close(a.io, client, false);
        io_close(b.io, server, false);
        sim_rig_close(&rig);
    }
}

static void
send_waits_for_room(void **state)
{
    (void)state;
    struct sim_rig rig;
    io_socket client, server;
    static unsigned char bytes[3000], got[3000];
    sim_rig_open(&rig, &(struct sim_options){.seed = 11, .connection_bytes_max = 1000});
    sim_rig_connect(&rig, &client, &server);
    fill(bytes, sizeof(bytes), 3);
    struct sim_probe sending;
    struct iovec piece;
    size_t sent = 0;
    for (;;) { /* until a send finds no room */
        piece = (struct iovec){.iov_base = bytes + sent, .iov_len = sizeof(bytes) - sent};
        sim_probe_init(&sending);
        io_send(sim_rig_io(&rig, 0), &sending.op, client, &piece, 1);
        sim_rig_settle(&rig);
        if (sending.op.active) {
            break;
        }
        sent += (size_t)sim_probe_only(&sending);
        assert_true(sent <= 1000);
    }
    assert_int_equal(sent, 1000);
    size_t received = sim_rig_receive(&rig, 0, server, got, sizeof(got), NULL);
    assert_false(sending.op.active);
    assert_int_equal(received, 1000 + sim_probe_only(&sending));
    assert_memory_equal(got, bytes, received);
    sim_rig_close(&rig);
}

static void
gathered_send(void **state)
{
    (void)state;
    struct sim_rig rig;
    io_socket client, server;
    char got[16] = "";
    struct iovec pieces[] = {{.iov_base = "al", .iov_len = 2},
                             {.iov_base = NULL, .iov_len = 0},
                             {.iov_base = "ice", .iov_len = 3}};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        sim_rig_open(&rig, &(struct sim_options){.seed = seed});
        sim_rig_connect(&rig, &client, &server);
        struct sim_probe sending;
        sim_probe_init(&sending);
        io_send(sim_rig_io(&rig, 0), &sending.op, client, pieces, 3);
        sim_rig_settle(&rig);
        size_t count = sim_rig_receive(&rig, 0, server, got, sizeof(got), NULL);
        assert_int_equal(count, sim_probe_only(&sending));
        assert_memory_equal(got, "alice", count);
        sim_rig_close(&rig);
    }
}

static void
poll_is_an_edge(void **state)
{
    (void)state;
    struct sim_rig rig;
    io_socket client, server;
    unsigned char got[64];
    struct sim_probe polling;
    sim_rig_open(&rig, &(struct sim_options){.seed = 2});
    sim_rig_connect(&rig, &client, &server);
    sim_probe_poll(&polling, sim_rig_io(&rig, 0), server);
    sim_rig_settle(&rig);
    assert_int_equal(polling.count, 0);
    sim_rig_send(&rig, 0, client, "one", 3);
    assert_true(polling.count > 0);
    unsigned told = polling.count;
    sim_rig_run_ms(&rig, 1000); /* unread bytes alone are no news */
    assert_int_equal(polling.count, told);
    assert_int_equal(sim_rig_receive(&rig, 0, server, got, sizeof(got), NULL), 3);
    told = polling.count;
    io_shutdown(sim_rig_io(&rig, 0), client);
    sim_rig_settle(&rig);
    assert_true(polling.count > told);
    io_cancel(sim_rig_io(&rig, 0), &polling.op);
    sim_rig_settle(&rig);
    assert_false(polling.op.active);
    assert_int_equal(sim_probe_last(&polling), -ECANCELED);
    sim_rig_close(&rig);
}

static void
poll_of_waiting_bytes(void **state)
{
    (void)state;
    struct sim_rig rig;
    io_socket client, server;
    struct sim_probe polling;
    sim_rig_open(&rig, &(struct sim_options){.seed = 2});
    sim_rig_connect(&rig, &client, &server);
    sim_rig_send(&rig, 0, client, "one", 3);
    sim_probe_poll(&polling, sim_rig_io(&rig, 0), server);
    sim_rig_settle(&rig);
    assert_true(polling.count > 0);
    sim_rig_close(&rig);
}

static void
no_buffers(void **state)
{
    (void)state;
    struct sim_rig rig;
    io_socket client, server;
    struct sim_probe first, second, third;
    sim_rig_open(&rig, &(struct sim_options){.seed = 8, .receive_buffers = 1});
    struct io *io = sim_rig_io(&rig, 0);
    sim_rig_connect(&rig, &client, &server);
    sim_probe_init(&first);
    io_receive(io, &first.op, server);
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&first), -EAGAIN); /* holds none */
    io_release(io, &first.op);
    static unsigned char bytes[IO_RECEIVE_BYTES + 4000];
    fill(bytes, sizeof(bytes), 1);
    sim_rig_send(&rig, 0, client, bytes, sizeof(bytes));
    sim_probe_init(&first);
    io_receive(io, &first.op, server);
    sim_rig_settle(&rig);
    assert_true(sim_probe_only(&first) > 0);
    sim_probe_init(&second);
    io_receive(io, &second.op, server);
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&second), -ENOBUFS);
    io_release(io, &second.op);
    struct io_stats stats;
    io_stats_read(io, &stats);
    assert_int_equal(stats.receive_buffers_short, 1);
    io_release(io, &first.op);
    io_release(io, &first.op);
    sim_probe_init(&third);
    io_receive(io, &third.op, server);
    sim_rig_settle(&rig);
    assert_true(sim_probe_only(&third) > 0);
    sim_rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("bytes arrive in order, whole and once, both ways, whatever the seed",
             bytes_both_ways),
        SPEC("a send finds no room, waits, and takes a part when there is some",
             send_waits_for_room),
        SPEC("a gathered send is one stream, empty pieces included", gathered_send),
        SPEC("a poll tells what is new, not what is there", poll_is_an_edge),
        SPEC("a poll begun when bytes wait tells at once", poll_of_waiting_bytes),
        SPEC("a receive without a free buffer gets -ENOBUFS until one is released", no_buffers),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
