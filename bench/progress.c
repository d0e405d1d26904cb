/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/progress.h"

#include <stdio.h>

static const double ns_per_s = 1e9;

static enum tally_counter
counter_of(enum options_scenario scenario)
{
    if (scenario == SCENARIO_ECHO) {
        return TALLY_TRIPS;
    }
    return scenario_in(scenario, SCENARIO_JUDGED_BITS) ? TALLY_THROUGH : TALLY_CONNECTED;
}

uint64_t
progress_next_ns(const struct progress *progress)
{
    return progress->shown_at_ns + (uint64_t)PROGRESS_MS * 1000000;
}

static void
line_print(const struct progress *progress, const struct sections *sections, uint64_t now_ns)
{
    enum options_scenario scenario = sections->options->scenario;
    struct section_news sum = sections_news(sections);
    const uint64_t *counters = sum.counters;
    uint64_t count = counters[counter_of(scenario)];
    double at_s = (double)(now_ns - progress->start_ns) / ns_per_s;
    double seconds = (double)(now_ns - progress->shown_at_ns) / ns_per_s;
    double rate = (double)(count - progress->shown_count) / seconds;
    if (scenario == SCENARIO_IDLE) {
        (void)fprintf(stderr, "%5.0f s  %llu logins, %llu cut, %llu tried again\n", at_s,
                      (unsigned long long)count, (unsigned long long)counters[TALLY_CUT],
                      (unsigned long long)counters[TALLY_RETRIES]);
    } else if (scenario == SCENARIO_ECHO) {
        (void)fprintf(stderr, "%5.0f s  %8.0f round trips/s\n", at_s, rate);
    } else if (scenario == SCENARIO_AWAY) {
        (void)fprintf(stderr,
                      "%5.0f s  %8.0f stores/s   written %llu  sent %llu  put off %llu   logins "
                      "%llu  cut %llu\n",
                      at_s, rate, (unsigned long long)counters[TALLY_WRITTEN],
                      (unsigned long long)count, (unsigned long long)counters[TALLY_PUT_OFF],
                      (unsigned long long)counters[TALLY_CONNECTED],
                      (unsigned long long)counters[TALLY_CUT]);
    } else {
        (void)fprintf(
            stderr,
            "%5.0f s  %8.0f %s/s   written %llu  sent %llu  shown %llu  delivered "
            "%llu  through %llu   logins %llu  cut %llu\n",
            at_s, rate, scenario == SCENARIO_GROUP ? "deliveries" : "messages",
            (unsigned long long)counters[TALLY_WRITTEN],
            (unsigned long long)counters[TALLY_ANSWERED], (unsigned long long)counters[TALLY_SHOWN],
            (unsigned long long)counters[TALLY_DELIVERED], (unsigned long long)count,
            (unsigned long long)counters[TALLY_CONNECTED], (unsigned long long)counters[TALLY_CUT]);
    }
}

/* Users are made and removed for a while, when there are many. */
static void
users_print(const struct sections *sections)
{
    struct section_news sum = sections_news(sections);
    if (sum.users_removed > 0) {
        (void)fprintf(stderr, "        %u of %u users removed\n", sum.users_removed,
                      sum.users_made);
    } else if (sum.users_made > 0 && sum.users_made < sections->options->whole.users) {
        (void)fprintf(stderr, "        %u of %u users made\n", sum.users_made,
                      sections->options->whole.users);
    }
}

void
progress_show(struct progress *progress, const struct sections *sections, uint64_t now_ns)
{
    if (progress->start_ns != 0) {
        line_print(progress, sections, now_ns);
    } else {
        users_print(sections);
    }
    progress->shown_at_ns = now_ns;
    progress->shown_count = sections_count(sections, counter_of(sections->options->scenario));
}
