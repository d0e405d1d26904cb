/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fan.h"

#include "tests/spec.h"

#include <string.h>

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
    fan_add(&fan, OTHERS, 100);
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
groups_of_84_have_rounds(void **state)
{
    (void)state;
    struct fan fan = {0};
    uint64_t out[4];
    fan_add(&fan, SOME, 84); /* of which a round is a millisecond and a little */
    assert_true(fan_begin(&fan, 100 * MS, out));
    fan_add(&fan, SOME, 84);
    assert_int_equal(fan_wait_ms(&fan, 100 * MS), 2);
    assert_false(fan_begin(&fan, 101 * MS, out));
    assert_true(fan_begin(&fan, 102 * MS, out));
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
        assert_false(fan_begin(&fan, MS, out)); /* no round */
        assert_memory_equal(out, OTHERS, sizeof(out));
        assert_false(fan_is_due(&fan));
    }
}

static void
it_goes_at_once_though_a_large_one_waits(void **state)
{
    (void)state;
    struct fan fan = {0};
    uint64_t out[4] = {0};
    fan_add(&fan, SOME, 1000);
    assert_true(fan_begin(&fan, 100 * MS, out));
    memset(out, 0, sizeof(out));
    fan_add(&fan, SOME, 1000);
    fan_add(&fan, OTHERS, 83);
    assert_false(fan_begin(&fan, 101 * MS, out));
    assert_memory_equal(out, OTHERS, sizeof(out));
    memset(out, 0, sizeof(out));
    assert_true(fan_begin(&fan, 112 * MS, out));
    assert_memory_equal(out, SOME, sizeof(out));
    assert_int_equal(fan.together, 1);
}

/* Begins a round with so many messages, and says so many more. */
static void
say(struct fan *fan, uint64_t at_ns, unsigned together, unsigned more)
{
    uint64_t out[4];
    for (unsigned i = 0; i < together; i++) {
        fan_add(fan, SOME, 1000);
    }
    assert_true(fan_begin(fan, at_ns, out));
    for (unsigned i = 0; i < more; i++) {
        fan_add(fan, SOME, 1000);
    }
}

enum { SHORTEST_MS = 12, LONGEST_MS = 48, QUIET_MS = 4 }; /* of a thousand members */

static void
a_round_begins_when_as_many_are_due_as_went_with_the_one_before(void **state)
{
    (void)state;
    struct fan fan = {0};
    uint64_t out[4];
    uint64_t at_ns = 100 * MS;
    say(&fan, at_ns, 3, 0);
    at_ns += (SHORTEST_MS + 1) * MS;
    fan_add(&fan, SOME, 1000);
    assert_false(fan_begin(&fan, at_ns, out));
    fan_add(&fan, SOME, 1000);
    assert_false(fan_begin(&fan, at_ns + MS / 2, out));
    fan_add(&fan, SOME, 1000);
    assert_true(fan_begin(&fan, at_ns + MS / 2 + 1, out));
    assert_int_equal(fan.together, 3);
}

static void
it_does_not_wait_for_what_has_stopped_coming(void **state)
{
    (void)state;
    struct fan fan = {0};
    uint64_t out[4];
    uint64_t at_ns = 100 * MS;
    say(&fan, at_ns, 3, 1); /* the one comes when the round has just begun */
    assert_false(fan_begin(&fan, at_ns, out));
    assert_int_equal(fan_wait_ms(&fan, at_ns), SHORTEST_MS);
    assert_false(fan_begin(&fan, at_ns + SHORTEST_MS * MS - 1, out));
    assert_true(fan_begin(&fan, at_ns + SHORTEST_MS * MS, out));
    assert_int_equal(fan.together, 1);

    at_ns += 1000 * MS;
    say(&fan, at_ns, 3, 0);
    at_ns += SHORTEST_MS * MS;
    fan_add(&fan, SOME, 1000);
    assert_false(fan_begin(&fan, at_ns, out));
    assert_int_equal(fan_wait_ms(&fan, at_ns), QUIET_MS);
    fan_add(&fan, SOME, 1000);
    assert_false(fan_begin(&fan, at_ns + QUIET_MS * MS - 1, out)); /* another one: waits anew */
    assert_int_equal(fan_wait_ms(&fan, at_ns + QUIET_MS * MS - 1), QUIET_MS);
    assert_false(fan_begin(&fan, at_ns + QUIET_MS * MS, out));
    assert_true(fan_begin(&fan, at_ns + UINT64_C(2) * QUIET_MS * MS - 1, out));
    assert_int_equal(fan.together, 2);
}

static void
it_waits_four_times_the_shortest_at_most_whatever_keeps_coming(void **state)
{
    (void)state;
    struct fan fan = {0};
    uint64_t out[4];
    uint64_t at_ns = 100 * MS;
    unsigned waited_ms = 0;
    say(&fan, at_ns, 1000, 1);
    while (!fan_begin(&fan, at_ns + waited_ms * MS, out)) {
        fan_add(&fan, SOME, 1000);
        waited_ms++;
    }
    assert_int_equal(waited_ms, LONGEST_MS);
}

static void
what_went_together_long_ago_holds_nobody(void **state)
{
    (void)state;
    struct fan fan = {0};
    uint64_t out[4];
    say(&fan, 100 * MS, 8, 0);
    fan_add(&fan, SOME, 1000);
    assert_true(fan_begin(&fan, 10000 * MS, out));
    assert_int_equal(fan.together, 1);
}

/* One comes shortly before the shortest is over, and the others then. */
static void
until_the_shortest_is_over_that_is_when_to_look(void **state)
{
    (void)state;
    struct fan fan = {0};
    uint64_t out[4];
    uint64_t at_ns = 100 * MS;
    say(&fan, at_ns, 3, 0);
    fan_add(&fan, SOME, 1000);
    assert_false(fan_begin(&fan, at_ns + (SHORTEST_MS - 2) * MS, out));
    assert_int_equal(fan_wait_ms(&fan, at_ns + (SHORTEST_MS - 2) * MS), 2);
    fan_add(&fan, SOME, 1000);
    fan_add(&fan, SOME, 1000);
    assert_false(fan_begin(&fan, at_ns + (SHORTEST_MS - 1) * MS, out));
    assert_true(fan_begin(&fan, at_ns + SHORTEST_MS * MS, out));
}

static void
the_largest_group_in_a_round_says_how_long_it_takes(void **state)
{
    (void)state;
    struct fan fan = {0};
    uint64_t out[4];
    uint64_t at_ns = 100 * MS;
    fan_add(&fan, SOME, 1000);
    fan_add(&fan, OTHERS, 100);
    assert_true(fan_begin(&fan, at_ns, out));
    fan_add(&fan, OTHERS, 100);
    fan_add(&fan, OTHERS, 100);
    assert_false(fan_begin(&fan, at_ns + SHORTEST_MS * MS - 1, out));
    at_ns += SHORTEST_MS * MS;
    assert_true(fan_begin(&fan, at_ns, out));
    fan_add(&fan, OTHERS, 100);
    fan_add(&fan, OTHERS, 100);
    assert_false(fan_begin(&fan, at_ns + MS, out));
    assert_true(fan_begin(&fan, at_ns + 2 * MS, out));
}

static void
no_group_is_so_large_that_a_round_waits_longer_than_100_ms(void **state)
{
    (void)state;
    struct fan fan = {0};
    uint64_t out[4];
    uint64_t at_ns = 100 * MS;
    unsigned waited_ms = 0;
    for (unsigned i = 0; i < 1000; i++) {
        fan_add(&fan, SOME, 4096);
    }
    assert_true(fan_begin(&fan, at_ns, out));
    fan_add(&fan, SOME, 4096);
    while (!fan_begin(&fan, at_ns + waited_ms * MS, out)) {
        fan_add(&fan, SOME, 4096);
        waited_ms++;
    }
    assert_int_equal(waited_ms, 100);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what is said in a quiet group goes at once",
             what_is_said_in_a_quiet_group_goes_at_once),
        SPEC("what is said during a round goes with the next",
             what_is_said_during_a_round_goes_with_the_next),
        SPEC("groups of 84 have rounds", groups_of_84_have_rounds),
        SPEC("in a small group nothing waits", in_a_small_group_nothing_waits),
        SPEC("what it says goes at once though a large one waits",
             it_goes_at_once_though_a_large_one_waits),
        SPEC("a round begins when as many are due as went with the one before",
             a_round_begins_when_as_many_are_due_as_went_with_the_one_before),
        SPEC("it does not wait for what has stopped coming",
             it_does_not_wait_for_what_has_stopped_coming),
        SPEC("it waits four times the shortest at most, whatever keeps coming",
             it_waits_four_times_the_shortest_at_most_whatever_keeps_coming),
        SPEC("what went together long ago holds nobody", what_went_together_long_ago_holds_nobody),
        SPEC("until the shortest is over that is when to look again",
             until_the_shortest_is_over_that_is_when_to_look),
        SPEC("the largest group in a round says how long it takes",
             the_largest_group_in_a_round_says_how_long_it_takes),
        SPEC("no group is so large that a round waits longer than 100 ms",
             no_group_is_so_large_that_a_round_waits_longer_than_100_ms),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
