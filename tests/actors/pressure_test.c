/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/pressure.h"

#include "tests/spec.h"

#define MS UINT64_C(1000000)

static void
a_delay_calls_for_as_much_as_it_is_long(void **state)
{
    (void)state;
    assert_int_equal(pressure_of(9 * MS, 9 * MS), PRESSURE_NONE);
    assert_int_equal(pressure_of(10 * MS, 10 * MS), PRESSURE_TYPING);
    assert_int_equal(pressure_of(20 * MS, 20 * MS), PRESSURE_PRESENCE);
    assert_int_equal(pressure_of(40 * MS, 40 * MS), PRESSURE_RECEIPTS);
    assert_int_equal(pressure_of(4000 * MS, 4000 * MS), PRESSURE_RECEIPTS);
}

static void
a_machine_that_paused_for_a_moment_is_no_overload(void **state)
{
    (void)state;
    assert_int_equal(pressure_of(79 * MS, 1 * MS), PRESSURE_NONE);
    assert_int_equal(pressure_of(80 * MS, 1 * MS), PRESSURE_TYPING);
    assert_int_equal(pressure_of(320 * MS, 1 * MS), PRESSURE_RECEIPTS);
}

static void
what_was_measured_holds_for_a_while(void **state)
{
    (void)state;
    struct pressure_gauge gauge = {0};
    assert_int_equal(pressure_at(&gauge, 1000 * MS), PRESSURE_NONE);
    pressure_note(&gauge, PRESSURE_RECEIPTS, 1000 * MS);
    pressure_note(&gauge, PRESSURE_TYPING, 1200 * MS);
    assert_int_equal(pressure_at(&gauge, 1249 * MS), PRESSURE_RECEIPTS);
    assert_int_equal(pressure_at(&gauge, 1250 * MS), PRESSURE_TYPING);
    assert_int_equal(pressure_at(&gauge, 1450 * MS), PRESSURE_NONE);
}

static void
spans_are_counted_once_however_often_they_are_measured(void **state)
{
    (void)state;
    struct pressure_gauge gauge = {0};
    for (unsigned i = 0; i < 10; i++) {
        pressure_note(&gauge, PRESSURE_PRESENCE, 1000 * MS + (uint64_t)i * 100 * MS);
    }
    pressure_note(&gauge, PRESSURE_TYPING, 9000 * MS);
    assert_int_equal(gauge.spans[PRESSURE_TYPING], 2);
    assert_int_equal(gauge.spans[PRESSURE_PRESENCE], 1);
    assert_int_equal(gauge.spans[PRESSURE_RECEIPTS], 0);
}

static void
a_late_timer_is_looked_at_now_and_then(void **state)
{
    (void)state;
    struct pressure_gauge gauge = {.set_ns = 1000 * MS};
    assert_false(pressure_look_due(&gauge, 1019 * MS));
    assert_true(pressure_look_due(&gauge, 1020 * MS));
    gauge.look_ns = 1020 * MS;
    assert_false(pressure_look_due(&gauge, 1020 * MS));
    assert_false(pressure_look_due(&gauge, 1021 * MS - 1));
    assert_true(pressure_look_due(&gauge, 1021 * MS));
    gauge.set_ns = 1021 * MS; /* the next one */
    assert_false(pressure_look_due(&gauge, 1022 * MS));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a delay calls for as much as it is long", a_delay_calls_for_as_much_as_it_is_long),
        SPEC("a machine that paused for a moment is no overload",
             a_machine_that_paused_for_a_moment_is_no_overload),
        SPEC("what was measured holds for a while", what_was_measured_holds_for_a_while),
        SPEC("spans are counted once, however often they are measured",
             spans_are_counted_once_however_often_they_are_measured),
        SPEC("a late timer is looked at now and then, not at each command",
             a_late_timer_is_looked_at_now_and_then),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
