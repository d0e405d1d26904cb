/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/page.h"

#include "bench/chart.h"
#include "bench/figures.h"
#include "bench/html.h"
#include "bench/outcome.h"
#include "bench/page_part.h"
#include "bench/report.h"

#include <math.h>

static const double ns_per_us = 1e3;
static const double ns_per_s = 1e9;

/* They measure between two instants. */
enum { SPAN_BITS = SCENARIO_PAIR_BITS | SCENARIO_ECHO_BIT | SCENARIO_AWAY_BIT };

/* ------------------------------------------------------------------------------------- the head */

static struct page_verdict
verdict_of(const struct run *run)
{
    switch (run_exit_code(run)) {
    case RUN_GOOD:
        return (struct page_verdict){"good", "\xe2\x9c\x93",
                                     objectives_stated(&run->options->objectives) &&
                                             run->options->scenario != SCENARIO_AWAY
                                         ? "all promises and objectives were kept"
                                         : report_kept_text(run)};
    case RUN_BROKEN:
        return (struct page_verdict){"bad", "\xe2\x9c\x97", "a promise was broken"};
    case RUN_MISSED:
        return (struct page_verdict){"warn", "!", "promises were kept, what was wanted was missed"};
    case RUN_FAILED:
        break;
    }
    return (struct page_verdict){"bad", "\xe2\x9c\x97", "it could not run"};
}

/* ---------------------------------------------------------------------------------------- tiles */

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
        page_tile_number(SCALE_MICROSECONDS,
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
        page_tile_number(SCALE_COUNT, (double)tally_count(&run->tally, TALLY_CONNECTED), "logins",
                         out);
        break;
    case SCENARIO_ECHO:
        page_tile_number(SCALE_COUNT, figures_per_second(run), "round trips a second", out);
        break;
    case SCENARIO_OFFLINE:
        page_tile_number(SCALE_COUNT, inboxes.stores_per_s, "stores a second", out);
        page_tile_number(SCALE_COUNT, inboxes.drains_per_s, "entries drained a second", out);
        page_tile_number(SCALE_SECONDS, inboxes.emptied_s, "until all were empty", out);
        break;
    case SCENARIO_AWAY:
        page_tile_number(SCALE_COUNT, figures_per_second(run), "stores a second", out);
        break;
    case SCENARIO_STORM:
        page_tile_number(SCALE_COUNT, figures_logins_per_s(run), "logins a second", out);
        page_tile_number(SCALE_COUNT, figures_per_second(run), "messages a second, end to end",
                         out);
        break;
    case SCENARIO_GROUP:
        page_tile_number(SCALE_COUNT, figures_per_second(run), "deliveries a second", out);
        break;
    case SCENARIO_CHAT:
    case SCENARIO_MIXED:
    case SCENARIO_SOAK:
    case SCENARIOS:
        page_tile_number(SCALE_COUNT, figures_per_second(run), "messages a second, end to end",
                         out);
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
        page_tile_number(SCALE_COUNT, used_s / span_s, "cores busy with the node", out);
    }
    if (after->node_resident_bytes > 0) {
        page_tile_number(SCALE_BYTES, (double)after->node_resident_bytes, "node's resident memory",
                         out);
    }
    ln_text_print(out, "</section>\n");
}

/* --------------------------------------------------------------------------------------- charts */

enum { CHART_MESSAGES = 0, CHART_SENT = 1 };
static const struct chart charts[] = {
    [CHART_MESSAGES] = {.title = "Messages each second",
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
put_charts(const struct run *run, const char *heading, struct ln_text *out)
{
    ln_text_print(out, "<%s>Second by second</%s><section class=\"charts\">\n", heading, heading);
    for (unsigned i = 0; i < sizeof charts / sizeof charts[0]; i++) {
        struct chart chart = charts[i];
        if (run->options->scenario == SCENARIO_AWAY && i == CHART_MESSAGES) {
            chart.title = "Stores each second";
            chart.lines[CHART_SENT + 1].name = NULL; /* nobody is shown them */
        }
        if (scenario_in(run->options->scenario, SPAN_BITS)) {
            chart.from_s = run->options->warmup_s;
            chart.until_s = chart.from_s + (double)run->measured_ns / ns_per_s;
        }
        if (chart_moves(&chart, &run->series)) {
            (void)chart_lines(&chart, &run->series, out);
        }
    }
    ln_text_print(out,
                  "</section>\n<%s>How the latencies are spread</%s><section class=\"charts\">\n",
                  heading, heading);
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
put_delays(const struct run *run, const char *heading, struct ln_text *out)
{
    ln_text_print(out,
                  "<%s>Latencies in microseconds, of the measured span</%s><div class=\"wide\">"
                  "<table><thead><tr><th></th><th>count</th>",
                  heading, heading);
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
put_verdict(const struct run *run, const char *heading, struct ln_text *out)
{
    const struct audit_verdict *verdict = &run->tally.verdict;
    if (audit_verdict_count(verdict) == 0) {
        return;
    }
    page_table_open(heading, "Broken promises", out);
    for (unsigned i = 0; i < AUDIT_PROMISES; i++) {
        if (verdict->counts[i] > 0) {
            enum audit_promise promise = (enum audit_promise)i;
            ln_text_print(out, "<tr><td>%s, %llu times</td><td>%s</td></tr>\n",
                          audit_promise_name(promise), (unsigned long long)verdict->counts[i],
                          audit_promise_text(promise));
        }
    }
    page_row("the first", verdict->text, out);
    page_table_close(out);
}

static void
put_outcomes(const struct run *run, const char *heading, struct ln_text *out)
{
    page_table_open(heading, "What was wanted", out);
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
    page_table_close(out);
}

static void
put_drift(const struct run *run, const char *heading, struct ln_text *out)
{
    static const enum scale_unit units[DRIFTS] = {SCALE_BYTES, SCALE_MICROSECONDS, SCALE_BYTES};
    page_table_open(heading, "Drift, by a line fitted to the measured span", out);
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
    page_table_close(out);
}

static void
put_counters(const struct run *run, const char *heading, struct ln_text *out)
{
    page_table_open(heading, "Counted, from beginning to end", out);
    for (unsigned row = 0; row < FIGURES_COUNTERS; row++) {
        if (figures_counts(run, row)) {
            page_row_number(figures_counters[row].name,
                            tally_count(&run->tally, figures_counters[row].counter), out);
        }
    }
    page_table_close(out);
}

/* What only some scenarios have. */
static void
put_settings_own(const struct options *options, struct ln_text *out)
{
    const struct day_habits *habits = &options->habits;
    if (scenario_in(options->scenario, SCENARIO_OFFLINE_BIT | SCENARIO_AWAY_BIT)) {
        page_row_number("readers of a writer", options->readers, out);
        page_row("order", options->random ? "at random" : "in turn", out);
    }
    if (options->scenario == SCENARIO_OFFLINE) {
        page_row_number("messages for each", options->depth, out);
        ln_text_print(out, "<tr><td>returns</td><td>%.3f a second</td></tr>\n",
                      options->returns_per_s);
    } else if (options->scenario == SCENARIO_GROUP) {
        page_row_number("members of each group", options->members, out);
        page_row_number("messages of a group under way", options->window, out);
    } else if (options->scenario == SCENARIO_STORM) {
        page_row_number("storms", options->storms, out);
        page_row("back-off", options->back_off ? "yes" : "no", out);
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

void
page_print_settings(const struct run *run, struct ln_text *out)
{
    const struct options *options = run->options;
    page_table_open("h2", "Settings and machine", out);
    page_row("form", protocol_form_name(options->form), out);
    page_row_number(options->scenario == SCENARIO_ECHO ? "connections" : "users", options->users,
                    out);
    page_row_number("generator's processes", options->processes, out);
    page_row_number("threads of each", options->threads, out);
    page_row_number("addresses", options->addresses, out);
    page_row_number("seconds measured", options->seconds, out);
    if (scenario_in(options->scenario, SPAN_BITS)) {
        page_row_number("seconds before that", options->warmup_s, out);
        page_row_number("bytes of a text", options->bytes, out);
    }
    if (scenario_in(options->scenario, SCENARIO_PAIR_BITS | SCENARIO_AWAY_BIT)) {
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
    page_row("processor", run->ground.machine.cpu, out);
    page_row_number("cores", run->ground.machine.cores, out);
    page_row("kernel", run->ground.machine.kernel, out);
    page_row_number("bytes of memory", run->ground.machine.memory_bytes, out);
    page_row("disk of the node's data", run->ground.machine.disk, out);
    page_row("node's version", run->ground.node_version, out);
    page_row("node's settings", run->ground.node_settings, out);
    ln_text_print(out, "<tr><td>a cache line to the other core</td><td>");
    report_print_line(run->line_ns_before, out);
    ln_text_print(out, " before the run, ");
    report_print_line(run->line_ns_after, out);
    ln_text_print(out, " after it</td></tr>\n");
    page_table_close(out);
}

/* ------------------------------------------------------------------------------------- the page */

void
page_print_run(const struct run *run, const char *heading, struct ln_text *out)
{
    put_tiles(run, out);
    put_verdict(run, heading, out);
    put_charts(run, heading, out);
    put_delays(run, heading, out);
    put_outcomes(run, heading, out);
    if (figures_drifts(run)) {
        put_drift(run, heading, out);
    }
    put_counters(run, heading, out);
}

void
page_print(const struct run *run, struct ln_text *out)
{
    const struct page_head head = {scenario_name(run->options->scenario), run->options,
                                   run->ground.wall_ms, verdict_of(run),
                                   run->failed ? run->why : ""};
    page_head(&head, out);
    page_print_run(run, "h2", out);
    page_print_settings(run, out);
    page_tail(out);
}
