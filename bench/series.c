/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/series.h"

#include "runtime/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 64, LOOKS = 2 };

static const double ns_per_s = 1e9;
static const double ns_per_us = 1e3;
static const double ns_per_ms = 1e6;

/* ------------------------------------------------------------------------------------ the table */

static const struct {
    enum series_value value;
    enum tally_counter counter;
} rates[] = {
    {SERIES_WRITTEN, TALLY_WRITTEN},  {SERIES_SENT, TALLY_ANSWERED},
    {SERIES_DELIVERED, TALLY_SHOWN},  {SERIES_TICKED, TALLY_DELIVERED},
    {SERIES_LOGINS, TALLY_CONNECTED}, {SERIES_CUT, TALLY_CUT},
};

static const struct {
    enum series_value value;
    enum tally_delay delay;
    double percent;
} percentiles[] = {
    {SERIES_SENT_P50, TALLY_TO_ANSWER, 50},    {SERIES_SENT_P99, TALLY_TO_ANSWER, 99},
    {SERIES_DELIVERY_P50, TALLY_TO_SHOWN, 50}, {SERIES_DELIVERY_P99, TALLY_TO_SHOWN, 99},
    {SERIES_TICK_P50, TALLY_TO_TICK, 50},      {SERIES_TICK_P99, TALLY_TO_TICK, 99},
    {SERIES_LOGIN_P50, TALLY_LOGIN, 50},       {SERIES_LOGIN_P99, TALLY_LOGIN, 99},
    {SERIES_TRIP_P50, TALLY_TRIP, 50},         {SERIES_TRIP_P99, TALLY_TRIP, 99},
    {SERIES_LAG_P99, TALLY_LAG, 99},
};

const char *
series_name(enum series_value value)
{
    static const char *const names[SERIES_VALUES] = {
        [SERIES_AT] = "at_seconds",
        [SERIES_WRITTEN] = "written",
        [SERIES_SENT] = "sent",
        [SERIES_DELIVERED] = "delivered",
        [SERIES_TICKED] = "ticked",
        [SERIES_LOGINS] = "logins",
        [SERIES_CUT] = "connections_cut",
        [SERIES_TRIPS] = "round_trips",
        [SERIES_SENT_P50] = "to_sent_p50_us",
        [SERIES_SENT_P99] = "to_sent_p99_us",
        [SERIES_DELIVERY_P50] = "to_delivery_p50_us",
        [SERIES_DELIVERY_P99] = "to_delivery_p99_us",
        [SERIES_TICK_P50] = "to_delivered_tick_p50_us",
        [SERIES_TICK_P99] = "to_delivered_tick_p99_us",
        [SERIES_LOGIN_P50] = "login_p50_us",
        [SERIES_LOGIN_P99] = "login_p99_us",
        [SERIES_TRIP_P50] = "round_trip_p50_us",
        [SERIES_TRIP_P99] = "round_trip_p99_us",
        [SERIES_LAG_P99] = "lag_p99_us",
        [SERIES_ONLINE] = "online",
        [SERIES_NODE_CPU] = "node_cpu_cores",
        [SERIES_GENERATOR_CPU] = "generator_cpu_cores",
        [SERIES_NODE_RESIDENT] = "node_resident_bytes",
        [SERIES_NODE_OWN] = "node_own_bytes",
        [SERIES_DISK] = "disk_bytes",
    };
    ASSERT(value < SERIES_VALUES);
    return names[value];
}

/* ------------------------------------------------------------------------------------- the list */

void
series_init(struct series *series, uint64_t start_ns)
{
    *series = (struct series){.start_ns = start_ns, .looks = calloc(LOOKS, sizeof *series->looks)};
    ASSERT(series->looks != NULL);
}

void
series_fini(struct series *series)
{
    free(series->looks);
    free(series->list);
    *series = (struct series){0};
}

struct series_look *
series_look(struct series *series)
{
    struct series_look *look = &series->looks[series->next];
    memset(look, 0, sizeof *look);
    return look;
}

void
series_look_add(struct series_look *look, const struct tally *tally)
{
    for (unsigned i = 0; i < TALLY_COUNTERS; i++) {
        look->counts[i] += tally_count(tally, (enum tally_counter)i);
    }
    for (unsigned i = 0; i < TALLY_DELAYS; i++) {
        meter_look(&tally->meters[i], &look->meters[i]);
    }
}

static struct sample *
sample_new(struct series *series)
{
    if (series->count == series->room) {
        series->room = series->room == 0 ? ROOM_FIRST : 2 * series->room;
        series->list = realloc(series->list, series->room * sizeof *series->list);
        ASSERT(series->list != NULL);
    }
    return &series->list[series->count++];
}

/* Of what only grows; a process that is another than before has used less. */
static double
cores(uint64_t before_ms, uint64_t after_ms, double span_s)
{
    if (after_ms == 0 || after_ms < before_ms) {
        return NAN;
    }
    return (double)(after_ms - before_ms) * ns_per_ms / ns_per_s / span_s;
}

static double
known(uint64_t value)
{
    return value == 0 ? NAN : (double)value;
}

static void
sample_fill(struct sample *sample, const struct series_look *before,
            const struct series_look *after, uint64_t start_ns)
{
    double span_s = (double)(after->at_ns - before->at_ns) / ns_per_s;
    double *values = sample->values;
    values[SERIES_AT] = (double)(after->at_ns - start_ns) / ns_per_s;
    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        enum tally_counter counter = rates[i].counter;
        values[rates[i].value] =
            (double)(after->counts[counter] - before->counts[counter]) / span_s;
    }
    for (unsigned i = 0; i < sizeof percentiles / sizeof percentiles[0]; i++) {
        const struct meter_look *from = &before->meters[percentiles[i].delay];
        const struct meter_look *to = &after->meters[percentiles[i].delay];
        values[percentiles[i].value] =
            meter_count(from, to) == 0
                ? NAN
                : (double)meter_percentile(from, to, percentiles[i].percent) / ns_per_us;
    }
    values[SERIES_TRIPS] =
        (double)meter_count(&before->meters[TALLY_TRIP], &after->meters[TALLY_TRIP]) / span_s;
    values[SERIES_ONLINE] = (double)after->counts[TALLY_CONNECTED] -
                            (double)after->counts[TALLY_CUT] - (double)after->counts[TALLY_LEFT];
    values[SERIES_NODE_CPU] = cores(before->node_cpu_ms, after->node_cpu_ms, span_s);
    values[SERIES_GENERATOR_CPU] = cores(before->generator_cpu_ms, after->generator_cpu_ms, span_s);
    values[SERIES_NODE_RESIDENT] = known(after->node_resident_bytes);
    values[SERIES_NODE_OWN] = known(after->node_own_bytes);
    values[SERIES_DISK] = known(after->disk_bytes);
}

void
series_note(struct series *series, uint64_t now_ns)
{
    struct series_look *after = &series->looks[series->next];
    series->next = (series->next + 1) % LOOKS;
    const struct series_look *before = &series->looks[series->next];
    after->at_ns = now_ns;
    if (before->at_ns != 0 && now_ns > before->at_ns) {
        sample_fill(sample_new(series), before, after, series->start_ns);
    }
}

bool
series_knows(const struct series *series, enum series_value value)
{
    for (uint32_t i = 0; i < series->count; i++) {
        if (!isnan(series->list[i].values[value])) {
            return true;
        }
    }
    return false;
}
