/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/capacity_command.h"

#include "bench/capacity.h"
#include "bench/figures.h"
#include "bench/outcome.h"
#include "bench/report.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROBES_MAX = 64, ROOM_BYTES = 32 << 10, P99 = 99 };

struct probe {
    double rate_per_s, reached_per_s;
    struct objective_found found[OBJECTIVES_MESSAGES];
    uint64_t lag_p99_ns; /* the generator's own */
    uint64_t skipped;
    bool rate_kept;
    double generator_cores, node_cores; /* busy; the node's are 0 where they are not known */
    uint32_t line_ns_before, line_ns_after;
    enum run_exit code;
};

struct probes {
    struct probe list[PROBES_MAX];
    unsigned count;
    struct run_ground ground; /* of the last run */
};

static const double ns_per_ms = 1e6;
static const double ns_per_us = 1e3;

static double
cores_busy(const struct run *run, uint64_t before_ms, uint64_t after_ms)
{
    double span_ms = (double)run->measured_ns / ns_per_ms;
    return span_ms > 0 ? (double)figures_grown(before_ms, after_ms) / span_ms : 0;
}

static void
probe_take(struct probe *probe, const struct run *run, enum run_exit code)
{
    probe->rate_per_s = run->options->rate_per_s;
    probe->reached_per_s = figures_per_second(run);
    probe->code = code;
    probe->lag_p99_ns = histogram_percentile(&run->tally.delays[TALLY_LAG], P99);
    probe->skipped = figures_lacking(run);
    struct outcome rate;
    outcome_look(run, OUTCOME_RATE, &rate);
    probe->rate_kept = rate.kept;
    probe->generator_cores =
        cores_busy(run, run->before.generator_cpu_ms, run->after.generator_cpu_ms);
    probe->node_cores = cores_busy(run, run->before.node_cpu_ms, run->after.node_cpu_ms);
    probe->line_ns_before = run->line_ns_before;
    probe->line_ns_after = run->line_ns_after;
    for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
        probe->found[i] = objective_look(&run->options->objectives, (enum objective)i, &run->tally);
    }
}

static const char *
probe_outcome(const struct probe *probe)
{
    if (probe->code == RUN_GOOD || probe->code == RUN_BROKEN) {
        return probe->code == RUN_GOOD ? "kept" : "BROKEN";
    }
    return probe->rate_kept ? "missed an objective" : "missed the rate";
}

static void
result_print(const struct capacity *search, enum run_exit code, struct ln_text *out)
{
    if (code == RUN_GOOD || code == RUN_MISSED) {
        ln_text_print(out, "capacity: %.0f messages a second\n", search->kept);
    } else {
        ln_text_print(out, "the search was cut short: the capacity is not known\n");
    }
}

/* What the figure may be the generator's, or the machine's. */
static void
probe_print_ground(const struct probe *probe, struct ln_text *out)
{
    ln_text_print(out, "%11.1f ms%13.2f%14.2f   ", (double)probe->lag_p99_ns / ns_per_ms,
                  probe->generator_cores, probe->node_cores);
    report_print_line(probe->line_ns_before, out);
    ln_text_print(out, ", ");
    report_print_line(probe->line_ns_after, out);
    ln_text_print(out, "  %s", probe_outcome(probe));
    if (probe->skipped > 0) {
        ln_text_print(out, ", %llu skipped: the percentiles are a lower bound",
                      (unsigned long long)probe->skipped);
    }
    ln_text_print(out, "\n");
}

static void
probes_print(const struct options *options, const struct probes *probes, struct ln_text *out)
{
    ln_text_print(out, "%12s%12s", "due/s", "through/s");
    for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
        ln_text_print(out, "%26s", objective_text((enum objective)i));
    }
    ln_text_print(out, "%14s%13s%14s   a line to the other core, before and after\n", "own lag p99",
                  "generator's", "node's cores");
    for (unsigned p = 0; p < probes->count; p++) {
        const struct probe *probe = &probes->list[p];
        ln_text_print(out, "%12.0f%12.0f", probe->rate_per_s, probe->reached_per_s);
        for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
            ln_text_print(out, "%23.1f ms", (double)probe->found[i].found_ns / ns_per_ms);
        }
        probe_print_ground(probe, out);
    }
    for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
        if (options->objectives.wanted_ns[i] != 0) {
            ln_text_print(out, "objective: %s at most %.3f ms\n", objective_text((enum objective)i),
                          (double)options->objectives.wanted_ns[i] / ns_per_ms);
        }
    }
}

static void
objectives_print_json(const struct options *options, struct ln_text *out)
{
    const char *before = "";
    ln_text_print(out, "\"objectives\":{");
    for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
        if (options->objectives.wanted_ns[i] != 0) {
            ln_text_print(out, "%s\"%s_us\":%.3f", before, objective_name((enum objective)i),
                          (double)options->objectives.wanted_ns[i] / ns_per_us);
            before = ",";
        }
    }
    ln_text_print(out, "},");
}

/* The rate in it is the one that the search began with; "capacity" the highest that was kept, also
 * when the search was cut short: the exit code tells. */
static void
probes_print_json(const struct options *options, const struct probes *probes,
                  const struct capacity *search, enum run_exit code, struct ln_text *out)
{
    ln_text_print(out, "{");
    report_print_settings_json("capacity", options, &probes->ground, out);
    objectives_print_json(options, out);
    ln_text_print(out, "\"exit_code\":%d,\"capacity\":%.3f,\"probes\":[", (int)code, search->kept);
    for (unsigned p = 0; p < probes->count; p++) {
        const struct probe *probe = &probes->list[p];
        ln_text_print(out, "%s{\"rate\":%.3f,\"per_second\":%.3f,", p > 0 ? "," : "",
                      probe->rate_per_s, probe->reached_per_s);
        for (unsigned i = 0; i < OBJECTIVES_MESSAGES; i++) {
            ln_text_print(out, "\"%s_us\":%.3f,", objective_name((enum objective)i),
                          (double)probe->found[i].found_ns / ns_per_us);
        }
        ln_text_print(out,
                      "\"lag_p99_us\":%.3f,\"generator_cores\":%.3f,\"node_cores\":%.3f,"
                      "\"skipped\":%llu,\"rate_kept\":%s,",
                      (double)probe->lag_p99_ns / ns_per_us, probe->generator_cores,
                      probe->node_cores, (unsigned long long)probe->skipped,
                      probe->rate_kept ? "true" : "false");
        report_print_line_json("line_ns_before", probe->line_ns_before, out);
        ln_text_print(out, ",");
        report_print_line_json("line_ns_after", probe->line_ns_after, out);
        ln_text_print(out, ",\"kept\":%s}", probe->code == RUN_GOOD ? "true" : "false");
    }
    ln_text_print(out, "]}\n");
}

/* A run after the other; its exit code when that ends the search. */
static enum run_exit
search_run(const struct options *options, capacity_play play, struct capacity *search,
           struct probes *probes)
{
    struct options probe_options = *options;
    double rate_per_s = 0;
    capacity_init(search, options->rate_per_s);
    while (probes->count < PROBES_MAX && capacity_next(search, &rate_per_s)) {
        struct run *run = calloc(1, sizeof *run);
        ASSERT(run != NULL);
        probe_options.rate_per_s = rate_per_s;
        (void)fprintf(stderr, "at %.0f messages a second:\n", rate_per_s);
        enum run_exit code = play(&probe_options, run);
        probes->ground = run->ground;
        if (code != RUN_FAILED) { /* which tells nothing of the rate */
            probe_take(&probes->list[probes->count++], run, code);
        }
        free(run);
        if (code == RUN_BROKEN || code == RUN_FAILED) {
            return code;
        }
        capacity_note(search, rate_per_s, code == RUN_GOOD);
    }
    return search->kept > 0 ? RUN_GOOD : RUN_MISSED;
}

enum run_exit
capacity_run(const struct options *options, capacity_play play)
{
    static struct probes probes;
    static char room[ROOM_BYTES];
    struct capacity search;
    struct ln_text text;
    enum run_exit code = search_run(options, play, &search, &probes);
    ln_text_init(&text, room, sizeof room);
    if (options->json) {
        probes_print_json(options, &probes, &search, code, &text);
    } else {
        probes_print(options, &probes, &text);
        result_print(&search, code, &text);
    }
    (void)fputs(room, stdout);
    return code;
}
