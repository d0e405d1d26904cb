/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/outcome.h"

#include <stdio.h>

enum {
    REACHED_PERCENT = 99, /* of what was due in an open loop */
    BEHIND_MS_MAX = 100,  /* what may be under way when the span ends: so much of the rate, ... */
    BEHIND_MAX = 10,      /* ... and these */
    BEHIND_DAY_MS_MAX = 1000,
};

static const double ns_per_ms = 1e6;
static const double ns_per_us = 1e3;

/* ----------------------------------------------------------------------------------- objectives */

static struct objective_found
objective_of(const struct run *run, unsigned index)
{
    return objective_look(&run->options->objectives, (enum objective)index, &run->tally);
}

static void
objective_tell(const struct run *run, unsigned index, struct outcome *out)
{
    struct objective_found found = objective_of(run, index);
    const char *text = objective_text((enum objective)index);
    double wanted_ms = (double)found.wanted_ns / ns_per_ms;
    out->stated = found.stated;
    out->kept = found.kept;
    if (found.known) {
        (void)snprintf(out->text, sizeof out->text, "%s is %.3f ms, at most %.3f ms wanted", text,
                       (double)found.found_ns / ns_per_ms, wanted_ms);
    } else {
        (void)snprintf(out->text, sizeof out->text,
                       "%s is not known, since none was seen; at most %.3f ms wanted", text,
                       wanted_ms);
    }
}

/* ------------------------------------------------------------------------------------- the rate */

struct rate {
    uint64_t due, reached, behind, skipped;
    bool days;
};

/* On a day it is what was sent that counts, of all that was due: what a phone has not sent when it
 * falls asleep waits until it wakes. */
static struct rate
rate_of(const struct run *run)
{
    const struct tally *tally = &run->tally;
    struct rate rate = {.behind = run->behind,
                        .skipped = tally_count(tally, TALLY_SKIPPED),
                        .days = scenario_in(run->options->scenario, SCENARIO_DAY_BITS)};
    if (rate.days) {
        rate.due = tally_count(tally, TALLY_DUE);
        rate.reached = rate.due - run->behind;
    } else {
        rate.due = tally_count(tally, TALLY_DUE_INSIDE) - run->idle.alone_due;
        rate.reached = tally_count(tally, TALLY_MEASURED) - run->idle.alone_measured;
    }
    return rate;
}

static bool
rate_stated(const struct run *run)
{
    return run->options->rate_per_s > 0 && options_writers(run->options) > 0;
}

/* Less came through in the span than was due in it, and not for the little that is always under way
 * when a span begins and ends. */
static bool
rate_kept(const struct run *run, const struct rate *rate)
{
    double behind_ms = rate->days ? BEHIND_DAY_MS_MAX : BEHIND_MS_MAX;
    double allowed = run->options->rate_per_s * behind_ms / 1000 + BEHIND_MAX;
    bool short_of = rate->reached * 100 < rate->due * REACHED_PERCENT;
    return rate->skipped == 0 && (!short_of || (double)rate->behind <= allowed);
}

static void
rate_tell(const struct run *run, struct outcome *out)
{
    struct rate rate = rate_of(run);
    out->stated = rate_stated(run);
    out->kept = !out->stated || rate_kept(run, &rate);
    (void)snprintf(out->text, sizeof out->text,
                   "of %llu messages due %s %llu were %s, %llu behind at its end, %llu skipped; "
                   "%d %% wanted, and none skipped",
                   (unsigned long long)rate.due, rate.days ? "until the span's end" : "in the span",
                   (unsigned long long)rate.reached, rate.days ? "sent" : "through in it",
                   (unsigned long long)rate.behind, (unsigned long long)rate.skipped,
                   REACHED_PERCENT);
}

/* ------------------------------------------------------------------------------------- the rest */

static void
cut_tell(const struct run *run, struct outcome *out)
{
    uint64_t count = tally_count(&run->tally, TALLY_CUT);
    out->stated = run->options->scenario == SCENARIO_IDLE;
    out->kept = !out->stated || count == 0;
    (void)snprintf(out->text, sizeof out->text, "%llu connections were cut, none wanted",
                   (unsigned long long)count);
}

struct drift
run_drift(const struct run *run, enum drift_kind kind)
{
    double from_s = run->options->warmup_s;
    return drift_look(&run->series, kind, from_s, from_s + run->options->seconds,
                      &run->options->drift);
}

static bool
drift_stated(const struct run *run, enum drift_kind kind)
{
    return run->options->scenario == SCENARIO_SOAK && run->options->drift.per_hour[kind] >= 0;
}

static void
drift_tell(const struct run *run, enum drift_kind kind, struct outcome *out)
{
    static const char *const units[DRIFTS] = {"MiB", "ms", "MiB"};
    static const double sizes[DRIFTS] = {1 << 20, 1e6, 1 << 20};
    out->stated = drift_stated(run, kind);
    out->kept = true;
    if (out->stated) {
        struct drift drift = run_drift(run, kind);
        out->kept = drift.verdict != DRIFT_MISSED;
        (void)snprintf(out->text, sizeof out->text,
                       "%s drifts by %+.3f %s an hour, at most %.3f wanted: %s", drift_text(kind),
                       drift.per_hour / sizes[kind], units[kind], drift.limit / sizes[kind],
                       drift_verdict_name(drift.verdict));
    }
}

void
outcome_look(const struct run *run, unsigned index, struct outcome *out)
{
    ASSERT(index < OUTCOMES);
    *out = (struct outcome){0};
    if (index < OBJECTIVES) {
        objective_tell(run, index, out);
    } else if (index == OUTCOME_RATE) {
        rate_tell(run, out);
    } else if (index == OUTCOME_CUT) {
        cut_tell(run, out);
    } else {
        drift_tell(run, (enum drift_kind)(index - OUTCOME_DRIFT), out);
    }
}

/* ----------------------------------------------------------------------------------------- JSON */

static void
objective_print_json(const struct run *run, unsigned index, struct ln_text *out)
{
    struct objective_found found = objective_of(run, index);
    ln_text_print(out, "\"%s\":{\"wanted_us\":%.3f,\"found_us\":", objective_name(index),
                  (double)found.wanted_ns / ns_per_us);
    if (found.known) {
        ln_text_print(out, "%.3f", (double)found.found_ns / ns_per_us);
    } else {
        ln_text_print(out, "null");
    }
}

static void
rate_print_json(const struct run *run, struct ln_text *out)
{
    struct rate rate = rate_of(run);
    ln_text_print(out, "\"rate\":{\"due\":%llu,\"reached\":%llu,\"behind\":%llu,\"skipped\":%llu",
                  (unsigned long long)rate.due, (unsigned long long)rate.reached,
                  (unsigned long long)rate.behind, (unsigned long long)rate.skipped);
}

/* Bytes, microseconds. */
static void
drift_print_json(const struct run *run, enum drift_kind kind, struct ln_text *out)
{
    struct drift drift = run_drift(run, kind);
    double unit = kind == DRIFT_LATENCY ? ns_per_us : 1;
    ln_text_print(out, "\"drift_%s\":{\"wanted_per_hour\":%.3f,\"found_per_hour\":%.3f",
                  drift_name(kind), drift.limit / unit, drift.per_hour / unit);
}

void
outcomes_print_json(const struct run *run, struct ln_text *out)
{
    const char *before = "";
    ln_text_print(out, "{");
    for (unsigned i = 0; i < OUTCOMES; i++) {
        struct outcome outcome;
        outcome_look(run, i, &outcome);
        if (!outcome.stated) {
            continue;
        }
        ln_text_print(out, "%s", before);
        before = ",";
        if (i < OBJECTIVES) {
            objective_print_json(run, i, out);
        } else if (i == OUTCOME_RATE) {
            rate_print_json(run, out);
        } else if (i == OUTCOME_CUT) {
            ln_text_print(out, "\"connections_cut\":{\"wanted\":0,\"found\":%llu",
                          (unsigned long long)tally_count(&run->tally, TALLY_CUT));
        } else {
            drift_print_json(run, (enum drift_kind)(i - OUTCOME_DRIFT), out);
        }
        ln_text_print(out, ",\"kept\":%s}", outcome.kept ? "true" : "false");
    }
    ln_text_print(out, "}");
}

/* ------------------------------------------------------------------------------------ exit code */

enum run_exit
run_exit_code(const struct run *run)
{
    if (audit_verdict_count(&run->tally.verdict) > 0) {
        return RUN_BROKEN;
    }
    if (run->failed || run->page_error < 0) {
        return RUN_FAILED;
    }
    for (unsigned i = 0; i < OUTCOMES; i++) {
        struct outcome outcome;
        outcome_look(run, i, &outcome);
        if (!outcome.kept) {
            return RUN_MISSED;
        }
    }
    return RUN_GOOD;
}
