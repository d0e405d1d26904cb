/* SPDX-License-Identifier: Apache-2.0 */
/* How long messages of a chat of two live, set by either: told to both in order, held to for both,
 * whenever the power goes. */
#include "tests/sim/meeting.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(4), CRASH_STEPS = 40 };

static struct meeting meeting;
static struct attendee *alice, *bob;

static void
has(const char *answer, const char *part)
{
    if (strstr(answer, part) == NULL) {
        fail_msg("no %s in %s", part, answer);
    }
}

/* Writes to the other one; the last frame that he heard of it. */
static const char *
writes(struct attendee *from, struct attendee *to, const char *text)
{
    has(attendee_does(from, "\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},\"text\":\"%s\"}",
                      (unsigned long long)to->user, text),
        "\"sent\"");
    meeting_run(&meeting, 500);
    for (unsigned i = to->wire.heard_count; i > 0; i--) {
        if (strstr(to->wire.heard[i - 1], text) != NULL) {
            return to->wire.heard[i - 1];
        }
    }
    fail_msg("%s was not told %s", to->name, text);
    return "";
}

static const char *
sets(struct attendee *from, const struct attendee *to, const char *ttl_ms)
{
    return attendee_does(from, "\"modifyChat\":{\"chat\":{\"userId\":\"%llu\"},\"ttlMs\":\"%s\"}",
                         (unsigned long long)to->user, ttl_ms);
}

static void
begin(uint64_t seed)
{
    meeting_open(&meeting, seed, 2);
    alice = &meeting.people[0];
    bob = &meeting.people[1];
    alice->reads = false;
    bob->reads = false;
    (void)writes(alice, bob, "hello");
}

static uint64_t
lives_ms(const char *message)
{
    return wire_number(message, "expiresAtMs") - wire_number(message, "serverTimeMs");
}

static void
both_are_told_and_it_holds_for_both(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        has(sets(alice, bob, "60000"), "\"sent\"");
        meeting_run(&meeting, 500);
        assert_int_equal(lives_ms(writes(alice, bob, "one")), 60000);
        assert_int_equal(lives_ms(writes(bob, alice, "two")), 60000);
        has(attendee_does(bob, "\"listChats\":{}"), "\"ttlMs\":\"60000\"");
        has(attendee_does(alice, "\"listChats\":{}"), "\"ttlMs\":\"60000\"");
        has(sets(bob, alice, "0"), "\"sent\"");
        meeting_run(&meeting, 500);
        assert_null(strstr(writes(alice, bob, "three"), "expiresAtMs"));
        attendee_has(alice, "m1:two u0@0:ttlMs");
        attendee_has(bob, "m1:hello u0@0:ttlMs m2:one m3:three");
        meeting_close(&meeting);
    }
}

static void
what_can_not_be_is_refused(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        meeting_open(&meeting, seed, 2);
        alice = &meeting.people[0];
        bob = &meeting.people[1];
        has(sets(alice, bob, "60000"), "\"NOT_PERMITTED\"");
        has(attendee_does(alice, "\"modifyChat\":{\"chat\":{\"userName\":\"nobody\"},\"ttlMs\":"
                                 "\"60000\"}"),
            "\"UNKNOWN_USER\"");
        has(attendee_does(alice,
                          "\"modifyChat\":{\"chat\":{\"userId\":\"9000\"},\"ttlMs\":\"60000\"}"),
            "\"UNKNOWN_USER\"");
        has(attendee_does(bob, "\"setState\":{\"chat\":{\"userId\":\"%llu\"},\"blocked\":true}",
                          (unsigned long long)alice->user),
            "\"done\"");
        has(sets(alice, bob, "60000"), "\"NOT_PERMITTED\""); /* she hears nothing of the block */
        meeting_close(&meeting);
    }
}

static void
what_the_blocked_one_sets_holds_for_him_alone(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed);
        has(attendee_does(bob, "\"setState\":{\"chat\":{\"userId\":\"%llu\"},\"blocked\":true}",
                          (unsigned long long)alice->user),
            "\"done\"");
        has(sets(alice, bob, "60000"), "\"sent\"");
        meeting_run(&meeting, 500);
        has(attendee_does(alice, "\"listChats\":{}"), "\"ttlMs\":\"60000\"");
        assert_null(strstr(attendee_does(bob, "\"listChats\":{}"), "ttlMs"));
        assert_int_equal(lives_ms(writes(bob, alice, "one")), 60000); /* on her devices */
        assert_null(strstr(bob->answer, "expiresAtMs"));
        has(attendee_does(bob, "\"setState\":{\"chat\":{\"userId\":\"%llu\"},\"blocked\":false}",
                          (unsigned long long)alice->user),
            "\"done\"");
        assert_null(strstr(writes(alice, bob, "two"), "expiresAtMs"));
        has(sets(alice, bob, "60000"), "\"sent\"");
        meeting_run(&meeting, 500);
        has(attendee_does(bob, "\"listChats\":{}"), "\"ttlMs\":\"60000\"");
        assert_int_equal(lives_ms(writes(alice, bob, "three")), 60000);
        assert_int_equal(lives_ms(writes(bob, alice, "four")), 60000);
        attendee_has(bob, "m1:hello m2:two u0@0:ttlMs m3:three");
        meeting_close(&meeting);
    }
}

static void
it_is_set_for_both_or_neither_whenever_the_power_goes(void **state)
{
    (void)state;
    unsigned made = 0;
    for (unsigned n = 0; n < CRASH_STEPS; n++) {
        begin(1 + n % SEEDS);
        attendee_says(alice, "\"modifyChat\":{\"chat\":{\"userId\":\"%llu\"},\"ttlMs\":\"60000\"}",
                      (unsigned long long)bob->user);
        meeting_crash_within(&meeting, 1 + n * 6, 200);
        bool told = !alice->unanswered;
        alice->unanswered = false; /* she does not ask again yet */
        meeting_rest(&meeting);
        bool set = attendee_place(bob, "u0@0:ttlMs") > 0;
        assert_true(set || !told);
        made += set;
        const char *chats = attendee_does(bob, "\"listChats\":{}");
        assert_int_equal(strstr(chats, "\"ttlMs\"") != NULL, set);
        chats = attendee_does(alice, "\"listChats\":{}");
        assert_int_equal(strstr(chats, "\"ttlMs\"") != NULL, set);
        has(sets(alice, bob, "60000"), "\"sent\"");
        assert_int_equal(lives_ms(writes(bob, alice, "brief")), 60000);
        meeting_close(&meeting);
    }
    assert_true(made > 0 && made < CRASH_STEPS);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("both are told in order, and it holds for what both write",
             both_are_told_and_it_holds_for_both),
        SPEC("it is refused to who have not met, and for nobody", what_can_not_be_is_refused),
        SPEC("what the blocked one sets holds for him alone",
             what_the_blocked_one_sets_holds_for_him_alone),
        SPEC("it is set for both or neither, whenever the power goes",
             it_is_set_for_both_or_neither_whenever_the_power_goes),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
