/* SPDX-License-Identifier: Apache-2.0 */
/* conductor.h - the run itself: leads the sections through it, from the users to what was found.
 *
 * The conductor is the generator's root actor, a process. Its run reads from top to bottom, and is
 * the same whether its one section plays beside it or fifty play in processes of their own.
 */
#pragma once

#include "bench/drift.h"
#include "bench/kernel.h"
#include "bench/killer.h"
#include "bench/machine.h"
#include "bench/node.h"
#include "bench/sections.h"
#include "bench/series.h"
#include "bench/split.h"

enum run_exit {
    RUN_GOOD = 0,
    RUN_BROKEN = 1, /* a promise */
    RUN_MISSED = 2, /* the rate was not reached, an objective missed, an idle connection cut */
    RUN_FAILED = 3, /* it could not run */
};

/* CPU milliseconds and resident bytes, and what the machine's TCP has sent; what could not be read
 * is 0. The generator's are of all its processes. */
struct run_usage {
    uint64_t generator_cpu_ms, generator_resident_bytes;
    uint64_t node_cpu_ms, node_resident_bytes, node_own_bytes;
    uint64_t segments, segments_with_data;
};

/* What idle connections cost: read before there is anything of them, before the first, when all are
 * there, and after the time in silence. */
struct idle_found {
    uint32_t connections;   /* without the pairs that write */
    struct run_usage found; /* before their users were made; with pairs, after these have written */
    /* Before anybody called, with the last login, after the last hello, and when the span of
     * silence begins and ends. */
    struct run_usage before, logged_in, greeted, connected, later;
    struct kernel kernel_before, kernel_later;
    struct split memory_found, memory_later; /* with --data */
    uint64_t beats;                          /* heartbeats in silence */
    struct histogram alone[TALLY_DELAYS];    /* of the pairs, before the others came ... */
    uint64_t alone_measured;                 /* ... how many letters came through, ... */
    uint64_t alone_due;                      /* ... and were due */
};

/* What a figure is compared by: when, on what, and with which node. */
struct run_ground {
    int64_t wall_ms; /* when it began, since 1970 */
    struct machine machine;
    char node_version[NODE_VERSION_BYTES];   /* with --data; empty: not known */
    char node_settings[NODE_SETTINGS_BYTES]; /* likewise, as JSON */
};

/* What is run, and what came out. The main thread's before and after, the conductor's meanwhile. */
struct run {
    const struct options *options;
    struct io_driver *driver;
    uint32_t number;      /* random */
    struct section *here; /* with one process: the section that plays in this one */

    bool failed;
    char why[AUDIT_TEXT_BYTES]; /* it failed; empty: it has been told already */
    int page_error;             /* of --report's page, written when all is over; 0: none */
    struct run_ground ground;
    uint32_t line_ns_before, line_ns_after; /* placement.h */
    uint32_t node_pid;
    uint64_t connect_ns; /* from the first call to the last login */
    uint64_t greet_ns;   /* idle: until each had said hello to its peer, and been told so */
    uint64_t measured_ns;
    struct killer killer;
    uint64_t violations;            /* that the node's audits had found, before the run */
    uint64_t behind;                /* open loop: due, and not through when the span ended */
    struct run_usage before, after; /* the measured span, when there is traffic; offline: filling */
    struct run_usage later;         /* offline: all is empty again */
    struct idle_found idle;
    struct tally tally;   /* all sections together */
    struct series series; /* second by second; its owner's to free */
    uint64_t disk_bytes;  /* of --data, as of the last sample */
};

struct conductor_start {
    struct run *run;
};
/* Its argument: a struct conductor_start. */
extern const struct ln_behaviour conductor_behaviour;

/* What the generator and the node have used so far. */
void run_usage_read(struct run *run, const struct sections *sections, struct run_usage *out);
