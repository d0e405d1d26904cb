/* SPDX-License-Identifier: Apache-2.0 */
/* Listening and connecting on the simulated network. */
#include "tests/runtime/io/sim_rig.h"
#include "tests/spec.h"

#include <errno.h>

enum { SEEDS = SEEDS_OF(40) };

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
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
