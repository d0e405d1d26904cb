/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fan.h"

#include "tests/spec.h"

#define MS UINT64_C(1000000)

static const uint64_t SOME[4] = {5, 0, 0, 1};
static const uint64_t OTHERS[4] = {2, 0, 8, 0};

static void
what_is_said_in_a_quiet_group_goes_at_once(void **state)
{
    (void)state;
    struct fan fan = {0};
    uint64_t out[4] = {0};
    assert_false(fan_is_due(&fan));
    assert_false(fan_begin(&fan, MS, out));
    fan_add(&fan, SOME, 1000);
    assert_true(fan_is_due(&fan));
    assert_true(fan_begin(&fan, MS, out));
    assert_memory_equal(out, SOME, sizeof(out));
    assert_false(fan_is_due(&fan));
}

static void
what_is_said_during_a_round_goes_with_the_next(void **state)
{
    (void)state;
    struct fan fan = {0};
    uint64_t out[4] = {0};
    uint64_t at_ns = 7 * MS;
    fan_add(&fan, SOME, 1000);
    assert_true(fan_begin(&fan, at_ns, out));
    fan_add(&fan, SOME, 1000);
    fan_add(&fan, OTHERS, 10);
    uint64_t wait_ms = fan_wait_ms(&fan, at_ns);
    assert_true(wait_ms >= 1 && wait_ms <= 16);
    out[0] = 64;
    out[1] = out[2] = out[3] = 0;
    assert_false(fan_begin(&fan, at_ns + (wait_ms - 1) * MS, out));
    assert_int_equal(out[0], 64);
    assert_true(fan_begin(&fan, at_ns + wait_ms * MS, out));
    assert_int_equal(out[0], 64 | 5 | 2); /* what is due anyway stays due */
    assert_int_equal(out[1], 0);
    assert_int_equal(out[2], 8);
    assert_int_equal(out[3], 1);
    assert_false(fan_begin(&fan, at_ns + 1000 * MS, out));
}

static void
in_a_small_group_nothing_waits(void **state)
{
    (void)state;
    struct fan fan = {0};
    for (unsigned i = 0; i < 3; i++) {
        uint64_t out[4] = {0};
        fan_add(&fan, OTHERS, 50);
        assert_int_equal(fan_wait_ms(&fan, MS), 0);
        assert_true(fan_begin(&fan, MS, out));
        assert_memory_equal(out, OTHERS, sizeof(out));
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what is said in a quiet group goes at once",
             what_is_said_in_a_quiet_group_goes_at_once),
        SPEC("what is said during a round goes with the next",
             what_is_said_during_a_round_goes_with_the_next),
        SPEC("in a small group nothing waits", in_a_small_group_nothing_waits),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
