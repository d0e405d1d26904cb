/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/typing_slots.h"

#include "tests/spec.h"

#include <string.h>

enum { ALICE = 1000, BOB = 2000, GROUP = 7, NOW_S = 100 };
enum { NOTHING, TYPES, RECORDS };

static struct typing_slots slots;

static int
begin(void **state)
{
    (void)state;
    memset(&slots, 0, sizeof slots);
    slots.key = UINT64_C(0x1234567890abcdef);
    return 0;
}

static bool
due(uint64_t user, uint64_t group, uint8_t kind, uint32_t now_s)
{
    return typing_slots_due(&slots, user, group, kind, now_s);
}

static void
the_same_is_due_once_a_second(void **state)
{
    (void)state;
    assert_true(due(ALICE, GROUP, TYPES, NOW_S));
    assert_false(due(ALICE, GROUP, TYPES, NOW_S));
    assert_true(due(BOB, GROUP, TYPES, NOW_S));
    assert_true(due(ALICE, GROUP + 1, TYPES, NOW_S));
    assert_true(due(ALICE, GROUP, TYPES, NOW_S + 1));
}

static void
something_else_is_due_at_once_a_few_times(void **state)
{
    (void)state;
    unsigned times = 0;
    for (unsigned i = 0; i < 100; i++) {
        times += due(ALICE, GROUP, i % 2 == 0 ? NOTHING : RECORDS, NOW_S);
    }
    assert_int_equal(times, TYPING_PER_SECOND_MAX);
    assert_true(due(ALICE, GROUP, NOTHING, NOW_S + 1));
}

static void
of_all_groups_of_a_user_a_few_are_due(void **state)
{
    (void)state;
    for (uint32_t now_s = NOW_S; now_s < NOW_S + 3; now_s++) {
        unsigned times = 0;
        for (unsigned i = 0; i < 10000; i++) {
            times += due(ALICE, GROUP + i % 300, (uint8_t)(i % 3), now_s);
        }
        assert_int_equal(times, TYPING_OF_USER_PER_SECOND_MAX);
        assert_true(due(BOB, GROUP, TYPES, now_s));
    }
}

/* Of all pairs of groups there are some that meet. */
static void
no_two_groups_take_each_others_place(void **state)
{
    (void)state;
    for (uint64_t group = GROUP + 1; group < GROUP + 5000; group++) {
        uint32_t now_s = NOW_S + (uint32_t)group;
        unsigned times = 0;
        for (unsigned i = 0; i < 10; i++) {
            times += due(ALICE, i % 2 == 0 ? GROUP : group, TYPES, now_s);
        }
        assert_int_equal(times, 2);
    }
}

static void
what_finds_no_place_is_not_due(void **state)
{
    (void)state;
    unsigned times = 0;
    for (uint64_t user = 1; user <= UINT64_C(10) * TYPING_SLOTS; user++) {
        times += due(user, GROUP, TYPES, NOW_S);
        times += due(user, GROUP, TYPES, NOW_S);
    }
    assert_in_range(times, TYPING_SLOTS / 8, TYPING_SLOTS / 2);
    assert_true(due(ALICE, GROUP, TYPES, NOW_S + 1));
}

/* Of what Alice does in the group, in an empty table with this key. */
static size_t
place(uint64_t key)
{
    size_t at = 0;
    memset(&slots, 0, sizeof slots);
    slots.key = key;
    assert_true(due(ALICE, GROUP, TYPES, NOW_S));
    while (slots.slots[at].group != GROUP) {
        at++;
    }
    return at;
}

static void
the_key_decides_who_meets(void **state)
{
    (void)state;
    unsigned elsewhere = 0;
    for (uint64_t key = 1; key <= 100; key++) {
        elsewhere += place(key) != place(0);
    }
    assert_true(elsewhere > 90);
}

#define STORY(title, function)                 \
    {                                          \
        (title), (function), begin, NULL, NULL \
    }

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        STORY("the same is due once a second", the_same_is_due_once_a_second),
        STORY("something else is due at once, a few times a second",
              something_else_is_due_at_once_a_few_times),
        STORY("of all groups of a user a few are due in a second, whatever the others do",
              of_all_groups_of_a_user_a_few_are_due),
        STORY("no two groups take each other's place", no_two_groups_take_each_others_place),
        STORY("what finds no place in a second is not due in it", what_finds_no_place_is_not_due),
        STORY("the key decides who meets in a set", the_key_decides_who_meets),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
