/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/schedule.h"

#include "tests/spec.h"

#include <math.h>

enum { COUNT = 100000, DIRECTIONS = 10 };

static void
follows_from_the_seed(void **state)
{
    (void)state;
    struct schedule one;
    struct schedule same;
    struct schedule another;
    schedule_init(&one, 5, 1000, DIRECTIONS);
    schedule_init(&same, 5, 1000, DIRECTIONS);
    schedule_init(&another, 6, 1000, DIRECTIONS);
    unsigned differences = 0;
    for (unsigned i = 0; i < 1000; i++) {
        struct schedule_due due;
        struct schedule_due again;
        struct schedule_due other;
        schedule_next(&one, &due);
        schedule_next(&same, &again);
        schedule_next(&another, &other);
        assert_int_equal(due.at_ns, again.at_ns);
        assert_int_equal(due.direction, again.direction);
        differences += due.at_ns != other.at_ns;
    }
    assert_true(differences > 990);
}

static void
never_goes_back(void **state)
{
    (void)state;
    struct schedule schedule;
    uint64_t last_ns = 0;
    schedule_init(&schedule, 1, 1e8, 3); /* arrivals closer than the clock's nanoseconds */
    for (unsigned i = 0; i < COUNT; i++) {
        struct schedule_due due;
        schedule_next(&schedule, &due);
        assert_true(due.at_ns >= last_ns);
        assert_true(due.direction < 3);
        last_ns = due.at_ns;
    }
}

static void
keeps_the_rate(void **state)
{
    (void)state;
    static const double rates[] = {0.5, 10, 20000};
    for (unsigned i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct schedule schedule;
        struct schedule_due due = {0};
        schedule_init(&schedule, i, rates[i], 1);
        for (unsigned n = 0; n < COUNT; n++) {
            schedule_next(&schedule, &due);
        }
        double rate = COUNT / ((double)due.at_ns / 1e9);
        assert_true(fabs(rate / rates[i] - 1) < 0.02);
    }
}

/* The standard deviation of the pauses of a Poisson process is their mean. */
static void
is_irregular(void **state)
{
    (void)state;
    struct schedule schedule;
    uint64_t last_ns = 0;
    double sum = 0;
    double squares = 0;
    schedule_init(&schedule, 9, 1000, 1);
    for (unsigned i = 0; i < COUNT; i++) {
        struct schedule_due due;
        schedule_next(&schedule, &due);
        double pause_ms = (double)(due.at_ns - last_ns) / 1e6;
        sum += pause_ms;
        squares += pause_ms * pause_ms;
        last_ns = due.at_ns;
    }
    double mean = sum / COUNT;
    double deviation = sqrt(squares / COUNT - mean * mean);
    assert_true(fabs(deviation / mean - 1) < 0.02);
}

static void
is_fair(void **state)
{
    (void)state;
    struct schedule schedule;
    unsigned counts[DIRECTIONS] = {0};
    schedule_init(&schedule, 2, 1000, DIRECTIONS);
    for (unsigned i = 0; i < COUNT; i++) {
        struct schedule_due due;
        schedule_next(&schedule, &due);
        counts[due.direction]++;
    }
    for (unsigned i = 0; i < DIRECTIONS; i++) {
        assert_true(counts[i] > 9500 && counts[i] < 10500);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a schedule follows from its seed alone", follows_from_the_seed),
        SPEC("instants never go back, directions are within their number", never_goes_back),
        SPEC("in the long run the rate is the one asked for", keeps_the_rate),
        SPEC("pauses are spread as a Poisson process spreads them", is_irregular),
        SPEC("every direction gets its share", is_fair),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
