/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/series.h"

#include "tests/spec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t second_ns = UINT64_C(1000000000);

static struct tally *tally;
static struct series series;

static int
setup(void **state)
{
    (void)state;
    tally = calloc(1, sizeof *tally);
    series_init(&series, second_ns);
    return tally == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
    (void)state;
    series_fini(&series);
    free(tally);
    return 0;
}

/* After so many halves of a second since the start. */
static struct series_look *
look_begin(void)
{
    struct series_look *look = series_look(&series);
    series_look_add(look, tally);
    return look;
}

static void
looked(unsigned halves)
{
    (void)look_begin();
    series_note(&series, second_ns + halves * second_ns / 2);
}

static double
value_of(uint32_t sample, enum series_value value)
{
    assert_true(sample < series.count);
    return series.list[sample].values[value];
}

static void
first_look(void **state)
{
    (void)state;
    tally_add(tally, TALLY_WRITTEN, 1000);
    looked(0);
    assert_int_equal(series.count, 0);
    assert_false(series_knows(&series, SERIES_AT));
}

static void
rates(void **state)
{
    (void)state;
    looked(0);
    tally_add(tally, TALLY_WRITTEN, 30);
    looked(1);
    tally_add(tally, TALLY_WRITTEN, 30);
    looked(4);
    assert_int_equal(series.count, 2);
    assert_true(value_of(0, SERIES_AT) == 0.5 && value_of(1, SERIES_AT) == 2);
    assert_true(value_of(0, SERIES_WRITTEN) == 60 && value_of(1, SERIES_WRITTEN) == 20);
    assert_true(value_of(1, SERIES_SENT) == 0);
}

static void
percentiles(void **state)
{
    (void)state;
    looked(0);
    for (unsigned i = 0; i < 100; i++) {
        tally_delay(tally, TALLY_TO_SHOWN, 0, i < 98 ? 40000 : 4000000);
    }
    looked(2);
    looked(4);
    assert_true(fabs(value_of(0, SERIES_DELIVERY_P50) / 40 - 1) < 0.032);
    assert_true(fabs(value_of(0, SERIES_DELIVERY_P99) / 4000 - 1) < 0.032);
    assert_true(isnan(value_of(0, SERIES_SENT_P50)));
    assert_true(isnan(value_of(1, SERIES_DELIVERY_P50)));
    assert_true(series_knows(&series, SERIES_DELIVERY_P99));
    assert_false(series_knows(&series, SERIES_SENT_P99));
}

static void
processes(void **state)
{
    (void)state;
    static const uint64_t node_cpu_ms[] = {1000, 2500, 40, 0};
    for (unsigned i = 0; i < 4; i++) {
        struct series_look *look = look_begin();
        look->node_cpu_ms = node_cpu_ms[i];
        look->node_resident_bytes = i < 3 ? 1 << 20 : 0;
        look->node_own_bytes = i < 3 ? 1 << 19 : 0;
        series_note(&series, second_ns * (i + 1));
    }
    assert_true(value_of(0, SERIES_NODE_CPU) == 1.5);
    assert_true(isnan(value_of(1, SERIES_NODE_CPU)));
    assert_true(isnan(value_of(2, SERIES_NODE_CPU)));
    assert_true(value_of(1, SERIES_NODE_RESIDENT) == 1 << 20);
    assert_true(value_of(1, SERIES_NODE_OWN) == 1 << 19);
    assert_true(isnan(value_of(2, SERIES_NODE_RESIDENT)));
    assert_true(isnan(value_of(0, SERIES_DISK)));
}

static void
online(void **state)
{
    (void)state;
    tally_add(tally, TALLY_CONNECTED, 10);
    looked(0);
    tally_add(tally, TALLY_CUT, 3);
    tally_add(tally, TALLY_LEFT, 2);
    looked(1);
    assert_true(value_of(0, SERIES_ONLINE) == 5);
}

static void
threads(void **state)
{
    (void)state;
    looked(0);
    tally_add(tally, TALLY_ANSWERED, 7);
    series_look_add(look_begin(), tally);
    series_note(&series, 2 * second_ns);
    assert_true(value_of(0, SERIES_SENT) == 14);
}

static void
grows(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= 1000; i++) {
        looked(i);
    }
    assert_int_equal(series.count, 1000);
    assert_true(value_of(999, SERIES_AT) == 500);
}

static void
names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < SERIES_VALUES; i++) {
        for (unsigned other = 0; other < i; other++) {
            assert_string_not_equal(series_name((enum series_value)i),
                                    series_name((enum series_value)other));
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        {"the first look makes no sample: what was before it is not told", first_look, setup,
         teardown, NULL},
        {"rates are a second's, however long the look took", rates, setup, teardown, NULL},
        {"percentiles are of their second; of nothing they are not known", percentiles, setup,
         teardown, NULL},
        {"a process that was started again, or has gone, has no CPU to tell", processes, setup,
         teardown, NULL},
        {"online is who has logged in less who was cut or has left", online, setup, teardown, NULL},
        {"what several threads have counted adds up", threads, setup, teardown, NULL},
        {"a series takes as many samples as come", grows, setup, teardown, NULL},
        {"each value has a name of its own", names, setup, teardown, NULL},
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
