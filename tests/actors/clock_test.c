/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/clock.h"

#include "tests/spec.h"

enum { ROUND_MS = 37500, SLOTS_MOST = 1 << 24 };

static uint64_t
round_takes_ms(uint32_t slots, struct clock_pace pace)
{
    return (slots + (uint64_t)pace.slots - 1) / pace.slots * pace.pause_ms;
}

static void
small_steps(void **state)
{
    (void)state;
    for (uint32_t slots = 0; slots < 1000000; slots += 12345) {
        struct clock_pace pace = clock_pace(slots, ROUND_MS);
        assert_int_equal(pace.slots, CLOCK_STEP);
        assert_true(round_takes_ms(slots, pace) <= ROUND_MS);
    }
}

static void
never_without_a_pause(void **state)
{
    (void)state;
    for (uint64_t round_ms = 125; round_ms <= ROUND_MS; round_ms += 125) {
        struct clock_pace pace = clock_pace(SLOTS_MOST, round_ms);
        assert_true(pace.pause_ms >= 1);
        assert_true(round_takes_ms(SLOTS_MOST, pace) <= round_ms);
    }
}

static void
no_time_at_all(void **state)
{
    (void)state;
    struct clock_pace pace = clock_pace(1000, 0);
    assert_int_equal(pace.pause_ms, 1);
    assert_int_equal(pace.slots, 1001);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a round over a million slots takes small steps, and no longer than it may",
             small_steps),
        SPEC("a round over sixteen million slots keeps its time by larger steps, not by spinning",
             never_without_a_pause),
        SPEC("a round without time goes over all at each millisecond", no_time_at_all),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
