/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/figures.h"

static const double ns_per_s = 1e9;

enum {
    JUDGED = SCENARIO_JUDGED_BITS,
    PAIRS = SCENARIO_PAIR_BITS,
    IDLE = SCENARIO_IDLE_BIT,
    ECHO = SCENARIO_ECHO_BIT,
    OFFLINE = SCENARIO_OFFLINE_BIT,
    AWAY = SCENARIO_AWAY_BIT,
    SHOWN = JUDGED & ~AWAY, /* to their readers */
    GROUP = SCENARIO_GROUP_BIT,
    DAYS = SCENARIO_DAY_BITS,
};

const struct figure_delay figures_delays[FIGURES_DELAYS] = {
    {TALLY_TO_ANSWER, JUDGED, "to_sent", "to sent"},
    {TALLY_TO_SHOWN, PAIRS | GROUP, "to_delivery", "to delivery"},
    {TALLY_TO_GROUP, DAYS, "to_group_delivery", "to delivery in a group"},
    {TALLY_TO_TICK, PAIRS, "to_delivered_tick", "to delivered tick"},
    {TALLY_LOGIN, JUDGED, "login", "login"},
    {TALLY_BACK, JUDGED, "back", "back online"},
    {TALLY_RETURN_TO_SHOWN, DAYS | OFFLINE, "return_to_delivery", "return to delivery"},
    {TALLY_DRAINED, OFFLINE, "return_to_empty", "return to empty inbox"},
    {TALLY_FILLED, OFFLINE, "filled", "start to filled"},
    {TALLY_EMPTIED, OFFLINE, "emptied", "first return to empty"},
    {TALLY_BEAT, DAYS, "heartbeat", "heartbeat"},
    {TALLY_LAG, JUDGED, "lag", "generator's own lag"},
    {TALLY_TRIP, ECHO, "round_trip", "round trip"},
};

const struct figure_counter figures_counters[FIGURES_COUNTERS] = {
    {TALLY_DUE, PAIRS | IDLE | AWAY, "due"},
    {TALLY_WRITTEN, JUDGED, "written"},
    {TALLY_ANSWERED, JUDGED, "sent"},
    {TALLY_SHOWN, SHOWN, "delivered"},
    {TALLY_DELIVERED, SHOWN, "ticked"},
    {TALLY_THROUGH, SHOWN, "through"},
    {TALLY_HIDDEN, SHOWN, "duplicates_hidden"},
    {TALLY_FOREIGN, JUDGED, "foreign"},
    {TALLY_PUT_OFF, JUDGED, "put_off"},
    {TALLY_SKIPPED, PAIRS | IDLE | AWAY, "skipped"},
    {TALLY_CONNECTED, JUDGED | IDLE, "logins"},
    {TALLY_BEATS, DAYS | IDLE, "heartbeats_sent"},
    {TALLY_POSTED, DAYS, "group_written"},
    {TALLY_DELIVERIES, DAYS, "group_deliveries"},
    {TALLY_CHANGES, DAYS, "changes"},
    {TALLY_SIGNS, DAYS, "presence_signs"},
    {TALLY_KILLS, DAYS, "actors_killed"},
    {TALLY_RETRIES, JUDGED | IDLE, "logins_tried_again"},
    {TALLY_CUT, JUDGED | IDLE, "connections_cut"},
    {TALLY_LEFT, SHOWN, "connections_left"},
};

const struct figure_percentile figures_percentiles[FIGURES_PERCENTILES] = {
    {"p50_us", "p50", 50},
    {"p90_us", "p90", 90},
    {"p99_us", "p99", 99},
    {"p99_9_us", "p99.9", 99.9},
};

const struct histogram *
figures_histogram(const struct run *run, unsigned row)
{
    const struct histogram *histogram = &run->tally.delays[figures_delays[row].delay];
    bool has = (figures_delays[row].scenarios & 1u << run->options->scenario) != 0;
    return has && histogram->count > 0 ? histogram : NULL;
}

bool
figures_counts(const struct run *run, unsigned row)
{
    return (figures_counters[row].scenarios & 1u << run->options->scenario) != 0;
}

uint64_t
figures_measured(const struct run *run)
{
    bool echo = run->options->scenario == SCENARIO_ECHO;
    return tally_count(&run->tally, echo ? TALLY_TRIPS : TALLY_MEASURED);
}

double
figures_per_second(const struct run *run)
{
    return run->measured_ns == 0
               ? 0
               : (double)figures_measured(run) * ns_per_s / (double)run->measured_ns;
}

struct figures_inboxes
figures_inboxes(const struct run *run)
{
    const struct tally *tally = &run->tally;
    struct figures_inboxes found = {
        .filled_s = (double)tally->delays[TALLY_FILLED].greatest / ns_per_s,
        .emptied_s = (double)tally->delays[TALLY_EMPTIED].greatest / ns_per_s};
    if (found.filled_s > 0) {
        found.stores_per_s = (double)tally_count(tally, TALLY_ANSWERED) / found.filled_s;
    }
    if (found.emptied_s > 0) {
        found.drains_per_s = (double)tally_count(tally, TALLY_SHOWN) / found.emptied_s;
    }
    return found;
}

double
figures_logins_per_s(const struct run *run)
{
    double back_s = (double)run->tally.delays[TALLY_BACK].greatest / ns_per_s;
    return back_s > 0 ? run->options->users / back_s : 0;
}
