/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report.h"

#include "bench/figures.h"
#include "bench/outcome.h"
#include "bench/placement.h"
#include "bench/report_idle.h"

#include <time.h>

static const double ns_per_us = 1e3;

void
report_date(int64_t wall_ms, char out[REPORT_DATE_BYTES])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm when;
    out[0] = '\0';
    if (gmtime_r(&seconds, &when) != NULL) {
        (void)strftime(out, REPORT_DATE_BYTES, "%Y-%m-%dT%H:%M:%SZ", &when);
    }
}

static const char *
form_name(const struct run *run)
{
    return protocol_form_name(run->options->form);
}

/* ----------------------------------------------------------------------------------- for people */

static const char *
threads_text(const struct options *options)
{
    return options->threads == 1 ? "thread" : "threads";
}

static void
put_title_pairs(const struct options *options, struct ln_text *out)
{
    const struct day_habits *habits = &options->habits;
    ln_text_print(out, "%u pairs, texts of %u bytes, ", options->pairs, options->bytes);
    if (options->rate_per_s > 0) {
        ln_text_print(out, "%.0f a second due", options->rate_per_s);
    } else {
        ln_text_print(out, "%u under way from each user", options->window);
    }
    ln_text_print(out, "%s, %u %s\n", options->read ? "" : ", not read", options->threads,
                  threads_text(options));
    if (options->storms > 0) {
        ln_text_print(out, "%u times all are cut at once, and call again %s\n", options->storms,
                      options->back_off ? "with back-off" : "at once");
    }
    if (scenario_in(options->scenario, SCENARIO_DAY_BITS)) {
        ln_text_print(out,
                      "a day of each user, %.0f times as fast: %.0f messages, %.0f %% of them to a "
                      "group of %u, %.0f changes, online %.0f %% of it in %.0f times, %.0f %% left "
                      "asleep, %.0f moves, a ping each %.0f s\n",
                      habits->factor, habits->messages, habits->posts * 100, options->members,
                      habits->changes, habits->online * 100, habits->returns, habits->asleep * 100,
                      habits->moves, habits->beat_s);
        if (options->kills_per_s > 0) {
            ln_text_print(out, "%.2f actors of the node are killed each second\n",
                          options->kills_per_s);
        }
    }
}

static void
put_title_away(const struct options *options, struct ln_text *out)
{
    ln_text_print(out, "%u users who stay away, texts of %u bytes, ", options->users,
                  options->bytes);
    if (options->rate_per_s > 0) {
        ln_text_print(out, "%.0f a second due from %u writers", options->rate_per_s,
                      share_actors(&options->whole));
    } else {
        ln_text_print(out, "%u under way from each of %u writers", options->window,
                      share_actors(&options->whole));
    }
    ln_text_print(out, " to %u readers each, %s, %u %s\n", options->readers,
                  options->random ? "at random" : "in turn", options->threads,
                  threads_text(options));
}

static void
put_title(const struct run *run, struct ln_text *out)
{
    const struct options *options = run->options;
    const char *form = options->scenario == SCENARIO_ECHO ? "frames" : form_name(run);
    ln_text_print(out, "%s on ws://%s%s (%s): ", scenario_name(options->scenario),
                  options->url.host, options->url.path, form);
    if (scenario_in(options->scenario, SCENARIO_PAIR_BITS)) {
        put_title_pairs(options, out);
    } else if (options->scenario == SCENARIO_OFFLINE) {
        ln_text_print(out,
                      "%u users away, %u messages for each %s, texts of %u bytes, %u writers, ",
                      options->users, options->depth, options->random ? "at random" : "in turn",
                      options->bytes, share_actors(&options->whole));
        if (options->returns_per_s > 0) {
            ln_text_print(out, "back at %.10g a second, ", options->returns_per_s);
        } else {
            ln_text_print(out, "back all at once, ");
        }
        ln_text_print(out, "%u %s\n", options->threads, threads_text(options));
    } else if (options->scenario == SCENARIO_AWAY) {
        put_title_away(options, out);
    } else if (options->scenario == SCENARIO_GROUP) {
        uint32_t groups = share_actors(&options->whole);
        ln_text_print(out,
                      "%u users in %u %s of %u%s, who write in turn, texts of %u bytes, %u under "
                      "way in each%s, %u %s\n",
                      options->users, groups, groups == 1 ? "group" : "groups", options->members,
                      options->users % options->members == 0 ? "" : " at most", options->bytes,
                      options->window, options->read ? "" : ", not read", options->threads,
                      threads_text(options));
    } else if (options->scenario == SCENARIO_IDLE) {
        ln_text_print(out, "%u users, %u %s\n", options->users, options->threads,
                      threads_text(options));
    } else {
        ln_text_print(out, "%u connections, frames of %u bytes, %u %s\n", options->users,
                      options->bytes, options->threads, threads_text(options));
    }
}

void
report_print_lacking(const struct run *run, struct ln_text *out)
{
    if (figures_lacking(run) > 0) {
        ln_text_print(out,
                      "%llu messages were due and skipped, since too many waited already: the "
                      "percentiles lack them, and are a lower bound\n",
                      (unsigned long long)figures_lacking(run));
    }
}

static void
put_delays(const struct run *run, struct ln_text *out)
{
    ln_text_print(out, "\n%-22s", "microseconds");
    for (unsigned i = 0; i < FIGURES_PERCENTILES; i++) {
        ln_text_print(out, "%10s", figures_percentiles[i].text);
    }
    ln_text_print(out, "%10s%10s\n", "max", "mean");
    for (unsigned i = 0; i < FIGURES_DELAYS; i++) {
        const struct histogram *histogram = figures_histogram(run, i);
        if (histogram == NULL) {
            continue;
        }
        ln_text_print(out, "%-22s", figures_delays[i].text);
        for (unsigned p = 0; p < FIGURES_PERCENTILES; p++) {
            uint64_t value_ns = histogram_percentile(histogram, figures_percentiles[p].percent);
            ln_text_print(out, "%10.1f", (double)value_ns / ns_per_us);
        }
        ln_text_print(out, "%10.1f%10.1f\n", (double)histogram->greatest / ns_per_us,
                      (double)histogram_mean(histogram) / ns_per_us);
    }
    report_print_lacking(run, out);
}

static void
put_cpu_of(const char *who, uint64_t before_ms, uint64_t after_ms, uint64_t count,
           struct ln_text *out)
{
    uint64_t used_ms = figures_grown(before_ms, after_ms);
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
    put_cpu_of("generator", before->generator_cpu_ms, after->generator_cpu_ms,
               figures_measured(run), out);
    if (after->node_cpu_ms > 0) {
        ln_text_print(out, ", ");
        put_cpu_of("node", before->node_cpu_ms, after->node_cpu_ms, figures_measured(run), out);
    }
    ln_text_print(out, "\n");
}

/* Of the whole machine: they mean something where nobody else has connections. */
static void
put_segments(const struct run *run, struct ln_text *out)
{
    double count = (double)figures_measured(run);
    if (count > 0) {
        ln_text_print(
            out, "TCP segments on this machine: %.2f each, %.2f of them with data\n",
            (double)figures_grown(run->before.segments, run->after.segments) / count,
            (double)figures_grown(run->before.segments_with_data, run->after.segments_with_data) /
                count);
    }
}

static void
put_counters(const struct run *run, struct ln_text *out)
{
    for (unsigned i = 0; i < FIGURES_COUNTERS; i++) {
        uint64_t count = tally_count(&run->tally, figures_counters[i].counter);
        if (figures_counts(run, i) && count > 0) {
            ln_text_print(out, "%s %llu  ", figures_counters[i].name, (unsigned long long)count);
        }
    }
    ln_text_print(out, "\n");
}

const char *
report_kept_text(const struct run *run)
{
    return run->options->scenario == SCENARIO_AWAY
               ? "all promises that answers tell of were kept; nobody has read what was stored"
               : "all promises were kept";
}

static void
put_verdict(const struct run *run, struct ln_text *out)
{
    const struct audit_verdict *verdict = &run->tally.verdict;
    if (audit_verdict_count(verdict) == 0) {
        ln_text_print(out, "%s\n", report_kept_text(run));
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
put_outcomes(const struct run *run, struct ln_text *out)
{
    for (unsigned i = 0; i < OUTCOMES; i++) {
        struct outcome outcome;
        outcome_look(run, i, &outcome);
        if (outcome.stated) {
            ln_text_print(out, "objective %s: %s\n", outcome.kept ? "kept" : "MISSED",
                          outcome.text);
        }
    }
}

static void
put_inboxes(const struct run *run, struct ln_text *out)
{
    struct figures_inboxes found = figures_inboxes(run);
    ln_text_print(out,
                  "filled: %llu messages in %.2f s, %.0f stores a second\n"
                  "emptied: %llu entries in %.2f s, %.0f a second, logins and acknowledgements "
                  "with them\n",
                  (unsigned long long)tally_count(&run->tally, TALLY_ANSWERED), found.filled_s,
                  found.stores_per_s, (unsigned long long)tally_count(&run->tally, TALLY_SHOWN),
                  found.emptied_s, found.drains_per_s);
}

static void
put_cpu_inboxes(const struct run *run, struct ln_text *out)
{
    uint64_t count = tally_count(&run->tally, TALLY_SHOWN);
    const struct run_usage *usages[] = {&run->before, &run->after, &run->later};
    static const char *const parts[] = {"filling", "emptying"};
    for (unsigned i = 0; i < 2; i++) {
        ln_text_print(out, "%scpu while %s: ", i == 0 ? "\n" : "", parts[i]);
        put_cpu_of("generator", usages[i]->generator_cpu_ms, usages[i + 1]->generator_cpu_ms, count,
                   out);
        if (usages[i + 1]->node_cpu_ms > 0) {
            ln_text_print(out, ", ");
            put_cpu_of("node", usages[i]->node_cpu_ms, usages[i + 1]->node_cpu_ms, count, out);
        }
        ln_text_print(out, "\n");
    }
}

static void
put_storms(const struct run *run, struct ln_text *out)
{
    const struct histogram *back = &run->tally.delays[TALLY_BACK];
    ln_text_print(out,
                  "%llu times a connection was cut and was back; the last one %.3f s after its "
                  "storm: %.0f logins a second\n",
                  (unsigned long long)back->count, (double)back->greatest / 1e9,
                  figures_logins_per_s(run));
}

static void
put_drift(const struct run *run, struct ln_text *out)
{
    static const char *const units[DRIFTS] = {"MiB", "ms", "MiB"};
    static const double sizes[DRIFTS] = {1 << 20, 1e6, 1 << 20};
    for (unsigned i = 0; i < DRIFTS; i++) {
        struct drift drift = run_drift(run, (enum drift_kind)i);
        if (drift.verdict == DRIFT_UNKNOWN) {
            ln_text_print(out, "drift of %s: not known\n", drift_text((enum drift_kind)i));
            continue;
        }
        ln_text_print(out, "drift of %s: %+.3f %s an hour, give or take %.3f, at %.3f",
                      drift_text((enum drift_kind)i), drift.per_hour / sizes[i], units[i],
                      drift.error / sizes[i], drift.level / sizes[i]);
        if (drift.limit >= 0) {
            ln_text_print(out, "; at most %.3f wanted: %s", drift.limit / sizes[i],
                          drift_verdict_name(drift.verdict));
        }
        ln_text_print(out, "\n");
    }
}

static void
put_rate(const struct run *run, struct ln_text *out)
{
    const struct options *options = run->options;
    bool echo = options->scenario == SCENARIO_ECHO;
    if (options->scenario == SCENARIO_GROUP) {
        ln_text_print(out,
                      "%.0f deliveries a second, shown to a member and acknowledged; measured for "
                      "%u s after %u s\n",
                      figures_per_second(run), options->seconds, options->warmup_s);
        return;
    }
    if (options->scenario == SCENARIO_AWAY) {
        ln_text_print(out,
                      "%.0f stores a second, answered as sent; measured for %u s after %u s, %.1f "
                      "messages stored for each in all\n",
                      figures_per_second(run), options->seconds, options->warmup_s,
                      (double)tally_count(&run->tally, TALLY_ANSWERED) / options->users);
        return;
    }
    ln_text_print(out, "%.0f %s a second, %s; measured for %u s after %u s\n",
                  figures_per_second(run), echo ? "round trips" : "messages",
                  echo            ? "one at a time on each connection"
                  : options->read ? "sent, delivered, read and ticked"
                                  : "sent, delivered and ticked",
                  options->seconds, options->warmup_s);
}

void
report_print_line(uint32_t line_ns, struct ln_text *out)
{
    if (line_ns == 0) {
        ln_text_print(out, "not known");
    } else {
        ln_text_print(out, "%u ns (%s)", line_ns, line_ns < PLACEMENT_NEAR_NS ? "near" : "far");
    }
}

static void
put_placement(const struct run *run, struct ln_text *out)
{
    ln_text_print(out, "a cache line to the other core: ");
    report_print_line(run->line_ns_before, out);
    ln_text_print(out, " before the run, ");
    report_print_line(run->line_ns_after, out);
    ln_text_print(out, " after it\n");
}

void
report_print(const struct run *run, struct ln_text *out)
{
    const struct options *options = run->options;
    put_title(run, out);
    put_placement(run, out);
    if (options->scenario == SCENARIO_IDLE) {
        report_idle_print(run, out);
        put_counters(run, out);
        put_outcomes(run, out);
        if (options->chat_pairs > 0) {
            put_verdict(run, out);
        }
        return;
    }
    if (options->scenario == SCENARIO_OFFLINE) {
        put_inboxes(run, out);
    } else {
        put_rate(run, out);
    }
    if (options->storms > 0) {
        put_storms(run, out);
    }
    put_delays(run, out);
    if (options->scenario == SCENARIO_OFFLINE) {
        put_cpu_inboxes(run, out);
    } else {
        put_cpu(run, out);
        put_segments(run, out);
    }
    if (scenario_in(options->scenario, SCENARIO_JUDGED_BITS)) {
        put_counters(run, out);
        put_outcomes(run, out);
        if (figures_drifts(run)) {
            put_drift(run, out);
        }
        put_verdict(run, out);
    }
}
