/* SPDX-License-Identifier: Apache-2.0 */
/* sim_rig.h - the sim driver under test: everything on the test's own thread, from top to bottom.
 *
 * The loops of a rig do nothing in their turns, so operations are started by the test itself and
 * shown by probes:
 *
 *     sim_rig_open(&rig, &(struct sim_options){.seed = 7, .loops = 2});
 *     io_receive(sim_rig_io(&rig, 0), &probe.op, socket);
 *     sim_rig_settle(&rig);                     until nothing can happen any more
 *     assert_int_equal(sim_probe_last(&probe), -EAGAIN);
 *     sim_rig_close(&rig);
 */
#pragma once

#include "runtime/io/sim.h"

enum { SIM_PROBE_RESULTS_MAX = 64 };

struct sim_rig {
    struct io_driver *driver;
    unsigned turns;
    bool stopped;
};

void sim_rig_open(struct sim_rig *rig, const struct sim_options *options);
void sim_rig_close(struct sim_rig *rig);
struct io *sim_rig_io(struct sim_rig *rig, unsigned loop);
/* Runs until nothing can happen any more, or the power has gone. */
void sim_rig_settle(struct sim_rig *rig);
void sim_rig_run_ms(struct sim_rig *rig, uint64_t ms);

/* An operation that writes down what it was told. */
struct sim_probe {
    struct io_op op;
    int32_t results[SIM_PROBE_RESULTS_MAX];
    unsigned count;
};

void sim_probe_init(struct sim_probe *probe);
/* The only result of an operation that is over. */
int32_t sim_probe_only(const struct sim_probe *probe);
int32_t sim_probe_last(const struct sim_probe *probe);
void sim_probe_poll(struct sim_probe *probe, struct io *io, io_socket socket);
void sim_probe_accept(struct sim_probe *probe, struct io *io, io_socket listener);

/* Two connected sockets on loop 0 and on the last loop. */
void sim_rig_connect(struct sim_rig *rig, io_socket *out_client, io_socket *out_server);
/* Sends all of it, however often that takes. */
void sim_rig_send(struct sim_rig *rig, unsigned loop, io_socket socket, const void *bytes,
                  size_t count);
/* Receives until there is nothing: the bytes in `out`; *out_end (may be NULL) is 0 at the peer's
 * end, or the error. */
size_t sim_rig_receive(struct sim_rig *rig, unsigned loop, io_socket socket, void *out, size_t max,
                       int32_t *out_end);
struct io_address sim_rig_address(const char *text);

/* Removes a file or an empty directory, if it is there. */
void sim_rig_forget(struct io_driver *driver, const char *path);
/* A group's setup: removes the folder "disk" that an earlier run has left. */
int sim_rig_clean(void **state);
