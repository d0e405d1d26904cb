/* SPDX-License-Identifier: Apache-2.0 */
/* capacity_probe.h - the runs of a search, each kept with what it was asked, and what is told of
 * them in every form: as text, as JSON, on a page. */
#pragma once

#include "bench/capacity.h"
#include "bench/conductor.h"

enum { PROBES_MAX = 64 };

/* About a megabyte. */
struct probe {
    struct options options; /* run's */
    struct run run;         /* its driver is closed */
    enum run_exit code;     /* RUN_FAILED tells nothing of the rate */
};

struct probes {
    const struct options *options; /* the search's own */
    struct capacity search;
    struct probe *list[PROBES_MAX];
    unsigned count;
    struct run_ground ground;   /* the last run's, or the search's where there was none */
    enum run_exit code;         /* of the search */
    char why[AUDIT_TEXT_BYTES]; /* it failed, and no run of it; empty otherwise */
};

/* "kept", "missed an objective", "missed the rate", "BROKEN", "could not run". */
const char *probe_outcome(const struct probe *probe);
/* Cores that were busy over the measured span; the node's are 0 where they are not known. */
double probe_generator_cores(const struct probe *probe);
double probe_node_cores(const struct probe *probe);
/* The generator's own lag, its 99th percentile. */
uint64_t probe_lag_p99_ns(const struct probe *probe);
struct objective_found probe_objective(const struct probe *probe, unsigned objective);
/* Did what was due come through? */
bool probe_rate_kept(const struct probe *probe);
