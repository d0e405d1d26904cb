/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/commit.h"
#include "bench/figures.h"
#include "bench/outcome.h"
#include "bench/report.h"
#include "bench/report_idle.h"

#include <math.h>

static const double ns_per_us = 1e3;

static void
json_number(struct ln_text *out, const char *name, uint64_t value)
{
    ln_text_print(out, "\"%s\":%llu,", name, (unsigned long long)value);
}

static void
json_fraction(struct ln_text *out, const char *name, double value)
{
    ln_text_print(out, "\"%s\":%.3f,", name, value);
}

static void
json_text(struct ln_text *out, const char *name, const char *value)
{
    ln_text_print(out, "\"%s\":\"", name);
    ln_text_json(out, value);
    ln_text_print(out, "\",");
}

/* Ends what may have left a comma. */
static void
json_end(struct ln_text *out, const char *end)
{
    if (out->bytes > 0 && out->data[out->bytes - 1] == ',') {
        out->data[--out->bytes] = '\0';
    }
    ln_text_print(out, "%s", end);
}

static void
json_true(struct ln_text *out, const char *name, bool value)
{
    ln_text_print(out, "\"%s\":%s,", name, value ? "true" : "false");
}

static void
json_habits(struct ln_text *out, const struct options *options)
{
    const struct day_habits *habits = &options->habits;
    json_number(out, "members", options->members);
    json_fraction(out, "kills_per_second", options->kills_per_s);
    json_fraction(out, "compress", habits->factor);
    json_fraction(out, "online", habits->online);
    json_fraction(out, "messages_per_day", habits->messages);
    json_fraction(out, "group_share", habits->posts);
    json_fraction(out, "changes_per_day", habits->changes);
    json_fraction(out, "returns_per_day", habits->returns);
    json_fraction(out, "moves_per_day", habits->moves);
    json_fraction(out, "asleep", habits->asleep);
    json_fraction(out, "heartbeat_seconds", habits->beat_s);
}

void
report_print_line_json(const char *name, uint32_t line_ns, struct ln_text *out)
{
    if (line_ns == 0) {
        ln_text_print(out, "\"%s\":null", name);
    } else {
        ln_text_print(out, "\"%s\":%u", name, line_ns);
    }
}

static void
json_ground(const struct run_ground *ground, struct ln_text *out)
{
    char date[REPORT_DATE_BYTES];
    report_date(ground->wall_ms, date);
    json_text(out, "date", date);
    json_text(out, "version", LINNET_VERSION);
    if (bench_commit[0] != '\0') {
        json_text(out, "commit", bench_commit);
    }
    ln_text_print(out, "\"machine\":");
    machine_print_json(&ground->machine, out);
    ln_text_print(out, ",");
    if (ground->node_version[0] != '\0') {
        ln_text_print(out, "\"node\":{");
        json_text(out, "version", ground->node_version);
        ln_text_print(out, "\"settings\":%s},",
                      ground->node_settings[0] != '\0' ? ground->node_settings : "null");
    }
}

void
report_print_settings_json(const char *scenario, const struct options *options,
                           const struct run_ground *ground, struct ln_text *out)
{
    json_text(out, "scenario", scenario);
    ln_text_print(out, "\"url\":\"ws://");
    ln_text_json(out, options->url.host);
    ln_text_json(out, options->url.path);
    ln_text_print(out, "\",");
    json_text(out, "form", protocol_form_name(options->form));
    json_number(out, options->scenario == SCENARIO_ECHO ? "connections" : "users", options->users);
    json_number(out, "threads", options->threads);
    json_number(out, "processes", options->processes);
    json_number(out, "addresses", options->addresses);
    json_number(out, "seconds", options->seconds);
    json_number(out, "warmup_seconds", options->warmup_s);
    json_number(out, "bytes", options->bytes);
    if (options->scenario == SCENARIO_IDLE) {
        json_number(out, "settle_seconds", options->settle_s);
    }
    if (scenario_in(options->scenario, SCENARIO_JUDGED_BITS)) {
        json_fraction(out, "rate", options->rate_per_s);
        json_number(out, "window", options->window);
        json_number(out, "seed", options->seed);
    }
    if (scenario_in(options->scenario, SCENARIO_JUDGED_BITS & ~SCENARIO_AWAY_BIT)) {
        json_true(out, "read", options->read);
    }
    if (scenario_in(options->scenario, SCENARIO_OFFLINE_BIT | SCENARIO_AWAY_BIT)) {
        json_number(out, "readers", options->readers);
        json_true(out, "random", options->random);
    }
    if (options->scenario == SCENARIO_OFFLINE) {
        json_number(out, "depth", options->depth);
        json_fraction(out, "returns", options->returns_per_s);
    }
    if (options->scenario == SCENARIO_GROUP) {
        json_number(out, "members", options->members);
    }
    if (options->scenario == SCENARIO_STORM) {
        json_number(out, "storms", options->storms);
        json_true(out, "back_off", options->back_off);
    }
    if (scenario_in(options->scenario, SCENARIO_DAY_BITS)) {
        json_habits(out, options);
    }
    json_ground(ground, out);
}

void
report_print_lacking_json(const struct run *run, struct ln_text *out)
{
    json_true(out, "latencies_lower_bound", figures_lacking(run) > 0);
}

void
report_print_latencies_json(const struct run *run, struct ln_text *out)
{
    ln_text_print(out, "\"latencies\":{");
    for (unsigned i = 0; i < FIGURES_DELAYS; i++) {
        const struct histogram *histogram = figures_histogram(run, i);
        if (histogram == NULL) {
            continue;
        }
        ln_text_print(out, "\"%s\":{", figures_delays[i].name);
        json_number(out, "count", histogram->count);
        for (unsigned p = 0; p < FIGURES_PERCENTILES; p++) {
            uint64_t value_ns = histogram_percentile(histogram, figures_percentiles[p].percent);
            json_fraction(out, figures_percentiles[p].name, (double)value_ns / ns_per_us);
        }
        json_fraction(out, "max_us", (double)histogram->greatest / ns_per_us);
        json_fraction(out, "mean_us", (double)histogram_mean(histogram) / ns_per_us);
        json_end(out, "},");
    }
    json_end(out, "},");
    report_print_lacking_json(run, out);
}

static void
json_usage(const struct run *run, struct ln_text *out)
{
    const struct run_usage *before = &run->before;
    const struct run_usage *after = &run->after;
    json_number(out, "generator_cpu_ms",
                figures_grown(before->generator_cpu_ms, after->generator_cpu_ms));
    json_number(out, "generator_resident_bytes", after->generator_resident_bytes);
    if (run->node_pid != 0) {
        json_number(out, "node_cpu_ms", figures_grown(before->node_cpu_ms, after->node_cpu_ms));
    }
    json_number(out, "segments", figures_grown(before->segments, after->segments));
    json_number(out, "segments_with_data",
                figures_grown(before->segments_with_data, after->segments_with_data));
}

/* The lines that a soak fitted: bytes, microseconds. */
static void
json_drift(const struct run *run, struct ln_text *out)
{
    ln_text_print(out, "\"drift\":{");
    for (unsigned i = 0; i < DRIFTS; i++) {
        struct drift drift = run_drift(run, (enum drift_kind)i);
        double unit = i == DRIFT_LATENCY ? ns_per_us : 1;
        ln_text_print(out, "\"%s\":{", drift_name((enum drift_kind)i));
        json_text(out, "verdict", drift_verdict_name(drift.verdict));
        json_fraction(out, "per_hour", drift.per_hour / unit);
        json_fraction(out, "error", drift.error / unit);
        json_fraction(out, "level", drift.level / unit);
        if (drift.limit >= 0) {
            json_fraction(out, "limit", drift.limit / unit);
        }
        json_end(out, "},");
    }
    json_end(out, "},");
}

static void
json_inboxes(const struct run *run, struct ln_text *out)
{
    struct figures_inboxes found = figures_inboxes(run);
    json_fraction(out, "filled_seconds", found.filled_s);
    json_fraction(out, "stores_per_second", found.stores_per_s);
    json_fraction(out, "emptied_seconds", found.emptied_s);
    json_fraction(out, "drains_per_second", found.drains_per_s);
    if (run->node_pid != 0) {
        json_number(out, "node_cpu_ms_emptying",
                    figures_grown(run->after.node_cpu_ms, run->later.node_cpu_ms));
    }
}

static void
json_verdict(const struct run *run, struct ln_text *out)
{
    const struct audit_verdict *verdict = &run->tally.verdict;
    ln_text_print(out, "\"broken\":{");
    for (unsigned i = 0; i < AUDIT_PROMISES; i++) {
        if (verdict->counts[i] > 0) {
            json_number(out, audit_promise_name((enum audit_promise)i), verdict->counts[i]);
        }
    }
    json_end(out, "},");
    if (audit_verdict_count(verdict) > 0) {
        json_text(out, "first_broken", audit_promise_name(verdict->first));
        json_text(out, "first_broken_text", verdict->text);
    }
}

/* A column each; what was never known is left out, what was not known then is null. */
static void
json_series(const struct run *run, struct ln_text *out)
{
    const struct series *series = &run->series;
    ln_text_print(out, "\"series\":{");
    for (unsigned value = 0; value < SERIES_VALUES; value++) {
        if (!series_knows(series, (enum series_value)value)) {
            continue;
        }
        ln_text_print(out, "\"%s\":[", series_name((enum series_value)value));
        for (uint32_t i = 0; i < series->count; i++) {
            double number = series->list[i].values[value];
            if (isnan(number)) {
                ln_text_print(out, "null,");
            } else {
                ln_text_print(out, "%.10g,", number);
            }
        }
        json_end(out, "],");
    }
    json_end(out, "},");
}

size_t
report_json_bytes(const struct run *run)
{
    enum { NUMBER_BYTES = 20 };
    return REPORT_BYTES + (size_t)run->series.count * SERIES_VALUES * NUMBER_BYTES;
}

void
report_print_json(const struct run *run, struct ln_text *out)
{
    ln_text_print(out, "{");
    report_print_settings_json(scenario_name(run->options->scenario), run->options, &run->ground,
                               out);
    ln_text_print(out, "\"placement\":{");
    report_print_line_json("line_ns_before", run->line_ns_before, out);
    ln_text_print(out, ",");
    report_print_line_json("line_ns_after", run->line_ns_after, out);
    ln_text_print(out, "},");
    json_number(out, "exit_code", (uint64_t)run_exit_code(run));
    if (run->failed) {
        json_text(out, "failed", run->why);
    }
    if (run->options->scenario == SCENARIO_OFFLINE) {
        json_inboxes(run, out);
        report_print_latencies_json(run, out);
    } else if (run->options->scenario != SCENARIO_IDLE) {
        json_number(out, "measured", figures_measured(run));
        json_fraction(out, "per_second", figures_per_second(run));
        report_print_latencies_json(run, out);
    }
    for (unsigned i = 0; i < FIGURES_COUNTERS; i++) {
        if (figures_counts(run, i)) {
            json_number(out, figures_counters[i].name,
                        tally_count(&run->tally, figures_counters[i].counter));
        }
    }
    if (run->options->scenario == SCENARIO_IDLE) {
        report_idle_print_json(run, out);
        json_verdict(run, out);
    } else {
        json_usage(run, out);
    }
    if (run->options->scenario == SCENARIO_STORM) {
        json_fraction(out, "logins_per_second", figures_logins_per_s(run));
    }
    if (figures_drifts(run)) {
        json_drift(run, out);
    }
    if (scenario_in(run->options->scenario, SCENARIO_JUDGED_BITS)) {
        json_verdict(run, out);
    }
    ln_text_print(out, "\"objectives\":");
    outcomes_print_json(run, out);
    ln_text_print(out, ",");
    json_series(run, out);
    json_end(out, "}\n");
}
