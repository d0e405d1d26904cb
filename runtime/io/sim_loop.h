/* SPDX-License-Identifier: Apache-2.0 */
/* sim_loop.h - one loop of the sim driver: what wakes it, its completions, its receive buffers.
 *
 * A loop takes a turn when it was woken, when a completion waits for it or when the deadline it
 * asked for has come; sim.c decides which of several takes it first. A turn happens at one instant
 * of the clock; afterwards the loop is busy for a small seeded time, while others go on: so loops
 * overlap, and one that always has something to do cannot stop the clock.
 */
#pragma once

#include "runtime/io/sim_priv.h"

struct sim_completion {
    struct sim_request *request; /* or NULL, and then: */
    struct io_work *work;
    int32_t result;
    bool more;
    struct sim_completion *next;
};

struct sim_loop {
    struct io io; /* first: what io.h hands around */
    struct io_loop hooks;
    bool running;
    bool woken;
    uint64_t deadline_ns;
    uint64_t busy_until_ns;
    uint64_t cpu_ns;
    struct sim_completion *first, **last;
    unsigned char **
        /* [buffers_max + 1]; index 0 is never used, so a zeroed op holds none; NULL: free */
        buffers;
    uint32_t buffers_max, buffers_held;
    struct io_stats stats;
};

static inline struct sim_loop *
sim_loop_of(struct io *io)
{
    return (struct sim_loop *)io;
}

void sim_loop_init(struct sim_loop *loop, struct sim *sim, const struct io_ops *ops,
                   unsigned index);
void sim_loop_fini(struct sim_loop *loop);
void sim_loop_start(struct sim_loop *loop, const struct io_loop *hooks);
/* When it wants its next turn; IO_NEVER: only on an event. Never before it is free again. */
uint64_t sim_loop_next_ns(const struct sim_loop *loop, uint64_t now_ns);
/* Runs the completions that wait, then one turn. */
void sim_loop_turn(struct sim_loop *loop);

void sim_loop_complete(struct sim_loop *loop, struct sim_request *request, int32_t result,
                       bool more);
void sim_loop_complete_work(struct sim_loop *loop, struct io_work *work);

/* A receive buffer of exactly `bytes` bytes, so that a sanitizer sees who reads on; 0 when all are
 * held. */
uint32_t sim_loop_hold_buffer(struct sim_loop *loop, size_t bytes);

/* These stand in the table of io_priv.h. */
void sim_loop_wake(struct io *io);
const unsigned char *sim_loop_received(struct io *io, const struct io_op *op);
void sim_loop_release(struct io *io, struct io_op *op);
uint32_t sim_loop_receive_room(struct io *io);
