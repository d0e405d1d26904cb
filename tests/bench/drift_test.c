/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/drift.h"

#include "bench/chance.h"
#include "bench/outcome.h"
#include "tests/spec.h"

#include <math.h>
#include <stdlib.h>

enum { COUNT = 3600 }; /* an hour, a sample each second */

static const double mib = 1 << 20;

static struct series series;
static uint64_t chance;

static int
setup(void **state)
{
    (void)state;
    chance = 1;
    series = (struct series){.list = calloc(COUNT, sizeof *series.list), .count = COUNT};
    for (uint32_t i = 0; i < COUNT && series.list != NULL; i++) {
        for (unsigned value = 0; value < SERIES_VALUES; value++) {
            series.list[i].values[value] = NAN;
        }
        series.list[i].values[SERIES_AT] = i + 1;
    }
    return series.list == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
    (void)state;
    free(series.list);
    return 0;
}

/* Between -1 and 1. */
static double
noise(void)
{
    return (double)chance_below(&chance, 2000001) / 1e6 - 1;
}

/* Memory that begins with 100 MiB and grows by so much an hour, with some noise. */
static void
memory(double per_hour, double noisy)
{
    for (uint32_t i = 0; i < COUNT; i++) {
        series.list[i].values[SERIES_NODE_OWN] =
            100 * mib + per_hour * (i + 1) / 3600 + noisy * noise();
    }
}

static struct drift
look(enum drift_kind kind, double limit)
{
    struct drift_limits limits = {{-1, -1, -1}};
    limits.per_hour[kind] = limit;
    return drift_look(&series, kind, 60, COUNT, &limits);
}

static void
finds_the_slope(void **state)
{
    (void)state;
    memory(16 * mib, 0);
    struct drift drift = look(DRIFT_MEMORY, -1);
    assert_int_equal(drift.verdict, DRIFT_FITTED);
    assert_true(fabs(drift.per_hour / (16 * mib) - 1) < 1e-6);
    assert_true(drift.error < 1e-3 * mib);
    assert_true(fabs(drift.level / mib - 108) < 0.5);
    memory(-16 * mib, mib);
    drift = look(DRIFT_MEMORY, -1);
    assert_true(fabs(drift.per_hour + 16 * mib) < drift.error + 0.1 * mib);
}

static void
judges(void **state)
{
    (void)state;
    memory(16 * mib, mib);
    assert_int_equal(look(DRIFT_MEMORY, 20 * mib).verdict, DRIFT_KEPT);
    assert_int_equal(look(DRIFT_MEMORY, 12 * mib).verdict, DRIFT_MISSED);
    assert_int_equal(look(DRIFT_MEMORY, 0).verdict, DRIFT_MISSED);
    struct drift drift = look(DRIFT_MEMORY, -1);
    assert_int_equal(look(DRIFT_MEMORY, drift.per_hour).verdict, DRIFT_OPEN);
    assert_int_equal(look(DRIFT_DISK, 0).verdict, DRIFT_UNKNOWN);
}

/* Of what does not drift, but is noisy, few of many looks say that it does. */
static void
errs_seldom(void **state)
{
    (void)state;
    unsigned missed = 0;
    for (unsigned i = 0; i < 200; i++) {
        memory(0, 5 * mib);
        missed += look(DRIFT_MEMORY, 0).verdict == DRIFT_MISSED;
    }
    assert_true(missed <= 14); /* 1 in 40 expected: 5, and a bit for the few points */
}

/* A fold now and then holds deliveries up for a second: no part's median hears of it. */
static void
outliers(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < COUNT; i++) {
        series.list[i].values[SERIES_DELIVERY_P99] = i % 37 == 0 ? 1e6 : 5000;
    }
    struct drift drift = look(DRIFT_LATENCY, 1);
    assert_int_equal(drift.verdict, DRIFT_KEPT);
    assert_true(drift.per_hour == 0 && drift.error == 0);
    assert_true(drift.level == 5e6);
}

static void
too_few(void **state)
{
    (void)state;
    memory(mib, 0);
    series.count = 63;
    assert_int_equal(look(DRIFT_MEMORY, 0).verdict, DRIFT_MISSED); /* seconds 60 to 63 */
    series.count = 62;
    assert_int_equal(look(DRIFT_MEMORY, 0).verdict, DRIFT_UNKNOWN);
    series.count = 0;
    assert_int_equal(look(DRIFT_MEMORY, 0).verdict, DRIFT_UNKNOWN);
}

static void
span_alone(void **state)
{
    (void)state;
    memory(0, 0);
    for (uint32_t i = 0; i < 59; i++) {
        series.list[i].values[SERIES_NODE_OWN] = 0; /* the warm-up */
    }
    struct drift drift = look(DRIFT_MEMORY, 0);
    assert_int_equal(drift.verdict, DRIFT_KEPT);
    assert_true(drift.per_hour == 0);
}

static void
ends_the_run(void **state)
{
    (void)state;
    struct options options = {.scenario = SCENARIO_SOAK, .seconds = COUNT, .drift = {{-1, -1, -1}}};
    struct run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    memory(16 * mib, mib);
    run->options = &options;
    run->series = series;
    assert_int_equal(run_exit_code(run), RUN_GOOD);
    options.drift.per_hour[DRIFT_MEMORY] = 20 * mib;
    assert_int_equal(run_exit_code(run), RUN_GOOD);
    options.drift.per_hour[DRIFT_MEMORY] = 12 * mib;
    assert_int_equal(run_exit_code(run), RUN_MISSED);
    options.scenario = SCENARIO_MIXED;
    assert_int_equal(run_exit_code(run), RUN_GOOD);
    free(run);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        {"a slope is told in an hour's units, with its error", finds_the_slope, setup, teardown,
         NULL},
        {"a limit is kept or missed only beyond the slope's error", judges, setup, teardown, NULL},
        {"what only wobbles is seldom taken for a drift", errs_seldom, setup, teardown, NULL},
        {"single far values do not count", outliers, setup, teardown, NULL},
        {"of three points nothing is said", too_few, setup, teardown, NULL},
        {"what lies outside the span does not count", span_alone, setup, teardown, NULL},
        {"a soak that drifts beyond its limit ends with exit code 2", ends_the_run, setup, teardown,
         NULL},
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
