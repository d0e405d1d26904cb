/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/meter.h"

#include "tests/spec.h"

static struct meter meter;
static struct meter_look before;
static struct meter_look after;

static int
setup(void **state)
{
    (void)state;
    meter = (struct meter){0};
    before = (struct meter_look){0};
    after = (struct meter_look){0};
    return 0;
}

static void
nothing(void **state)
{
    (void)state;
    meter_look(&meter, &after);
    assert_int_equal(meter_count(&before, &after), 0);
    assert_int_equal(meter_percentile(&before, &after, 99), 0);
}

static void
between_looks(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        meter_record(&meter, 1000000);
    }
    meter_look(&meter, &before);
    for (unsigned i = 1; i <= 50; i++) {
        meter_record(&meter, i);
    }
    meter_look(&meter, &after);
    assert_int_equal(meter_count(&before, &after), 50);
    assert_int_equal(meter_percentile(&before, &after, 50), 25);
    assert_int_equal(meter_percentile(&before, &after, 100), 50);
}

static void
error_is_bounded(void **state)
{
    (void)state;
    for (uint64_t value = 1; value < bucket_value_max; value = value * 9 / 8 + 1) {
        assert_int_equal(setup(NULL), 0);
        meter_record(&meter, value);
        meter_look(&meter, &after);
        uint64_t told = meter_percentile(&before, &after, 50);
        assert_true(told >= value);
        assert_true(told - value <= value / 32);
    }
    meter_record(&meter, UINT64_MAX);
    meter_look(&meter, &after);
    assert_int_equal(meter_percentile(&before, &after, 100), bucket_value_max);
}

static void
several_are_one(void **state)
{
    (void)state;
    struct meter other = {0};
    meter_record(&meter, 10);
    meter_record(&other, 20);
    meter_record(&other, 30);
    meter_look(&meter, &after);
    meter_look(&other, &after);
    assert_int_equal(meter_count(&before, &after), 3);
    assert_int_equal(meter_percentile(&before, &after, 50), 20);
}

static void
wraps_around(void **state)
{
    (void)state;
    before.counts[7] = UINT32_MAX;
    after.counts[7] = 1;
    assert_int_equal(meter_count(&before, &after), 2);
    assert_int_equal(meter_percentile(&before, &after, 50), 7);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        {"where nothing came between two looks the percentile is 0", nothing, setup, NULL, NULL},
        {"percentiles are of what came between two looks alone", between_looks, setup, NULL, NULL},
        {"a value is told at most a 32nd too high, at any size", error_is_bounded, setup, NULL,
         NULL},
        {"looks at several meters add up", several_are_one, setup, NULL, NULL},
        {"a count that wraps around is still a difference", wraps_around, setup, NULL, NULL},
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
