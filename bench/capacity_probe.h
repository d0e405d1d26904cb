/* SPDX-License-Identifier: Apache-2.0 */
/* capacity_probe.h - the runs of a search: what is told of each in every form, as text, as JSON, on
 * a page. It is taken as soon as a run is over, so that a search holds figures and texts of all its
 * runs, but a run, which takes a megabyte, only once.
 */
#pragma once

#include "bench/capacity.h"
#include "bench/conductor.h"

enum { PROBES_MAX = 64 };

struct probe {
    double rate_per_s, through_per_s; /* due, and end to end */
    enum run_exit code;               /* RUN_FAILED tells nothing of the rate */
    bool rate_kept;                   /* what was due came through */
    struct objective_found objectives[OBJECTIVES_MESSAGES];
    uint64_t lag_p99_ns; /* the generator's own */
    uint64_t skipped;    /* the percentiles lack them (figures_lacking) */
    /* That were busy over the measured span; the node's are 0 where they are not known. */
    double generator_cores, node_cores;
    uint32_t line_ns_before, line_ns_after; /* placement.h */
    char *latencies;                        /* report_print_latencies_json */
    char *section; /* of the page (capacity_page.h); NULL: none is wanted */
    bool section_cut;
};
_Static_assert(sizeof(struct probe) <= 256, "a search has many of them");

struct probes {
    const struct options *options; /* the search's own */
    struct capacity search;
    struct probe list[PROBES_MAX];
    unsigned count;
    struct options asked;       /* of the last run, ... */
    struct run run;             /* ... and what came out; without one: zero */
    struct run_ground ground;   /* the last run's, or the search's where there was none */
    enum run_exit code;         /* of the search */
    char why[AUDIT_TEXT_BYTES]; /* it failed, and no run of it; empty otherwise */
};

/* Takes what the run tells, but for the page. */
void probe_take(struct probe *probe, const struct run *run, enum run_exit code);
void probe_fini(struct probe *probe);

/* "kept", "missed an objective", "missed the rate", "BROKEN", "could not run". */
const char *probe_outcome(const struct probe *probe);
