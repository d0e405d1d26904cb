/* SPDX-License-Identifier: Apache-2.0 */
/* conductor.h - the run itself: makes the users, spawns the actors, tells them when to begin and
 * when to stop, and gathers what they found.
 *
 * The conductor is the generator's root actor, a process. Its run reads from top to bottom.
 */
#pragma once

#include "bench/crowd.h"
#include "bench/machine.h"
#include "bench/pace.h"
#include "bench/split.h"

enum run_exit {
    RUN_GOOD = 0,
    RUN_BROKEN = 1, /* a promise */
    RUN_MISSED = 2, /* the rate was not reached, an objective missed, an idle connection cut */
    RUN_FAILED = 3, /* it could not run */
};

/* CPU milliseconds and resident bytes; what could not be read is 0. */
struct run_usage {
    uint64_t generator_cpu_ms, node_cpu_ms, node_resident_bytes;
};

/* What is run, and what came out. The main thread's before and after, the conductor's meanwhile. */
struct run {
    const struct options *options;
    struct io_driver *driver;
    uint32_t number; /* random */
    struct users users;
    struct crowd *crowds[OPTIONS_THREADS_MAX];
    struct pace *paces[OPTIONS_THREADS_MAX];
    uint32_t actors_count;

    bool failed;
    char why[AUDIT_TEXT_BYTES]; /* it failed; empty: it has been told already */
    struct machine machine;
    uint32_t node_pid;
    uint64_t measured_ns;
    uint64_t behind;                /* open loop: due, and not through when the span ended */
    struct run_usage before, after; /* the measured span; idle: the connections */
    struct run_usage later;         /* idle: after the time in silence */
    struct split memory_before, memory_later; /* idle, with --data */
    struct tally tally;                       /* all threads together */
};

struct conductor_start {
    struct run *run;
};
/* Its argument: a struct conductor_start. */
extern const struct ln_behaviour conductor_behaviour;

/* What the process exits with. */
enum run_exit run_exit_code(const struct run *run);
