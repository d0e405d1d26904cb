/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/capacity.h"

#include "bench/objectives.h"
#include "tests/spec.h"

#include <stdbool.h>

static struct capacity search;

/* Searches a node that can do `most` a second; how many runs that took. */
static unsigned
searches(double first, double most)
{
    unsigned runs = 0;
    double rate = 0;
    capacity_init(&search, first);
    while (capacity_next(&search, &rate)) {
        capacity_note(&search, rate, rate <= most);
        runs++;
        assert_true(runs < 64);
    }
    return runs;
}

static void
finds_within_a_twentieth(void **state)
{
    (void)state;
    for (double most = 2.5; most < 1e7; most *= 1.37) {
        (void)searches(1000, most);
        assert_true(search.kept <= most);
        assert_true(search.kept * 1.05 >= most);
    }
}

static void
takes_few_runs(void **state)
{
    (void)state;
    assert_true(searches(1000, 100000) <= 13);
    assert_true(searches(1000, 900) <= 7);
}

static void
gives_up_below_one(void **state)
{
    (void)state;
    assert_int_equal(searches(8, 0.5), 4);
    assert_true(search.kept == 0);
}

static void
tries_one_last(void **state)
{
    (void)state;
    (void)searches(1000, 1.0);
    assert_true(search.kept == 1);
    (void)searches(1000, 0.99);
    assert_true(search.kept == 0 && search.missed == 1);
    assert_int_equal(searches(1, 0.5), 1);
}

static void
ends_at_the_top(void **state)
{
    (void)state;
    assert_true(searches(1000, 1e30) < 20);
    assert_true(search.kept > 5e7);
}

static struct tally tally;

static void
objectives_look_at_the_99th(void **state)
{
    (void)state;
    const struct objectives wanted = {.wanted_ns = {[OBJECTIVE_DELIVERY] = 1000000}};
    for (unsigned i = 0; i < 99; i++) {
        histogram_record(&tally.delays[TALLY_TO_SHOWN], 500000);
    }
    histogram_record(&tally.delays[TALLY_TO_SHOWN], 90000000);
    assert_true(objective_look(&wanted, OBJECTIVE_DELIVERY, &tally).kept);
    histogram_record(&tally.delays[TALLY_TO_SHOWN], 90000000);
    assert_false(objective_look(&wanted, OBJECTIVE_DELIVERY, &tally).kept);
    assert_true(objective_look(&wanted, OBJECTIVE_SENT, &tally).kept);
    assert_false(objective_look(&wanted, OBJECTIVE_SENT, &tally).stated);
}

static void
nothing_measured_misses(void **state)
{
    (void)state;
    static const struct tally empty;
    const struct objectives wanted = {.wanted_ns = {[OBJECTIVE_TICK] = 1000000}};
    assert_false(objective_look(&wanted, OBJECTIVE_TICK, &empty).kept);
    assert_false(objective_look(&wanted, OBJECTIVE_TICK, &empty).known);
    assert_true(objective_look(&(struct objectives){0}, OBJECTIVE_TICK, &empty).kept);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what a node can do is found to a twentieth, wherever it lies",
             finds_within_a_twentieth),
        SPEC("it takes few runs", takes_few_runs),
        SPEC("a node that can't do one a second has no capacity", gives_up_below_one),
        SPEC("one a second is tried before that, wherever the search began", tries_one_last),
        SPEC("a node that can do everything ends the search too", ends_at_the_top),
        SPEC("an objective is missed by the 99th of a hundred, not by the worst",
             objectives_look_at_the_99th),
        SPEC("where nothing was measured a stated objective is missed", nothing_measured_misses),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
