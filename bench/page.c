/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/page.h"

#include "bench/chart.h"
#include "bench/figures.h"
#include "bench/html.h"
#include "bench/outcome.h"
#include "bench/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static const double ns_per_us = 1e3;
static const double ns_per_s = 1e9;

/* Colours: blue, orange, green and purple of Okabe and Ito's set, which the colour-blind tell
 * apart; lighter in the dark. */
static const char style[] =
    ":root{color-scheme:light dark;--paper:#fbfbf9;--card:#fff;--ink:#1c1e21;--soft:#5b6067;"
    "--rule:#dfe1e4;--grid:#e4e6e9;--span:#f1f4f8;--hit:#0000000d;"
    "--c0:#0072b2;--c1:#c44e00;--c2:#00805c;--c3:#8a4a87;--good:#00704f;--bad:#b3261e;"
    "--warn:#8a5a00}\n"
    "@media (prefers-color-scheme:dark){:root{--paper:#15171a;--card:#1d2024;--ink:#e8e9eb;"
    "--soft:#a3a9b1;--rule:#33383e;--grid:#2c3136;--span:#23282e;--hit:#ffffff12;"
    "--c0:#56b4e9;--c1:#f0a04b;--c2:#3ecf9d;--c3:#d69ad2;--good:#3ecf9d;--bad:#ff8a80;"
    "--warn:#f0c04b}}\n"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--paper);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}"
    "main{max-width:1180px;margin:0 auto;padding:2rem 1.25rem 3rem}"
    "h1{font-size:1.6rem;margin:0 .8rem 0 0;display:inline-block}"
    "h2{font-size:1.05rem;margin:2.2rem 0 .8rem}"
    ".sub{color:var(--soft);margin:.3rem 0 0}"
    ".badge{font-weight:600;border:1.5px solid;border-radius:99px;padding:.12rem .8rem;"
    "white-space:nowrap}"
    ".good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:.8rem;"
    "margin-top:1.4rem}"
    ".tile,figure{background:var(--card);border:1px solid var(--rule);border-radius:10px;"
    "padding:.8rem 1rem}"
    ".tile b{display:block;font-size:1.35rem;line-height:1.3;font-variant-numeric:tabular-nums}"
    ".tile span{color:var(--soft);font-size:.82rem}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));"
    "gap:1rem}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;"
    "width:100%}"
    "th,td{text-align:right;padding:.3rem .7rem;border-bottom:1px solid var(--rule);"
    "white-space:nowrap}"
    "th:first-child,td:first-child{text-align:left}thead th{color:var(--soft);font-weight:500}"
    ".text td{text-align:left;white-space:normal;overflow-wrap:anywhere}"
    ".text td:first-child{color:var(--soft);white-space:nowrap;width:14rem}\n";

/* ------------------------------------------------------------------------------------- the head */

struct verdict {
    const char *tone, *mark, *text;
};

static struct verdict
verdict_of(const struct run *run)
{
    switch (run_exit_code(run)) {
    case RUN_GOOD:
        return (struct verdict){"good", "\xe2\x9c\x93",
                                objectives_stated(&run->options->objectives)
                                    ? "all promises and objectives were kept"
                                    : "all promises were kept"};
    case RUN_BROKEN:
        return (struct verdict){"bad", "\xe2\x9c\x97", "a promise was broken"};
    case RUN_MISSED:
        return (struct verdict){"warn", "!", "promises were kept, what was wanted was missed"};
    case RUN_FAILED:
        break;
    }
    return (struct verdict){"bad", "\xe2\x9c\x97", "it could not run"};
}

static void
put_head(const struct run *run, struct ln_text *out)
{
    char date[REPORT_DATE_BYTES];
    struct verdict verdict = verdict_of(run);
    const char *scenario = scenario_name(run->options->scenario);
    ln_text_print(out,
                  "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"/>"
                  "<title>linnet-bench %s</title><style>%s",
                  scenario, style);
    chart_style(out);
    ln_text_print(out, "</style></head><body><main>\n<header><h1>linnet-bench %s</h1>", scenario);
    ln_text_print(out, "<span class=\"badge %s\">%s %s</span><p class=\"sub\">version %s on ws://",
                  verdict.tone, verdict.mark, verdict.text, LINNET_VERSION);
    html_text(out, run->options->url.host);
    html_text(out, run->options->url.path);
    ln_text_print(out, ", ");
    report_date(run->ground.wall_ms, date);
    ln_text_print(out, "%s</p>", date);
    if (run->failed) {
        ln_text_print(out, "<p class=\"bad\">");
        html_text(out, run->why);
        ln_text_print(out, "</p>");
    }
    ln_text_print(out, "</header>\n");
}

/* ---------------------------------------------------------------------------------------- tiles */

static void
put_tile(const char *value, const char *what, struct ln_text *out)
{
    ln_text_print(out, "<div class=\"tile\"><b>");
    html_text(out, value);
    ln_text_print(out, "</b><span>");
    html_text(out, what);
    ln_text_print(out, "</span></div>");
}

static void
put_tile_number(enum scale_unit unit, double value, const char *what, struct ln_text *out)
{
    char text[SCALE_TEXT_BYTES];
    scale_text(unit, value, text);
    put_tile(text, what, out);
}

static void
put_tile_p99(const struct run *run, unsigned row, struct ln_text *out)
{
    static const double p99 = 99;
    char what[64] = "p99 ";
    struct ln_text text;
    const struct histogram *histogram = figures_histogram(run, row);
    if (histogram != NULL) {
        ln_text_init(&text, what, sizeof what);
        ln_text_print(&text, "p99 %s", figures_delays[row].text);
        put_tile_number(SCALE_MICROSECONDS,
                        (double)histogram_percentile(histogram, p99) / ns_per_us, what, out);
    }
}

/* What a scenario is about. */
static void
put_tiles_rate(const struct run *run, struct ln_text *out)
{
    struct figures_inboxes inboxes = figures_inboxes(run);
    switch (run->options->scenario) {
    case SCENARIO_IDLE:
        put_tile_number(SCALE_COUNT, (double)tally_count(&run->tally, TALLY_CONNECTED), "logins",
                        out);
        break;
    case SCENARIO_ECHO:
        put_tile_number(SCALE_COUNT, figures_per_second(run), "round trips a second", out);
        break;
    case SCENARIO_OFFLINE:
        put_tile_number(SCALE_COUNT, inboxes.stores_per_s, "stores a second", out);
        put_tile_number(SCALE_COUNT, inboxes.drains_per_s, "entries drained a second", out);
        put_tile_number(SCALE_SECONDS, inboxes.emptied_s, "until all were empty", out);
        break;
    case SCENARIO_STORM:
        put_tile_number(SCALE_COUNT, figures_logins_per_s(run), "logins a second", out);
        put_tile_number(SCALE_COUNT, figures_per_second(run), "messages a second, end to end", out);
        break;
    case SCENARIO_GROUP:
        put_tile_number(SCALE_COUNT, figures_per_second(run), "deliveries a second", out);
        break;
    case SCENARIO_CHAT:
    case SCENARIO_MIXED:
    case SCENARIO_SOAK:
    case SCENARIOS:
        put_tile_number(SCALE_COUNT, figures_per_second(run), "messages a second, end to end", out);
    }
}

static void
put_tiles(const struct run *run, struct ln_text *out)
{
    const struct run_usage *before = &run->before;
    const struct run_usage *after =
        run->options->scenario == SCENARIO_IDLE ? &run->idle.later : &run->after;
    double span_s = (double)run->measured_ns / ns_per_s;
    ln_text_print(out, "<section class=\"tiles\">");
    put_tiles_rate(run, out);
    for (unsigned row = 0; row < FIGURES_DELAYS; row++) {
        put_tile_p99(run, row, out);
    }
    if (run->options->scenario != SCENARIO_IDLE && after->node_cpu_ms > 0 && span_s > 0) {
        double used_s = (double)figures_grown(before->node_cpu_ms, after->node_cpu_ms) / 1000;
        put_tile_number(SCALE_COUNT, used_s / span_s, "cores busy with the node", out);
    }
    if (after->node_resident_bytes > 0) {
        put_tile_number(SCALE_BYTES, (double)after->node_resident_bytes, "node's resident memory",
                        out);
    }
    ln_text_print(out, "</section>\n");
}

/* --------------------------------------------------------------------------------------- charts */

static const struct chart charts[] = {
    {.title = "Messages each second",
     .unit = SCALE_COUNT,
     .lines = {{SERIES_WRITTEN, "written"},
               {SERIES_SENT, "sent"},
               {SERIES_DELIVERED, "delivered"},
               {SERIES_TICKED, "ticked"}}},
    {.title = "Round trips each second", .unit = SCALE_COUNT, .lines = {{SERIES_TRIPS, "trips"}}},
    {.title = "Time to sent and to delivery",
     .unit = SCALE_MICROSECONDS,
     .logarithmic = true,
     .peaks = true,
     .lines = {{SERIES_SENT_P50, "sent p50"},
               {SERIES_SENT_P99, "sent p99"},
               {SERIES_DELIVERY_P50, "delivery p50"},
               {SERIES_DELIVERY_P99, "delivery p99"}}},
    {.title = "Time to the delivered tick, and the generator's own lag",
     .unit = SCALE_MICROSECONDS,
     .logarithmic = true,
     .peaks = true,
     .lines = {{SERIES_TICK_P50, "tick p50"},
               {SERIES_TICK_P99, "tick p99"},
               {SERIES_LAG_P99, "lag p99"}}},
    {.title = "Round trip",
     .unit = SCALE_MICROSECONDS,
     .logarithmic = true,
     .peaks = true,
     .lines = {{SERIES_TRIP_P50, "p50"}, {SERIES_TRIP_P99, "p99"}}},
    {.title = "Connections", .unit = SCALE_COUNT, .lines = {{SERIES_ONLINE, "logged in"}}},
    {.title = "Logins and cuts each second",
     .unit = SCALE_COUNT,
     .lines = {{SERIES_LOGINS, "logins"}, {SERIES_CUT, "cut without our wish"}}},
    {.title = "Time to log in",
     .unit = SCALE_MICROSECONDS,
     .logarithmic = true,
     .peaks = true,
     .lines = {{SERIES_LOGIN_P50, "p50"}, {SERIES_LOGIN_P99, "p99"}}},
    {.title = "Cores busy",
     .unit = SCALE_COUNT,
     .lines = {{SERIES_NODE_CPU, "node"}, {SERIES_GENERATOR_CPU, "generator"}}},
    {.title = "The node's resident memory",
     .unit = SCALE_BYTES,
     .lines = {{SERIES_NODE_RESIDENT, "resident"}, {SERIES_NODE_OWN, "without files"}}},
    {.title = "The data directory", .unit = SCALE_BYTES, .lines = {{SERIES_DISK, "bytes on disk"}}},
};

/* A chart whose lines are zero from end to end tells nothing. */
static bool
chart_moves(const struct chart *chart, const struct series *series)
{
    for (unsigned line = 0; line < CHART_LINES_MAX && chart->lines[line].name != NULL; line++) {
        for (uint32_t i = 0; i < series->count; i++) {
            double value = series->list[i].values[chart->lines[line].value];
            if (!isnan(value) && value != 0) {
                return true;
            }
        }
    }
    return false;
}

static void
put_charts(const struct run *run, struct ln_text *out)
{
    ln_text_print(out, "<h2>Second by second</h2><section class=\"charts\">\n");
    for (unsigned i = 0; i < sizeof charts / sizeof charts[0]; i++) {
        struct chart chart = charts[i];
        if (scenario_in(run->options->scenario, SCENARIO_PAIR_BITS | SCENARIO_ECHO_BIT)) {
            chart.from_s = run->options->warmup_s;
            chart.until_s = chart.from_s + (double)run->measured_ns / ns_per_s;
        }
        if (chart_moves(&chart, &run->series)) {
            (void)chart_lines(&chart, &run->series, out);
        }
    }
    ln_text_print(out, "</section>\n<h2>How the latencies are spread</h2>"
                       "<section class=\"charts\">\n");
    for (unsigned row = 0; row < FIGURES_DELAYS; row++) {
        const struct histogram *histogram = figures_histogram(run, row);
        if (histogram != NULL) {
            (void)chart_spread(figures_delays[row].text, histogram, out);
        }
    }
    ln_text_print(out, "</section>\n");
}

/* --------------------------------------------------------------------------------------- tables */

static void
put_delays(const struct run *run, struct ln_text *out)
{
    ln_text_print(out,
                  "<h2>Latencies in microseconds, of the measured span</h2><div class=\"wide\">"
                  "<table><thead><tr><th></th><th>count</th>");
    for (unsigned p = 0; p < FIGURES_PERCENTILES; p++) {
        ln_text_print(out, "<th>%s</th>", figures_percentiles[p].text);
    }
    ln_text_print(out, "<th>max</th><th>mean</th></tr></thead><tbody>\n");
    for (unsigned row = 0; row < FIGURES_DELAYS; row++) {
        const struct histogram *histogram = figures_histogram(run, row);
        if (histogram == NULL) {
            continue;
        }
        ln_text_print(out, "<tr><td>%s</td><td>%llu</td>", figures_delays[row].text,
                      (unsigned long long)histogram->count);
        for (unsigned p = 0; p < FIGURES_PERCENTILES; p++) {
            uint64_t value_ns = histogram_percentile(histogram, figures_percentiles[p].percent);
            ln_text_print(out, "<td>%.1f</td>", (double)value_ns / ns_per_us);
        }
        ln_text_print(out, "<td>%.1f</td><td>%.1f</td></tr>\n",
                      (double)histogram->greatest / ns_per_us,
                      (double)histogram_mean(histogram) / ns_per_us);
    }
    ln_text_print(out, "</tbody></table></div>\n");
    if (figures_lacking(run) > 0) {
        ln_text_print(out, "<p class=\"warn\">");
        report_print_lacking(run, out);
        ln_text_print(out, "</p>\n");
    }
}

static void
put_row(const char *name, const char *value, struct ln_text *out)
{
    ln_text_print(out, "<tr><td>");
    html_text(out, name);
    ln_text_print(out, "</td><td>");
    html_text(out, value);
    ln_text_print(out, "</td></tr>\n");
}

static void
put_row_number(const char *name, uint64_t value, struct ln_text *out)
{
    ln_text_print(out, "<tr><td>%s</td><td>%llu</td></tr>\n", name, (unsigned long long)value);
}

static void
table_open(const char *title, struct ln_text *out)
{
    ln_text_print(out, "<h2>%s</h2><div class=\"wide\"><table class=\"text\"><tbody>\n", title);
}

static void
table_close(struct ln_text *out)
{
    ln_text_print(out, "</tbody></table></div>\n");
}

static void
put_verdict(const struct run *run, struct ln_text *out)
{
    const struct audit_verdict *verdict = &run->tally.verdict;
    if (audit_verdict_count(verdict) == 0) {
        return;
    }
    table_open("Broken promises", out);
    for (unsigned i = 0; i < AUDIT_PROMISES; i++) {
        if (verdict->counts[i] > 0) {
            enum audit_promise promise = (enum audit_promise)i;
            ln_text_print(out, "<tr><td>%s, %llu times</td><td>%s</td></tr>\n",
                          audit_promise_name(promise), (unsigned long long)verdict->counts[i],
                          audit_promise_text(promise));
        }
    }
    put_row("the first", verdict->text, out);
    table_close(out);
}

static void
put_outcomes(const struct run *run, struct ln_text *out)
{
    table_open("What was wanted", out);
    for (unsigned i = 0; i < OUTCOMES; i++) {
        struct outcome outcome;
        outcome_look(run, i, &outcome);
        if (outcome.stated) {
            ln_text_print(out, "<tr><td class=\"%s\">%s</td><td>", outcome.kept ? "good" : "warn",
                          outcome.kept ? "kept" : "missed");
            html_text(out, outcome.text);
            ln_text_print(out, "</td></tr>\n");
        }
    }
    table_close(out);
}

static void
put_drift(const struct run *run, struct ln_text *out)
{
    static const enum scale_unit units[DRIFTS] = {SCALE_BYTES, SCALE_MICROSECONDS, SCALE_BYTES};
    table_open("Drift, by a line fitted to the measured span", out);
    for (unsigned i = 0; i < DRIFTS; i++) {
        char slope[SCALE_TEXT_BYTES];
        char error[SCALE_TEXT_BYTES];
        struct drift drift = run_drift(run, (enum drift_kind)i);
        double unit = i == DRIFT_LATENCY ? ns_per_us : 1;
        bool missed = drift.verdict == DRIFT_MISSED;
        scale_text(units[i], fabs(drift.per_hour) / unit, slope);
        scale_text(units[i], drift.error / unit, error);
        ln_text_print(
            out, "<tr><td>%s</td><td class=\"%s\">%s%s an hour, give or take %s: %s</td></tr>\n",
            drift_text((enum drift_kind)i), missed ? "warn" : "", drift.per_hour < 0 ? "-" : "+",
            slope, error, drift_verdict_name(drift.verdict));
    }
    table_close(out);
}

static void
put_counters(const struct run *run, struct ln_text *out)
{
    table_open("Counted, from beginning to end", out);
    for (unsigned row = 0; row < FIGURES_COUNTERS; row++) {
        if (figures_counts(run, row)) {
            put_row_number(figures_counters[row].name,
                           tally_count(&run->tally, figures_counters[row].counter), out);
        }
    }
    table_close(out);
}

/* What only some scenarios have. */
static void
put_settings_own(const struct options *options, struct ln_text *out)
{
    const struct day_habits *habits = &options->habits;
    if (options->scenario == SCENARIO_OFFLINE) {
        put_row_number("messages for each", options->depth, out);
        put_row("order", options->random ? "at random" : "in turn", out);
        ln_text_print(out, "<tr><td>returns</td><td>%.3f a second</td></tr>\n",
                      options->returns_per_s);
    } else if (options->scenario == SCENARIO_GROUP) {
        put_row_number("members of each group", options->members, out);
        put_row_number("messages of a group under way", options->window, out);
    } else if (options->scenario == SCENARIO_STORM) {
        put_row_number("storms", options->storms, out);
        put_row("back-off", options->back_off ? "yes" : "no", out);
    } else if (scenario_in(options->scenario, SCENARIO_DAY_BITS)) {
        ln_text_print(
            out,
            "<tr><td>a day of each</td><td>%.0f messages, %.0f %% of them to a group of %u, "
            "%.0f changes, online %.0f %% of it in %.0f "
            "times, %.0f %% of them left asleep, %.0f moves, a ping each %.0f s</td></tr>"
            "<tr><td>as fast as</td><td>%.1f times a day</td></tr>\n",
            habits->messages, habits->posts * 100, options->members, habits->changes,
            habits->online * 100, habits->returns, habits->asleep * 100, habits->moves,
            habits->beat_s, habits->factor);
    }
}

static void
put_settings(const struct run *run, struct ln_text *out)
{
    const struct options *options = run->options;
    table_open("Settings and machine", out);
    put_row("form", protocol_form_name(options->form), out);
    put_row_number(options->scenario == SCENARIO_ECHO ? "connections" : "users", options->users,
                   out);
    put_row_number("generator's processes", options->processes, out);
    put_row_number("threads of each", options->threads, out);
    put_row_number("addresses", options->addresses, out);
    put_row_number("seconds measured", options->seconds, out);
    if (scenario_in(options->scenario, SCENARIO_PAIR_BITS | SCENARIO_ECHO_BIT)) {
        put_row_number("seconds before that", options->warmup_s, out);
        put_row_number("bytes of a text", options->bytes, out);
    }
    if (scenario_in(options->scenario, SCENARIO_PAIR_BITS)) {
        ln_text_print(out, "<tr><td>rate</td><td>");
        if (options->rate_per_s > 0) {
            ln_text_print(out, "%.3f a second, open loop, seed %llu", options->rate_per_s,
                          (unsigned long long)options->seed);
        } else {
            ln_text_print(out, "closed loop, %u under way from each user", options->window);
        }
        ln_text_print(out, "</td></tr>\n");
    }
    put_settings_own(options, out);
    put_row("processor", run->ground.machine.cpu, out);
    put_row_number("cores", run->ground.machine.cores, out);
    put_row("kernel", run->ground.machine.kernel, out);
    put_row_number("bytes of memory", run->ground.machine.memory_bytes, out);
    put_row("disk of the node's data", run->ground.machine.disk, out);
    put_row("node's version", run->ground.node_version, out);
    put_row("node's settings", run->ground.node_settings, out);
    ln_text_print(out, "<tr><td>a cache line to the other core</td><td>");
    report_print_line(run->line_ns_before, out);
    ln_text_print(out, " before the run, ");
    report_print_line(run->line_ns_after, out);
    ln_text_print(out, " after it</td></tr>\n");
    table_close(out);
}

/* ------------------------------------------------------------------------------------- the page */

void
page_print(const struct run *run, struct ln_text *out)
{
    put_head(run, out);
    put_tiles(run, out);
    put_verdict(run, out);
    put_charts(run, out);
    put_delays(run, out);
    put_outcomes(run, out);
    if (figures_drifts(run)) {
        put_drift(run, out);
    }
    put_counters(run, out);
    put_settings(run, out);
    ln_text_print(out, "</main></body></html>\n");
}

int
page_open(struct io_driver *driver, const char *path, io_file *out_file)
{
    return io_file_open(driver, path, IO_OPEN_WRITE | IO_OPEN_CREATE, out_file);
}

int
page_write(const struct run *run, io_file file)
{
    char *room = malloc(PAGE_BYTES);
    struct ln_text text;
    ASSERT(room != NULL);
    ln_text_init(&text, room, PAGE_BYTES);
    page_print(run, &text);
    int error = text.cut ? -EFBIG : 0;
    if (error == 0) {
        error = io_file_write(run->driver, file, text.data, text.bytes, 0);
    }
    if (error == 0) {
        error = io_file_truncate(run->driver, file, text.bytes);
    }
    free(room);
    return error;
}
