/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/capacity_probe.h"

#include "bench/figures.h"
#include "bench/outcome.h"

static double
cores_busy(const struct run *run, uint64_t before_ms, uint64_t after_ms)
{
    static const double ns_per_ms = 1e6;
    double span_ms = (double)run->measured_ns / ns_per_ms;
    return span_ms > 0 ? (double)figures_grown(before_ms, after_ms) / span_ms : 0;
}

double
probe_generator_cores(const struct probe *probe)
{
    const struct run *run = &probe->run;
    return cores_busy(run, run->before.generator_cpu_ms, run->after.generator_cpu_ms);
}

double
probe_node_cores(const struct probe *probe)
{
    const struct run *run = &probe->run;
    return cores_busy(run, run->before.node_cpu_ms, run->after.node_cpu_ms);
}

uint64_t
probe_lag_p99_ns(const struct probe *probe)
{
    static const double p99 = 99;
    return histogram_percentile(&probe->run.tally.delays[TALLY_LAG], p99);
}

struct objective_found
probe_objective(const struct probe *probe, unsigned objective)
{
    return objective_look(&probe->options.objectives, (enum objective)objective, &probe->run.tally);
}

bool
probe_rate_kept(const struct probe *probe)
{
    struct outcome rate;
    outcome_look(&probe->run, OUTCOME_RATE, &rate);
    return rate.kept;
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
    return probe_rate_kept(probe) ? "missed an objective" : "missed the rate";
}
