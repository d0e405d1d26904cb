/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/histogram.h"

#include "bench/chance.h"
#include "tests/spec.h"

#include <stdlib.h>
#include <string.h>

static struct histogram a, b;

static int
setup(void **state)
{
    (void)state;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    return 0;
}

static void
empty(void **state)
{
    (void)state;
    assert_int_equal(histogram_percentile(&a, 50), 0);
    assert_int_equal(histogram_percentile(&a, 100), 0);
    assert_int_equal(histogram_mean(&a), 0);
}

static void
small_values_are_exact(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 256; value++) {
        setup(NULL);
        histogram_record(&a, value);
        histogram_record(&a, 100000);
        assert_int_equal(histogram_percentile(&a, 50), value);
    }
}

static void
error_is_bounded(void **state)
{
    (void)state;
    uint64_t chance = 7;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t value = chance_next(&chance) >> (22 + i % 42);
        setup(NULL);
        histogram_record(&a, value);
        histogram_record(&a, ((uint64_t)1 << BUCKET_VALUE_BITS) - 1);
        uint64_t told = histogram_percentile(&a, 50);
        assert_true(told >= value);
        assert_true(told - value <= value / 128);
    }
}

static void
greatest_is_exact(void **state)
{
    (void)state;
    histogram_record(&a, 1000003);
    histogram_record(&a, 5);
    assert_int_equal(histogram_percentile(&a, 100), 1000003);
    assert_int_equal(a.least, 5);
    assert_int_equal(a.greatest, 1000003);
}

static void
beyond_the_range(void **state)
{
    (void)state;
    histogram_record(&a, UINT64_MAX);
    assert_int_equal(a.greatest, ((uint64_t)1 << BUCKET_VALUE_BITS) - 1);
    assert_int_equal(histogram_percentile(&a, 50), a.greatest);
}

static void
percentiles_by_rank(void **state)
{
    (void)state;
    for (uint64_t value = 1; value <= 100; value++) {
        histogram_record(&a, value);
    }
    assert_int_equal(histogram_percentile(&a, 0), 1);
    assert_int_equal(histogram_percentile(&a, 1), 1);
    assert_int_equal(histogram_percentile(&a, 50), 50);
    assert_int_equal(histogram_percentile(&a, 99), 99);
    assert_int_equal(histogram_percentile(&a, 99.5), 100);
    assert_int_equal(histogram_mean(&a), 50);
}

static int
ascending(const void *left, const void *right)
{
    uint64_t l = *(const uint64_t *)left;
    uint64_t r = *(const uint64_t *)right;
    return l < r ? -1 : l > r;
}

static void
like_a_sorted_list(void **state)
{
    (void)state;
    enum { COUNT = 10000 };
    static uint64_t values[COUNT];
    static const double percents[] = {0.1, 10, 50, 90, 99, 99.9, 99.99};
    uint64_t chance = 42;
    for (unsigned i = 0; i < COUNT; i++) {
        values[i] = chance_next(&chance) >> (30 + chance_below(&chance, 30));
        histogram_record(&a, values[i]);
    }
    qsort(values, COUNT, sizeof values[0], ascending);
    for (unsigned i = 0; i < sizeof percents / sizeof percents[0]; i++) {
        unsigned rank = (unsigned)(COUNT * percents[i] / 100 + 0.5);
        uint64_t exact = values[rank - 1];
        uint64_t told = histogram_percentile(&a, percents[i]);
        assert_true(told >= exact && told - exact <= exact / 128);
    }
}

static void
merged(void **state)
{
    (void)state;
    static struct histogram whole;
    uint64_t chance = 3;
    memset(&whole, 0, sizeof whole);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t value = chance_next(&chance) >> 34;
        histogram_record(&whole, value);
        histogram_record(i % 3 == 0 ? &a : &b, value);
    }
    histogram_merge(&a, &b);
    assert_memory_equal(&a, &whole, sizeof a);
}

static void
merged_with_nothing(void **state)
{
    (void)state;
    histogram_record(&a, 17);
    struct histogram *before = malloc(sizeof a);
    assert_non_null(before);
    *before = a;
    histogram_merge(&a, &b);
    assert_memory_equal(&a, before, sizeof a);
    histogram_merge(&b, &a);
    assert_memory_equal(&b, before, sizeof a);
    free(before);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        {"an empty histogram tells zero", empty, setup, NULL, NULL},
        {"values below 256 are told exactly", small_values_are_exact, setup, NULL, NULL},
        {"greater ones are told at most 1/128 too high, never too low", error_is_bounded, setup,
         NULL, NULL},
        {"the least and the greatest value are kept exactly", greatest_is_exact, setup, NULL, NULL},
        {"a value beyond the range counts as the greatest there is", beyond_the_range, setup, NULL,
         NULL},
        {"a percentile is the least value that so many are not above", percentiles_by_rank, setup,
         NULL, NULL},
        {"percentiles agree with those of the sorted list", like_a_sorted_list, setup, NULL, NULL},
        {"two merged are one that had recorded both", merged, setup, NULL, NULL},
        {"merging with an empty one changes nothing", merged_with_nothing, setup, NULL, NULL},
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
