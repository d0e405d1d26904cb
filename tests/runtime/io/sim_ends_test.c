/* SPDX-License-Identifier: Apache-2.0 */
/* How simulated connections and operations end. */
#include "tests/runtime/io/sim_rig.h"
#include "tests/spec.h"

#include <errno.h>

enum { SEEDS = SEEDS_OF(40) };

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
