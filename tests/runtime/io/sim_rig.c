/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/io/sim_rig.h"

#include "runtime/io/sim_tree.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>

enum { NS_PER_MS = 1000 * 1000 };

static uint64_t
rig_turn(void *context)
{
    struct sim_rig *rig = context;
    rig->turns++;
    return IO_NEVER;
}

static bool
rig_idle(void *context)
{
    (void)context;
    return true;
}

static bool
rig_stopped(void *context)
{
    const struct sim_rig *rig = context;
    return rig->stopped;
}

void
sim_rig_open(struct sim_rig *rig, const struct sim_options *options)
{
    memset(rig, 0, sizeof(*rig));
    assert_int_equal(sim_open(options, &rig->driver), 0);
    struct io_loop loops[8];
    assert_true(io_loops(rig->driver) <= 8);
    for (unsigned i = 0; i < io_loops(rig->driver); i++) {
        loops[i] = (struct io_loop){
            .turn = rig_turn, .idle = rig_idle, .stopped = rig_stopped, .context = rig};
    }
    assert_int_equal(io_start(rig->driver, loops), 0);
}

void
sim_rig_close(struct sim_rig *rig)
{
    io_driver_close(rig->driver);
    rig->driver = NULL;
}

struct io *
sim_rig_io(struct sim_rig *rig, unsigned loop)
{
    return io_of(rig->driver, loop);
}

void
sim_rig_settle(struct sim_rig *rig)
{
    assert_false(sim_run(rig->driver, IO_NEVER));
}

void
sim_rig_run_ms(struct sim_rig *rig, uint64_t ms)
{
    (void)sim_run(rig->driver, sim_now_ns(rig->driver) + ms * NS_PER_MS);
}

/* --------------------------------------------------------------------------------------- probes */

static void
probe_done(struct io_op *op, int32_t result)
{
    struct sim_probe *probe = (struct sim_probe *)op;
    assert_true(probe->count < SIM_PROBE_RESULTS_MAX);
    assert_int_equal(op->more, op->active);
    probe->results[probe->count++] = result;
}

void
sim_probe_init(struct sim_probe *probe)
{
    memset(probe, 0, sizeof(*probe));
    probe->op.done = probe_done;
}

int32_t
sim_probe_only(const struct sim_probe *probe)
{
    assert_false(probe->op.active);
    assert_int_equal(probe->count, 1);
    return probe->results[0];
}

int32_t
sim_probe_last(const struct sim_probe *probe)
{
    assert_true(probe->count > 0);
    return probe->results[probe->count - 1];
}

void
sim_probe_poll(struct sim_probe *probe, struct io *io, io_socket socket)
{
    sim_probe_init(probe);
    io_poll(io, &probe->op, socket);
}

void
sim_probe_accept(struct sim_probe *probe, struct io *io, io_socket listener)
{
    sim_probe_init(probe);
    io_accept(io, &probe->op, listener);
}

/* -------------------------------------------------------------------------------- conversations */

struct io_address
sim_rig_address(const char *text)
{
    struct io_address address;
    assert_int_equal(io_address_parse(text, &address), 0);
    return address;
}

void
sim_rig_connect(struct sim_rig *rig, io_socket *out_client, io_socket *out_server)
{
    struct io *server = sim_rig_io(rig, io_loops(rig->driver) - 1);
    struct io *client = sim_rig_io(rig, 0);
    struct io_address asked = sim_rig_address("127.0.0.1:0"), bound;
    struct sim_probe accepting, connecting;
    io_socket listener;
    assert_int_equal(io_listen(server, &asked, 8, &listener, &bound), 0);
    sim_probe_accept(&accepting, server, listener);
    sim_probe_init(&connecting);
    io_connect(client, &connecting.op, &bound);
    sim_rig_settle(rig);
    *out_client = sim_probe_only(&connecting);
    assert_int_equal(accepting.count, 1);
    *out_server = accepting.results[0];
    io_cancel(server, &accepting.op);
    sim_rig_settle(rig);
    assert_false(accepting.op.active);
    io_close(server, listener, false);
}

void
sim_rig_send(struct sim_rig *rig, unsigned loop, io_socket socket, const void *bytes, size_t count)
{
    struct sim_probe sending;
    const unsigned char *at = bytes;
    while (count > 0) {
        struct iovec piece = {.iov_base = (void *)(uintptr_t)at, .iov_len = count};
        sim_probe_init(&sending);
        io_send(sim_rig_io(rig, loop), &sending.op, socket, &piece, 1);
        sim_rig_settle(rig);
        int32_t sent = sim_probe_only(&sending);
        assert_true(sent > 0);
        at += sent;
        count -= (size_t)sent;
    }
}

size_t
sim_rig_receive(struct sim_rig *rig, unsigned loop, io_socket socket, void *out, size_t max,
                int32_t *out_end)
{
    struct io *io = sim_rig_io(rig, loop);
    struct sim_probe receiving;
    size_t count = 0;
    for (;;) {
        sim_probe_init(&receiving);
        io_receive(io, &receiving.op, socket);
        sim_rig_settle(rig);
        int32_t got = sim_probe_only(&receiving);
        if (got <= 0) {
            if (out_end) {
                *out_end = got;
            }
            return count;
        }
        assert_true(count + (size_t)got <= max);
        memcpy((unsigned char *)out + count, io_received(io, &receiving.op), (size_t)got);
        count += (size_t)got;
        io_release(io, &receiving.op);
    }
}

void
sim_rig_forget(struct io_driver *driver, const char *path)
{
    int error = io_remove(driver, path);
    assert_true(error == 0 || error == -ENOENT);
}

int
sim_rig_clean(void **state)
{
    (void)state;
    return sim_tree_remove("disk");
}
