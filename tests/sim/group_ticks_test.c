/* SPDX-License-Identifier: Apache-2.0 */
/* What a group's writers are told of members who were away, and of inboxes that were full: a tick
 * is true, and is never taken back. */
#include "tests/sim/meeting.h"
#include "tests/spec.h"

enum { SEEDS = SEEDS_OF(4) };

static struct meeting meeting;
static struct attendee *alice, *bob, *carol;

static void
begin(uint64_t seed, unsigned count)
{
    meeting_open(&meeting, seed, count);
    alice = &meeting.people[0];
    bob = &meeting.people[1];
    carol = &meeting.people[2];
    meeting_begin(&meeting);
}

static void
bob_is_out_while_she_writes(const char *text)
{
    (void)attendee_changes(alice, "\"remove\":{\"participants\":[{\"userName\":\"bob\"}]}");
    (void)attendee_writes(alice, text);
    (void)attendee_changes(alice, "\"add\":{\"participants\":[{\"userName\":\"bob\"}]}");
    meeting_rest(&meeting);
}

/* Nothing is told of him that was not so, and nothing that was told is taken back. */
static void
who_comes_back_has_what_he_had(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 3);
        carol->reads = false;
        meeting_rest(&meeting);
        attendee_goes(bob);
        (void)attendee_writes(alice, "one");
        bob_is_out_while_she_writes("two");
        answer_has(alice->receipts, "\"deliveredAll\":\"2\",\"counts\":[{\"chatNumber\":\"1\","
                                    "\"delivered\":1},{\"chatNumber\":\"2\",\"delivered\":1}]");
        bob->away = false;
        meeting_run(&meeting, 3000);
        meeting_rest(&meeting);
        answer_has(alice->receipts,
                   "\"counts\":[{\"chatNumber\":\"1\",\"delivered\":2,\"read\":1},{"
                   "\"chatNumber\":\"2\",\"delivered\":1}]");
        (void)attendee_writes(alice, "three");
        meeting_rest(&meeting);
        bob_is_out_while_she_writes("four");
        answer_has(alice->receipts,
                   "\"counts\":[{\"chatNumber\":\"1\",\"delivered\":2,\"read\":1},{"
                   "\"chatNumber\":\"2\",\"delivered\":1},{\"chatNumber\":\"3\",\"delivered\":2,"
                   "\"read\":1},{\"chatNumber\":\"4\",\"delivered\":1}]");
        attendee_has(bob, "u1@0:created m1:one u2@1:removed u3@2:added m3:three u4@3:removed "
                          "u5@4:added");
        meeting_close(&meeting);
    }
}

/* A full inbox, twice: what it did not take is told as expired, and nothing else is taken for
 * read. */
static void
what_a_full_inbox_did_not_take_is_told_to_the_writer(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 2);
        meeting_rest(&meeting);
        meeting.world.settings.inbox_entries_max = 3;
        meeting_crash_within(&meeting, 1, 1000); /* with the setting */
        meeting_rest(&meeting);
        attendee_goes(bob);
        for (unsigned i = 1; i <= 5; i++) {
            assert_int_equal(attendee_writes(alice, "first"), i);
        }
        bob->away = false;
        meeting_rest(&meeting);
        answer_has(alice->receipts,
                   "\"deliveredAll\":\"5\",\"readAll\":\"5\",\"counts\":[{\"chatNumber\":\"4\","
                   "\"expired\":1},{\"chatNumber\":\"5\",\"expired\":1}]");
        bob->reads = false;
        (void)attendee_writes(alice, "six");
        (void)attendee_writes(alice, "seven");
        meeting_rest(&meeting);
        attendee_goes(bob);
        for (unsigned i = 8; i <= 11; i++) {
            assert_int_equal(attendee_writes(alice, "more"), i);
        }
        meeting_rest(&meeting);
        answer_has(alice->receipts, "\"deliveredAll\":\"7\",\"readAll\":\"5\"");
        answer_has(alice->receipts, "{\"chatNumber\":\"7\",\"delivered\":1}");
        answer_has(alice->receipts, "{\"chatNumber\":\"11\",\"expired\":1}");
        bob->away = false;
        bob->reads = true;
        meeting_rest(&meeting);
        answer_has(alice->receipts, "\"deliveredAll\":\"11\",\"readAll\":\"11\"");
        answer_has(attendee_does(alice,
                                 "\"getMessageInfo\":{\"chat\":{\"groupId\":\"%llu\"},"
                                 "\"chatNumber\":\"4\"}",
                                 (unsigned long long)meeting.group),
                   "\"expiredAfter\":\"3\",\"expired\":\"5\"}");
        meeting_close(&meeting);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("who leaves and comes back has what he had, and is given no tick for the rest",
             who_comes_back_has_what_he_had),
        SPEC("what an inbox that was full did not take its writer is told, each time",
             what_a_full_inbox_did_not_take_is_told_to_the_writer),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
