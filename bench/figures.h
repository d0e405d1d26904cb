/* SPDX-License-Identifier: Apache-2.0 */
/* figures.h - which figures a run tells, in which order, and what they are called: the same in the
 * text, in JSON and on the page. */
#pragma once

#include "bench/conductor.h"

/* A latency. */
struct figure_delay {
    enum tally_delay delay;
    unsigned scenarios; /* the bits of those that have it */
    const char *name;   /* in JSON */
    const char *text;   /* for people */
};
/* A counter. */
struct figure_counter {
    enum tally_counter counter;
    unsigned scenarios;
    const char *name;
};
struct figure_percentile {
    const char *name, *text;
    double percent;
};
enum { FIGURES_DELAYS = 13, FIGURES_COUNTERS = 20, FIGURES_PERCENTILES = 4 };
extern const struct figure_delay figures_delays[FIGURES_DELAYS];
extern const struct figure_counter figures_counters[FIGURES_COUNTERS];
extern const struct figure_percentile figures_percentiles[FIGURES_PERCENTILES];

/* The histogram of a row of figures_delays; NULL: this run has none. */
const struct histogram *figures_histogram(const struct run *run, unsigned row);
/* Does this run have that counter? */
bool figures_counts(const struct run *run, unsigned row);

/* Messages, or round trips, of the measured span, and each second. */
uint64_t figures_measured(const struct run *run);
double figures_per_second(const struct run *run);

/* Letters that were due and never written: the percentiles lack them, and are a lower bound. */
static inline uint64_t
figures_lacking(const struct run *run)
{
    return tally_count(&run->tally, TALLY_SKIPPED);
}

/* How much more there is; a process that is another than before has used less. */
static inline uint64_t
figures_grown(uint64_t before, uint64_t after)
{
    return after > before ? after - before : 0;
}

/* offline: how long filling and emptying the inboxes took, and entries each second; of emptying
 * with logins and acknowledgements. 0: it did not come to that. */
struct figures_inboxes {
    double filled_s, stores_per_s;
    double emptied_s, drains_per_s;
};
struct figures_inboxes figures_inboxes(const struct run *run);
/* storm: logins each second until the last one was back, in the worst of them; 0: none was cut. */
double figures_logins_per_s(const struct run *run);
/* Is there a line for it in `drift`? Only a soak has them. */
static inline bool
figures_drifts(const struct run *run)
{
    return run->options->scenario == SCENARIO_SOAK;
}
