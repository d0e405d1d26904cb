/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report.h"

#include "bench/report_idle.h"

static const double ns_per_s = 1e9;
static const double ns_per_us = 1e3;

static const struct {
    enum tally_delay delay;
    unsigned scenarios;
    const char *name; /* in JSON */
    const char *text;
} delays[] = {
    {TALLY_TO_ANSWER, 1 << SCENARIO_CHAT, "to_sent", "to sent"},
    {TALLY_TO_SHOWN, 1 << SCENARIO_CHAT, "to_delivery", "to delivery"},
    {TALLY_TO_TICK, 1 << SCENARIO_CHAT, "to_delivered_tick", "to delivered tick"},
    {TALLY_LAG, 1 << SCENARIO_CHAT, "lag", "generator's own lag"},
    {TALLY_TRIP, 1 << SCENARIO_ECHO, "round_trip", "round trip"},
};
enum { DELAYS_SHOWN = sizeof delays / sizeof delays[0] };

static const struct {
    const char *name, *text;
    double percent;
} percentiles[] = {
    {"p50_us", "p50", 50},
    {"p90_us", "p90", 90},
    {"p99_us", "p99", 99},
    {"p99_9_us", "p99.9", 99.9},
};
enum { PERCENTILES = sizeof percentiles / sizeof percentiles[0] };

static const struct {
    enum tally_counter counter;
    unsigned scenarios;
    const char *name;
} counters[] = {
    {TALLY_DUE, 1 << SCENARIO_CHAT, "due"},
    {TALLY_WRITTEN, 1 << SCENARIO_CHAT, "written"},
    {TALLY_ANSWERED, 1 << SCENARIO_CHAT, "sent"},
    {TALLY_SHOWN, 1 << SCENARIO_CHAT, "delivered"},
    {TALLY_DELIVERED, 1 << SCENARIO_CHAT, "ticked"},
    {TALLY_THROUGH, 1 << SCENARIO_CHAT, "through"},
    {TALLY_HIDDEN, 1 << SCENARIO_CHAT, "duplicates_hidden"},
    {TALLY_FOREIGN, 1 << SCENARIO_CHAT, "foreign"},
    {TALLY_PUT_OFF, 1 << SCENARIO_CHAT, "put_off"},
    {TALLY_SKIPPED, 1 << SCENARIO_CHAT, "skipped"},
    {TALLY_CONNECTED, 1 << SCENARIO_CHAT | 1 << SCENARIO_IDLE, "logins"},
    {TALLY_BEATS, 1 << SCENARIO_IDLE, "heartbeats_sent"},
    {TALLY_RETRIES, 1 << SCENARIO_CHAT | 1 << SCENARIO_IDLE, "logins_tried_again"},
    {TALLY_CUT, 1 << SCENARIO_CHAT | 1 << SCENARIO_IDLE, "connections_cut"},
};
enum { COUNTERS_SHOWN = sizeof counters / sizeof counters[0] };

static bool
shown_delay(const struct run *run, unsigned i)
{
    return (delays[i].scenarios & 1u << run->options->scenario) != 0 &&
           run->tally.delays[delays[i].delay].count > 0;
}

/* Messages, or round trips, of the measured span. */
static uint64_t
measured(const struct run *run)
{
    bool echo = run->options->scenario == SCENARIO_ECHO;
    return tally_count(&run->tally, echo ? TALLY_TRIPS : TALLY_MEASURED);
}

double
report_per_second(const struct run *run)
{
    return run->measured_ns == 0 ? 0 : (double)measured(run) * ns_per_s / (double)run->measured_ns;
}

static uint64_t
grown(uint64_t before, uint64_t after)
{
    return after > before ? after - before : 0;
}

static const char *
form_name(const struct run *run)
{
    return protocol_form_name(run->options->form);
}

/* ----------------------------------------------------------------------------------- for people */

static void
put_title(const struct run *run, struct ln_text *out)
{
    const struct options *options = run->options;
    const char *threads = options->threads == 1 ? "thread" : "threads";
    switch (options->scenario) {
    case SCENARIO_CHAT:
        ln_text_print(out, "chat on ws://%s%s (%s): %u pairs, texts of %u bytes, ",
                      options->url.host, options->url.path, form_name(run), options->pairs,
                      options->bytes);
        if (options->rate_per_s > 0) {
            ln_text_print(out, "%.0f a second due", options->rate_per_s);
        } else {
            ln_text_print(out, "%u under way from each user", options->window);
        }
        ln_text_print(out, "%s, %u %s\n", options->read ? "" : ", not read", options->threads,
                      threads);
        break;
    case SCENARIO_IDLE:
        ln_text_print(out, "idle on ws://%s%s (%s): %u users, %u %s\n", options->url.host,
                      options->url.path, form_name(run), options->users, options->threads, threads);
        break;
    case SCENARIO_ECHO:
        ln_text_print(out, "echo on ws://%s%s: %u connections, frames of %u bytes, %u %s\n",
                      options->url.host, options->url.path, options->users, options->bytes,
                      options->threads, threads);
        break;
    }
}

static void
put_delays(const struct run *run, struct ln_text *out)
{
    ln_text_print(out, "\n%-22s", "microseconds");
    for (unsigned i = 0; i < PERCENTILES; i++) {
        ln_text_print(out, "%10s", percentiles[i].text);
    }
    ln_text_print(out, "%10s%10s\n", "max", "mean");
    for (unsigned i = 0; i < DELAYS_SHOWN; i++) {
        const struct histogram *histogram = &run->tally.delays[delays[i].delay];
        if (!shown_delay(run, i)) {
            continue;
        }
        ln_text_print(out, "%-22s", delays[i].text);
        for (unsigned p = 0; p < PERCENTILES; p++) {
            uint64_t value_ns = histogram_percentile(histogram, percentiles[p].percent);
            ln_text_print(out, "%10.1f", (double)value_ns / ns_per_us);
        }
        ln_text_print(out, "%10.1f%10.1f\n", (double)histogram->greatest / ns_per_us,
                      (double)histogram_mean(histogram) / ns_per_us);
    }
}

static void
put_cpu_of(const char *who, uint64_t before_ms, uint64_t after_ms, uint64_t count,
           struct ln_text *out)
{
    uint64_t used_ms = grown(before_ms, after_ms);
    ln_text_print(out, "%s %.2f s", who, (double)used_ms / 1000);
    if (count > 0) {
        ln_text_print(out, " (%.2f us each)", (double)used_ms * 1000 / (double)count);
    }
}

static void
put_cpu(const struct run *run, struct ln_text *out)
{
    const struct run_usage *before = &run->before;
    const struct run_usage *after = &run->after;
    ln_text_print(out, "\ncpu: ");
    put_cpu_of("generator", before->generator_cpu_ms, after->generator_cpu_ms, measured(run), out);
    if (after->node_cpu_ms > 0) {
        ln_text_print(out, ", ");
        put_cpu_of("node", before->node_cpu_ms, after->node_cpu_ms, measured(run), out);
    }
    ln_text_print(out, "\n");
}

static void
put_counters(const struct run *run, struct ln_text *out)
{
    for (unsigned i = 0; i < COUNTERS_SHOWN; i++) {
        uint64_t count = tally_count(&run->tally, counters[i].counter);
        if ((counters[i].scenarios & 1u << run->options->scenario) != 0 && count > 0) {
            ln_text_print(out, "%s %llu  ", counters[i].name, (unsigned long long)count);
        }
    }
    ln_text_print(out, "\n");
}

static void
put_verdict(const struct run *run, struct ln_text *out)
{
    const struct audit_verdict *verdict = &run->tally.verdict;
    if (audit_verdict_count(verdict) == 0) {
        ln_text_print(out, "all promises were kept\n");
        return;
    }
    ln_text_print(out, "BROKEN:\n");
    for (unsigned i = 0; i < AUDIT_PROMISES; i++) {
        if (verdict->counts[i] > 0) {
            ln_text_print(
                out, "  %-15s %8llu times: %s\n", audit_promise_name((enum audit_promise)i),
                (unsigned long long)verdict->counts[i], audit_promise_text((enum audit_promise)i));
        }
    }
    ln_text_print(out, "  the first (%s): %s\n", audit_promise_name(verdict->first), verdict->text);
}

static void
put_objectives(const struct run *run, struct ln_text *out)
{
    static const double ns_per_ms = 1e6;
    for (unsigned i = 0; i < OBJECTIVES; i++) {
        struct objective_found found =
            objective_look(&run->options->objectives, (enum objective)i, &run->tally);
        if (found.stated) {
            ln_text_print(out, "objective %s: %s is %.3f ms, at most %.3f ms wanted\n",
                          found.kept ? "kept" : "MISSED", objective_text((enum objective)i),
                          (double)found.p99_ns / ns_per_ms, (double)found.wanted_ns / ns_per_ms);
        }
    }
}

void
report_print(const struct run *run, struct ln_text *out)
{
    const struct options *options = run->options;
    put_title(run, out);
    if (options->scenario == SCENARIO_IDLE) {
        report_idle_print(run, out);
        put_counters(run, out);
        if (options->chat_pairs > 0) {
            put_verdict(run, out);
        }
        return;
    }
    bool chat = options->scenario == SCENARIO_CHAT;
    ln_text_print(out, "%.0f %s a second, %s; measured for %u s after %u s\n",
                  report_per_second(run), chat ? "messages" : "round trips",
                  chat ? options->read ? "sent, delivered, read and ticked"
                                       : "sent, delivered and ticked"
                       : "one at a time on each connection",
                  options->seconds, options->warmup_s);
    put_delays(run, out);
    put_cpu(run, out);
    if (chat) {
        put_counters(run, out);
        put_objectives(run, out);
        put_verdict(run, out);
    }
}

/* ----------------------------------------------------------------------------------------- JSON */

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

void
report_print_settings_json(const char *scenario, const struct options *options,
                           const struct machine *machine, struct ln_text *out)
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
    if (options->scenario != SCENARIO_IDLE) {
        json_number(out, "warmup_seconds", options->warmup_s);
        json_number(out, "bytes", options->bytes);
    }
    if (options->scenario == SCENARIO_CHAT) {
        json_fraction(out, "rate", options->rate_per_s);
        json_number(out, "window", options->window);
        json_number(out, "seed", options->seed);
        ln_text_print(out, "\"read\":%s,", options->read ? "true" : "false");
    }
    json_text(out, "version", LINNET_VERSION);
    ln_text_print(out, "\"machine\":");
    machine_print_json(machine, out);
    ln_text_print(out, ",");
}

static void
json_delays(const struct run *run, struct ln_text *out)
{
    ln_text_print(out, "\"latencies\":{");
    for (unsigned i = 0; i < DELAYS_SHOWN; i++) {
        const struct histogram *histogram = &run->tally.delays[delays[i].delay];
        if (!shown_delay(run, i)) {
            continue;
        }
        ln_text_print(out, "\"%s\":{", delays[i].name);
        json_number(out, "count", histogram->count);
        for (unsigned p = 0; p < PERCENTILES; p++) {
            uint64_t value_ns = histogram_percentile(histogram, percentiles[p].percent);
            json_fraction(out, percentiles[p].name, (double)value_ns / ns_per_us);
        }
        json_fraction(out, "max_us", (double)histogram->greatest / ns_per_us);
        json_fraction(out, "mean_us", (double)histogram_mean(histogram) / ns_per_us);
        json_end(out, "},");
    }
    json_end(out, "},");
}

static void
json_usage(const struct run *run, struct ln_text *out)
{
    const struct run_usage *before = &run->before;
    const struct run_usage *after = &run->after;
    json_number(out, "generator_cpu_ms", grown(before->generator_cpu_ms, after->generator_cpu_ms));
    json_number(out, "generator_resident_bytes", after->generator_resident_bytes);
    if (run->node_pid != 0) {
        json_number(out, "node_cpu_ms", grown(before->node_cpu_ms, after->node_cpu_ms));
    }
}

static void
json_objectives(const struct run *run, struct ln_text *out)
{
    ln_text_print(out, "\"objectives\":{");
    for (unsigned i = 0; i < OBJECTIVES; i++) {
        struct objective_found found =
            objective_look(&run->options->objectives, (enum objective)i, &run->tally);
        if (found.stated) {
            ln_text_print(out, "\"%s\":{\"wanted_us\":%.3f,\"found_us\":%.3f,\"kept\":%s},",
                          objective_name((enum objective)i), (double)found.wanted_ns / ns_per_us,
                          (double)found.p99_ns / ns_per_us, found.kept ? "true" : "false");
        }
    }
    json_end(out, "},");
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

void
report_print_json(const struct run *run, struct ln_text *out)
{
    ln_text_print(out, "{");
    report_print_settings_json(options_scenario_name(run->options->scenario), run->options,
                               &run->machine, out);
    json_number(out, "exit_code", (uint64_t)run_exit_code(run));
    if (run->failed) {
        json_text(out, "failed", run->why);
    }
    if (run->options->scenario != SCENARIO_IDLE) {
        json_number(out, "measured", measured(run));
        json_fraction(out, "per_second", report_per_second(run));
        json_delays(run, out);
    }
    for (unsigned i = 0; i < COUNTERS_SHOWN; i++) {
        if ((counters[i].scenarios & 1u << run->options->scenario) != 0) {
            json_number(out, counters[i].name, tally_count(&run->tally, counters[i].counter));
        }
    }
    if (run->options->scenario == SCENARIO_IDLE) {
        report_idle_print_json(run, out);
        json_verdict(run, out);
    } else {
        json_usage(run, out);
    }
    if (run->options->scenario == SCENARIO_CHAT) {
        json_objectives(run, out);
        json_verdict(run, out);
    }
    json_end(out, "}\n");
}
