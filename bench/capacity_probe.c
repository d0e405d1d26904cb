/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/capacity_probe.h"

#include "bench/figures.h"
#include "bench/outcome.h"
#include "bench/report.h"

#include <stdlib.h>
#include <string.h>

static double
cores_busy(const struct run *run, uint64_t before_ms, uint64_t after_ms)
{
    static const double ns_per_ms = 1e6;
    double span_ms = (double)run->measured_ns / ns_per_ms;
    return span_ms > 0 ? (double)figures_grown(before_ms, after_ms) / span_ms : 0;
}

static bool
rate_kept(const struct run *run)
{
    struct outcome rate;
    outcome_look(run, OUTCOME_RATE, &rate);
    return rate.kept;
}

static char *
latencies_of(const struct run *run)
{
    static char room[REPORT_BYTES];
    struct ln_text text;
    ln_text_init(&text, room, sizeof room);
    report_print_latencies_json(run, &text);
    ASSERT(!text.cut);
    char *kept = strdup(room);
    ASSERT(kept != NULL);
    return kept;
}

void
probe_take(struct probe *probe, const struct run *run, enum run_exit code)
{
    static const double p99 = 99;
    *probe = (struct probe){
        .rate_per_s = run->options->rate_per_s,
        .through_per_s = figures_per_second(run),
        .code = code,
        .rate_kept = rate_kept(run),
        .lag_p99_ns = histogram_percentile(&run->tally.delays[TALLY_LAG], p99),
        .skipped = figures_lacking(run),
        .generator_cores =
            cores_busy(run, run->before.generator_cpu_ms, run->after.generator_cpu_ms),
        .node_cores = cores_busy(run, run->before.node_cpu_ms, run->after.node_cpu_ms),
        .line_ns_before = run->line_ns_before,
        .line_ns_after = run->line_ns_after,
        .latencies = latencies_of(run),
    };
    for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
        probe->objectives[i] =
            objective_look(&run->options->objectives, (enum objective)i, &run->tally);
    }
}

void
probe_fini(struct probe *probe)
{
    free(probe->latencies);
    free(probe->section);
    *probe = (struct probe){0};
}

const char *
probe_outcome(const struct probe *probe)
{
    switch (probe->code) {
    case RUN_GOOD:
        return "kept";
    case RUN_BROKEN:
        return "BROKEN";
    case RUN_FAILED:
        return "could not run";
    case RUN_MISSED:
        break;
    }
    return probe->rate_kept ? "missed an objective" : "missed the rate";
}
