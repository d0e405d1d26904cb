/* SPDX-License-Identifier: Apache-2.0 */
/* rig.h - the real driver under test, steered from the test's own thread.
 *
 * Each loop's turns do what the test asks and nothing else, so that a test reads from top to bottom
 * although its operations run elsewhere. A probe is an operation that writes down what it was told;
 * nothing sleeps: a test waits for the results it expects, and fails when they don't come.
 *
 *     rig_open(&rig, &(struct rig_options){.loops = 2, .level = IO_LEVEL_6_1});
 *     rig_accept(&rig, 0, &accepting, listener);
 *     rig_connect(&rig, 1, &connecting, &address);
 *     int client = probe_await(&connecting, 1);
 *     ...
 *     rig_close(&rig);
 *
 * All functions are for the test's thread, but probe_tell for any. Probes and the rig stay at their
 * place until rig_close.
 */
#pragma once

#include "runtime/io/io.h"
#include "runtime/io/uring.h"

#include <pthread.h>
#include <stddef.h>

enum {
    RIG_LOOPS_MAX = 4,
    PROBE_RESULTS_MAX = 24,
};

struct rig_call {
    void (*run)(struct io *io, void *context);
    void *context;
    bool done;
    struct rig_call *next;
};

struct rig_loop {
    struct rig *rig;
    struct io *io;
    /* Under rig->lock. */
    struct rig_call *calls;
    bool stop;
};

struct rig {
    struct io_driver *driver;
    bool stopped;
    bool settle;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct rig_loop loops[RIG_LOOPS_MAX];
};

struct rig_options {
    unsigned loops; /* 0: 1 */
    enum io_level level;
    unsigned receive_buffers, ring_entries, spin_us;
    bool settle;          /* the ends of each rig_pair take no descriptor */
    unsigned table_slots; /* of settled sockets; 0: 3, so that there are several tables */
};

struct probe {
    struct io_op op;
    struct rig *rig;
    /* Under rig->lock. */
    unsigned count;
    bool ended;
    int32_t results[PROBE_RESULTS_MAX];
};

void rig_open(struct rig *rig, const struct rig_options *options);
/* One loop, in the way that is tried now (rig_run). */
void rig_open_this_way(struct rig *rig);
/* Stops the loops and waits until they have. */
void rig_stop(struct rig *rig);
/* Stops the loops, when they still run, and closes the driver. */
void rig_close(struct rig *rig);

/* Runs `run` on the loop and waits until it has. */
void rig_do(struct rig *rig, unsigned loop, void (*run)(struct io *io, void *context),
            void *context);

struct io *rig_io(struct rig *rig, unsigned loop);
/* What the loop has counted so far. */
struct io_stats rig_stats(struct rig *rig, unsigned loop);

/* The calls of io.h, on a loop. rig_listen fails the test on an error. */
io_socket rig_listen(struct rig *rig, const char *address, struct io_address *out_bound);
void rig_accept(struct rig *rig, unsigned loop, struct probe *probe, io_socket listener);
void rig_connect(struct rig *rig, unsigned loop, struct probe *probe,
                 const struct io_address *address);
void rig_poll(struct rig *rig, unsigned loop, struct probe *probe, io_socket socket);
void rig_receive(struct rig *rig, unsigned loop, struct probe *probe, io_socket socket);
void rig_release(struct rig *rig, unsigned loop, struct probe *probe);
void rig_send(struct rig *rig, unsigned loop, struct probe *probe, io_socket socket,
              const struct iovec *pieces, unsigned count);
void rig_write_sync(struct rig *rig, unsigned loop, struct probe *probe, io_file file,
                    const struct iovec *pieces, unsigned count, uint64_t offset);
void rig_cancel(struct rig *rig, unsigned loop, struct probe *probe);
/* Settles a socket on the loop that will use it; a negative errno leaves it as it is. */
int rig_settle(struct rig *rig, unsigned loop, io_socket *socket);
/* Whether this kernel can do so at the level: else it is told that what needs it is passed over. */
bool rig_settles(enum io_level level);
void rig_shut(struct rig *rig, unsigned loop, io_socket socket);
void rig_drop(struct rig *rig, unsigned loop, io_socket socket, bool abort);

/* A piece to send or write. */
struct iovec rig_piece(const void *bytes, size_t count);
/* On loop 0 and to their end: sends all of a text; receives; cancels and sees it end as
 * cancelled. */
void rig_say(struct rig *rig, io_socket socket, const char *text);
int32_t rig_receive_now(struct rig *rig, struct probe *probe, io_socket socket);
void rig_cancel_await(struct rig *rig, struct probe *probe);

/* A connected pair over TCP on loopback: ends[0] from connect, ends[1] from accept, both used on
 * loop 0. */
void rig_pair(struct rig *rig, io_socket ends[2]);

/* Tells a probe of something that is not an operation; it is ended then. */
void probe_tell(struct rig *rig, struct probe *probe, int32_t result);
/* Waits until the probe was told `count` results; returns the last of those. */
int32_t probe_await(struct probe *probe, unsigned count);
/* Waits until it was told that none will follow; returns the last one. */
int32_t probe_await_end(struct probe *probe);
/* How often it was told so far. */
unsigned probe_count(struct probe *probe);
/* Makes an ended probe ready to be used again. */
void probe_reset(struct probe *probe);

/* Tests run in several ways, one after the other, and this is the one that is tried now. */
extern struct rig_way {
    enum io_level level;
    bool settle; /* the sockets of pairs */
} rig_way;

struct CMUnitTest;
/* A program's main: as the kernel allows it, likewise with settled sockets if `settled` and it can,
 * and at level 6.1. How many failed. */
int rig_run(const struct CMUnitTest *specs, size_t count, bool settled);
