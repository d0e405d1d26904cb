/* SPDX-License-Identifier: Apache-2.0 */
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

/* ----------------------------------------------------------------------------------- connecting */

static void
connect_to_nobody(void **state)
{
    (void)state;
    struct sim_rig rig;
    sim_rig_open(&rig, &(struct sim_options){.seed = 1});
    struct io_address nobody = sim_rig_address("127.0.0.1:4222");
    struct sim_probe connecting;
    sim_probe_init(&connecting);
    io_connect(sim_rig_io(&rig, 0), &connecting.op, &nobody);
    assert_true(connecting.op.active);
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&connecting), -ECONNREFUSED);
    assert_true(sim_now_ns(rig.driver) > 0);
    sim_rig_close(&rig);
}

static void
listen_twice(void **state)
{
    (void)state;
    struct sim_rig rig;
    sim_rig_open(&rig, &(struct sim_options){.seed = 1});
    struct io *io = sim_rig_io(&rig, 0);
    struct io_address any = sim_rig_address("0.0.0.0:4222"),
                      one = sim_rig_address("127.0.0.1:4222");
    struct io_address path = sim_rig_address("unix:/somewhere/node.sock");
    io_socket a, b, c;
    assert_int_equal(io_listen(io, &any, 8, &a, NULL), 0);
    assert_int_equal(io_listen(io, &one, 8, &b, NULL), -EADDRINUSE);
    assert_int_equal(io_listen(io, &path, 8, &b, NULL), 0);
    assert_int_equal(io_listen(io, &path, 8, &c, NULL), -EADDRINUSE);
    io_close(io, a, false);
    io_close(io, b, false);
    assert_int_equal(io_listen(io, &one, 8, &a, NULL), 0);
    assert_int_equal(io_listen(io, &path, 8, &b, NULL), 0);
    sim_rig_close(&rig);
}

static void
free_port(void **state)
{
    (void)state;
    struct sim_rig rig;
    sim_rig_open(&rig, &(struct sim_options){.seed = 1});
    struct io *io = sim_rig_io(&rig, 0);
    struct io_address asked = sim_rig_address("[::1]:0"), first, second;
    io_socket a, b;
    assert_int_equal(io_listen(io, &asked, 8, &a, &first), 0);
    assert_int_equal(io_listen(io, &asked, 8, &b, &second), 0);
    assert_memory_not_equal(first.raw, second.raw, first.bytes);
    struct sim_probe connecting;
    sim_probe_init(&connecting);
    io_connect(io, &connecting.op, &second);
    sim_rig_settle(&rig);
    struct io_address remote;
    assert_int_equal(io_peer(io, sim_probe_only(&connecting), &remote), 0);
    assert_memory_equal(remote.raw, second.raw, second.bytes);
    assert_int_equal(io_peer(io, 999, &remote), -EBADF);
    sim_rig_close(&rig);
}

static void
backlog_full(void **state)
{
    (void)state;
    struct sim_rig rig;
    sim_rig_open(&rig, &(struct sim_options){.seed = 3});
    struct io *io = sim_rig_io(&rig, 0);
    struct io_address address = sim_rig_address("127.0.0.1:4222");
    struct sim_probe connecting[3], accepting;
    io_socket listener;
    assert_int_equal(io_listen(io, &address, 1, &listener, NULL), 0);
    for (int i = 0; i < 3; i++) {
        sim_probe_init(&connecting[i]);
        io_connect(io, &connecting[i].op, &address);
    }
    sim_rig_run_ms(&rig, 100);
    assert_int_equal(connecting[0].count + connecting[1].count + connecting[2].count, 1);
    sim_probe_accept(&accepting, io, listener);
    sim_rig_run_ms(&rig, 3000);
    assert_int_equal(connecting[0].count + connecting[1].count + connecting[2].count, 3);
    assert_int_equal(accepting.count, 3);
    sim_rig_close(&rig);
}

static void
out_of_sockets(void **state)
{
    (void)state;
    struct sim_rig rig;
    sim_rig_open(&rig, &(struct sim_options){.seed = 5, .sockets_max = 2});
    struct io *io = sim_rig_io(&rig, 0);
    struct io_address address = sim_rig_address("127.0.0.1:4222");
    struct sim_probe connecting, second, accepting;
    io_socket listener;
    assert_int_equal(io_listen(io, &address, 8, &listener, NULL), 0);
    sim_probe_init(&connecting);
    io_connect(io, &connecting.op, &address);
    sim_rig_settle(&rig);
    int32_t connected = sim_probe_only(&connecting);
    assert_true(connected >= 0);
    sim_probe_init(&second);
    io_connect(io, &second.op, &address);
    sim_probe_accept(&accepting, io, listener);
    sim_rig_run_ms(&rig, 10);
    assert_int_equal(sim_probe_only(&second), -EMFILE);
    assert_int_equal(accepting.count, 1);
    assert_int_equal(sim_probe_last(&accepting), -EMFILE);
    io_close(io, connected, false);
    sim_rig_settle(&rig);
    assert_true(accepting.op.active);
    assert_true(sim_probe_last(&accepting) >= 0);
    sim_rig_close(&rig);
}

static void
connect_cancelled(void **state)
{
    (void)state;
    unsigned cancelled = 0, connected = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_rig rig;
        sim_rig_open(&rig, &(struct sim_options){.seed = seed});
        struct io *io = sim_rig_io(&rig, 0);
        struct io_address address = sim_rig_address("127.0.0.1:4222");
        struct sim_probe connecting, accepting;
        io_socket listener;
        assert_int_equal(io_listen(io, &address, 8, &listener, NULL), 0);
        sim_probe_accept(&accepting, io, listener);
        sim_probe_init(&connecting);
        io_connect(io, &connecting.op, &address);
        (void)sim_run(rig.driver, sim_random(rig.driver, 500000));
        io_cancel(io, &connecting.op);
        sim_rig_settle(&rig);
        int32_t result = sim_probe_only(&connecting);
        cancelled += result == -ECANCELED;
        connected += result >= 0;
        assert_true(result == -ECANCELED || result >= 0);
        if (accepting.count == 1 && result == -ECANCELED) {
            int32_t end;
            assert_int_equal(sim_rig_receive(&rig, 0, accepting.results[0], NULL, 0, &end), 0);
            assert_int_equal(end, -ECONNRESET);
        }
        sim_rig_close(&rig);
    }
    assert_true(cancelled > 0 && connected > 0);
}

static void
listener_gone(void **state)
{
    (void)state;
    struct sim_rig rig;
    sim_rig_open(&rig, &(struct sim_options){.seed = 1});
    struct io *io = sim_rig_io(&rig, 0);
    struct io_address address = sim_rig_address("127.0.0.1:4222");
    struct sim_probe connecting;
    io_socket listener;
    assert_int_equal(io_listen(io, &address, 8, &listener, NULL), 0);
    sim_probe_init(&connecting);
    io_connect(io, &connecting.op, &address);
    sim_rig_settle(&rig);
    int32_t end, client = sim_probe_only(&connecting);
    io_close(io, listener, false);
    sim_rig_settle(&rig);
    (void)sim_rig_receive(&rig, 0, client, NULL, 0, &end);
    assert_int_equal(end, -ECONNRESET);
    sim_rig_close(&rig);
}

/* ---------------------------------------------------------------------------------------- bytes */

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

/* ----------------------------------------------------------------------------------------- ends */

static void
end_after_the_bytes(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_rig rig;
        io_socket client, server;
        char got[8];
        int32_t end;
        sim_rig_open(&rig, &(struct sim_options){.seed = seed});
        sim_rig_connect(&rig, &client, &server);
        sim_rig_send(&rig, 0, client, "bye", 3);
        io_close(sim_rig_io(&rig, 0), client, false);
        sim_rig_settle(&rig);
        assert_int_equal(sim_rig_receive(&rig, 0, server, got, sizeof(got), &end), 3);
        assert_int_equal(end, 0);
        sim_rig_close(&rig);
    }
}

static void
half_closed(void **state)
{
    (void)state;
    struct sim_rig rig;
    io_socket client, server;
    char got[8];
    int32_t end;
    sim_rig_open(&rig, &(struct sim_options){.seed = 4});
    struct io *io = sim_rig_io(&rig, 0);
    sim_rig_connect(&rig, &client, &server);
    io_shutdown(io, client);
    sim_rig_settle(&rig);
    assert_int_equal(sim_rig_receive(&rig, 0, server, got, sizeof(got), &end), 0);
    assert_int_equal(end, 0);
    sim_rig_send(&rig, 0, server, "still", 5);
    assert_int_equal(sim_rig_receive(&rig, 0, client, got, sizeof(got), &end), 5);
    assert_int_equal(end, -EAGAIN);
    struct sim_probe sending;
    struct iovec piece = {.iov_base = "x", .iov_len = 1};
    sim_probe_init(&sending);
    io_send(io, &sending.op, client, &piece, 1);
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&sending), -EPIPE);
    sim_rig_close(&rig);
}

static void
abort_resets(void **state)
{
    (void)state;
    struct sim_rig rig;
    io_socket client, server;
    int32_t end;
    struct sim_probe polling;
    sim_rig_open(&rig, &(struct sim_options){.seed = 4});
    struct io *io = sim_rig_io(&rig, 0);
    sim_rig_connect(&rig, &client, &server);
    sim_probe_poll(&polling, io, server);
    sim_rig_settle(&rig);
    io_close(io, client, true);
    sim_rig_settle(&rig);
    assert_true(polling.count > 0);
    (void)sim_rig_receive(&rig, 0, server, NULL, 0, &end);
    assert_int_equal(end, -ECONNRESET);
    sim_rig_close(&rig);
}

static void
close_with_unread_bytes(void **state)
{
    (void)state;
    struct sim_rig rig;
    io_socket client, server;
    int32_t end;
    sim_rig_open(&rig, &(struct sim_options){.seed = 4});
    sim_rig_connect(&rig, &client, &server);
    sim_rig_send(&rig, 0, client, "unread", 6);
    io_close(sim_rig_io(&rig, 0), server, false);
    sim_rig_settle(&rig);
    (void)sim_rig_receive(&rig, 0, client, NULL, 0, &end);
    assert_int_equal(end, -ECONNRESET);
    sim_rig_close(&rig);
}

static void
waiting_send_meets_reset(void **state)
{
    (void)state;
    struct sim_rig rig;
    io_socket client, server;
    static struct sim_probe sending[8];
    unsigned char bytes[500] = {0};
    struct iovec piece = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    sim_rig_open(&rig, &(struct sim_options){.seed = 4, .connection_bytes_max = 100});
    struct io *io = sim_rig_io(&rig, 0);
    sim_rig_connect(&rig, &client, &server);
    for (int i = 0; i < 8; i++) {
        sim_probe_init(&sending[i]);
        io_send(io, &sending[i].op, client, &piece, 1);
    }
    sim_rig_settle(&rig);
    assert_true(sending[7].op.active);
    io_close(io, server, true);
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&sending[7]), -ECONNRESET);
    sim_rig_close(&rig);
}

static void
cancel_is_final_once(void **state)
{
    (void)state;
    unsigned cancelled = 0, finished = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct sim_rig rig;
        io_socket client, server;
        struct sim_probe receiving;
        sim_rig_open(&rig, &(struct sim_options){.seed = seed});
        struct io *io = sim_rig_io(&rig, 0);
        sim_rig_connect(&rig, &client, &server);
        sim_rig_send(&rig, 0, client, "x", 1);
        sim_probe_init(&receiving);
        io_receive(io, &receiving.op, server);
        (void)sim_run(rig.driver, sim_now_ns(rig.driver) + sim_random(rig.driver, 2000));
        io_cancel(io, &receiving.op);
        io_cancel(io, &receiving.op);
        sim_rig_settle(&rig);
        int32_t result = sim_probe_only(&receiving);
        cancelled += result == -ECANCELED;
        finished += result == 1;
        assert_true(result == -ECANCELED || result == 1);
        io_cancel(io, &receiving.op);
        sim_rig_settle(&rig);
        assert_int_equal(receiving.count, 1);
        sim_rig_close(&rig);
    }
    assert_true(cancelled > 0 && finished > 0);
}

static void
cancelled_send_takes_nothing(void **state)
{
    (void)state;
    struct sim_rig rig;
    io_socket client, server;
    struct sim_probe sending;
    static unsigned char bytes[500], got[1000];
    sim_rig_open(&rig, &(struct sim_options){.seed = 9, .connection_bytes_max = 100});
    struct io *io = sim_rig_io(&rig, 0);
    sim_rig_connect(&rig, &client, &server);
    sim_rig_send(&rig, 0, client, bytes, 100);
    struct iovec piece = {.iov_base = bytes, .iov_len = sizeof(bytes)};
    sim_probe_init(&sending);
    io_send(io, &sending.op, client, &piece, 1);
    sim_rig_settle(&rig);
    assert_true(sending.op.active);
    io_cancel(io, &sending.op);
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&sending), -ECANCELED);
    assert_int_equal(sim_rig_receive(&rig, 0, server, got, sizeof(got), NULL), 100);
    sim_rig_close(&rig);
}

static void
unknown_handle(void **state)
{
    (void)state;
    struct sim_rig rig;
    struct sim_probe probe;
    struct iovec piece = {.iov_base = "x", .iov_len = 1};
    sim_rig_open(&rig, &(struct sim_options){.seed = 9});
    struct io *io = sim_rig_io(&rig, 0);
    sim_probe_init(&probe);
    io_receive(io, &probe.op, 77);
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&probe), -EBADF);
    sim_probe_init(&probe);
    io_send(io, &probe.op, 77, &piece, 1);
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&probe), -EBADF);
    sim_probe_init(&probe);
    io_poll(io, &probe.op, 77);
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&probe), -EBADF);
    sim_probe_init(&probe);
    io_accept(io, &probe.op, 77);
    sim_rig_settle(&rig);
    assert_int_equal(sim_probe_only(&probe), -EBADF);
    sim_rig_close(&rig);
}

static void
closed_after_the_crash(void **state)
{
    (void)state;
    struct sim_rig rig;
    io_socket client, server;
    struct sim_probe polling;
    sim_rig_open(&rig, &(struct sim_options){.seed = 9});
    sim_rig_connect(&rig, &client, &server);
    sim_probe_poll(&polling, sim_rig_io(&rig, 0), server);
    sim_rig_settle(&rig);
    sim_crash(rig.driver);
    io_cancel(sim_rig_io(&rig, 0), &polling.op);
    io_close(sim_rig_io(&rig, 0), server, false);
    sim_rig_settle(&rig);
    assert_int_equal(polling.count, 0); /* nobody is there to be told */
    sim_rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a connect to an address nobody listens on is refused", connect_to_nobody),
        SPEC("an address has one listener until that is closed", listen_twice),
        SPEC("port 0 gives a free port, and both sides know each other's address", free_port),
        SPEC("a full backlog makes callers wait and try again", backlog_full),
        SPEC("beyond the limit of sockets a connect gets -EMFILE, an accept too, and goes on",
             out_of_sockets),
        SPEC("a cancelled connect ends once, and what came of it is reset", connect_cancelled),
        SPEC("a listener that closes resets what nobody accepted", listener_gone),
        SPEC("bytes arrive in order, whole and once, both ways, whatever the seed",
             bytes_both_ways),
        SPEC("a send finds no room, waits, and takes a part when there is some",
             send_waits_for_room),
        SPEC("a gathered send is one stream, empty pieces included", gathered_send),
        SPEC("a poll tells what is new, not what is there", poll_is_an_edge),
        SPEC("a poll begun when bytes wait tells at once", poll_of_waiting_bytes),
        SPEC("a receive without a free buffer gets -ENOBUFS until one is released", no_buffers),
        SPEC("the end comes after the last byte", end_after_the_bytes),
        SPEC("a side that was shut down still receives, and sends -EPIPE", half_closed),
        SPEC("an abort is seen as a reset", abort_resets),
        SPEC("a close that leaves bytes unread is a reset", close_with_unread_bytes),
        SPEC("a send that waits for room is ended by a reset", waiting_send_meets_reset),
        SPEC("a cancelled operation is done exactly once, cancelled or not", cancel_is_final_once),
        SPEC("a send cancelled while it waits has taken nothing", cancelled_send_takes_nothing),
        SPEC("an operation on an unknown handle gets -EBADF", unknown_handle),
        SPEC("after a crash a socket may be closed under its operations", closed_after_the_crash),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
