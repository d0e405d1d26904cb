/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of a group that are edited, deleted for everyone, or hidden: what all members are told,
 * what is refused, and that the power going at any step changes none of it. */
#include "tests/sim/meeting.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(4), EDIT_WINDOW_MS = 20000, DELETE_WINDOW_MS = 40000 };

static struct meeting meeting;
static struct attendee *alice, *bob, *carol, *dave;

static void
begin(uint64_t seed, unsigned count)
{
    meeting_open(&meeting, seed, count);
    meeting.world.settings.edit_window_ms = EDIT_WINDOW_MS;
    meeting.world.settings.delete_window_ms = DELETE_WINDOW_MS;
    alice = &meeting.people[0];
    bob = &meeting.people[1];
    carol = &meeting.people[2];
    dave = &meeting.people[3];
    meeting_begin(&meeting);
}

static void
all_members_see_what_was_edited_in_one_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 3);
        meeting_rest(&meeting);
        attendee_goes(carol);
        assert_int_equal(attendee_writes(bob, "helo"), 1);
        assert_int_equal(attendee_writes(alice, "what?"), 2);
        answer_has(attendee_revises(bob, 1, "hello"), "\"chatNumber\":\"1\"");
        assert_int_equal(attendee_writes(bob, "there"), 3);
        meeting_rest(&meeting);
        attendee_has(alice, "u1@0:created m1:helo e1:hello m3:there");
        /* Who writes with his only device is not told so again. */
        attendee_has(bob, "u1@0:created m2:what?");
        carol->away = false;
        meeting_rest(&meeting);
        attendee_has(carol, "u1@0:created m1:helo m2:what? e1:hello m3:there");
        meeting_close(&meeting);
    }
}

static void
what_was_deleted_before_it_was_fetched_is_given_to_nobody(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 4);
        answer_has(
            attendee_changes(alice, "\"promote\":{\"participants\":[{\"userName\":\"dave\"}]}"),
            "\"update\":\"2\"");
        meeting_rest(&meeting);
        attendee_goes(carol);
        (void)attendee_writes(bob, "secret");
        (void)attendee_writes(bob, "stays");
        answer_has(attendee_revises(dave, 1, NULL), "\"sent\""); /* an admin may */
        answer_has(attendee_revises(bob, 1, NULL), "\"duplicate\":true");
        meeting_rest(&meeting);
        carol->away = false;
        meeting_rest(&meeting);
        attendee_has(alice, "u1@0:created u2@0:promoted m1:secret m2:stays d1:-");
        attendee_has(bob, "u1@0:created u2@0:promoted d1:-");
        attendee_has(carol, "u1@0:created u2@0:promoted m1:- m2:stays d1:-");
        meeting_close(&meeting);
    }
}

static void
changes_that_may_not_be_are_refused(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 4);
        unsigned long long group = meeting.group;
        (void)attendee_writes(bob, "bob's");
        (void)attendee_writes(dave, "dave's");
        answer_has(attendee_revises(carol, 1, "carol's"), "\"NOT_PERMITTED\"");
        answer_has(attendee_revises(carol, 1, NULL), "\"NOT_PERMITTED\"");
        answer_has(attendee_revises(alice, 1, "the owner's"), "\"NOT_PERMITTED\"");
        answer_has(attendee_revises(bob, 3, "none"), "\"OUT_OF_RANGE\"");
        answer_has(
            attendee_changes(alice, "\"remove\":{\"participants\":[{\"userName\":\"dave\"}]}"),
            "\"update\":\"2\"");
        answer_has(attendee_revises(dave, 2, "still here"), "\"NOT_PERMITTED\"");
        answer_has(attendee_revises(dave, 2, NULL), "\"NOT_PERMITTED\"");
        answer_has(attendee_does(bob,
                                 "\"sendMessage\":{\"chat\":{\"groupId\":\"9000\"},\"change\":{"
                                 "\"kind\":\"DELETE\",\"chatNumber\":\"1\"}}"),
                   "\"UNKNOWN_CHAT\"");
        answer_has(attendee_changes(alice, "\"rights\":{\"onlyAdminsSend\":true}"),
                   "\"update\":\"3\"");
        answer_has(attendee_revises(bob, 1, "not now"), "\"NOT_PERMITTED\"");
        answer_has(attendee_changes(alice, "\"rights\":{}"), "\"update\":\"4\"");
        answer_has(attendee_revises(bob, 1, "now"), "\"sent\"");
        answer_has(attendee_revises(bob, 1, NULL), "\"sent\"");
        answer_has(attendee_revises(bob, 1, "again"), "\"GONE\"");
        assert_int_equal(attendee_writes(bob, "old"), 3);
        meeting_run(&meeting, EDIT_WINDOW_MS);
        answer_has(attendee_revises(bob, 3, "new"), "\"TOO_LATE\"");
        meeting_run(&meeting, DELETE_WINDOW_MS);
        answer_has(attendee_revises(alice, 3, NULL), "\"TOO_LATE\"");
        answer_has(
            attendee_does(carol,
                          "\"hideMessage\":{\"chat\":{\"groupId\":\"%llu\"},\"authorUserId\":"
                          "\"%llu\",\"chatNumber\":\"9\"}",
                          group, (unsigned long long)bob->user),
            "\"UNKNOWN_CHAT\"");
        meeting_rest(&meeting);
        attendee_has(carol, "u1@0:created m1:bob's m2:dave's u2@2:removed u3@2:rights u4@2:rights "
                            "e1:now d1:- m3:old");
        attendee_has(dave, "u1@0:created m1:bob's u2@2:removed d1:-"); /* he was given it */
        meeting_close(&meeting);
    }
}

static void
a_message_is_hidden_from_oneself_alone(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 3);
        (void)attendee_writes(alice, "look away");
        for (unsigned i = 0; i < 2; i++) { /* another's, one's own */
            const struct attendee *author = i == 0 ? alice : bob;
            (void)attendee_writes(bob, "mine");
            answer_has(attendee_does(bob,
                                     "\"hideMessage\":{\"chat\":{\"groupId\":\"%llu\"},"
                                     "\"authorUserId\":\"%llu\",\"chatNumber\":\"%u\"}",
                                     (unsigned long long)meeting.group,
                                     (unsigned long long)author->user, i + 1),
                       "\"sent\"");
        }
        meeting_rest(&meeting);
        attendee_has(bob, "u1@0:created m1:look away h1:- h2:-");
        attendee_has(carol, "u1@0:created m1:look away m2:mine m3:mine");
        meeting_close(&meeting);
    }
}

/* ----------------------------------------------------------------------------------------- cost */

/* Bob's deletion is refused: how long he is to wait. He would say it again at once. */
static uint64_t
has_to_wait_ms(unsigned long long chat_number)
{
    attendee_says(bob,
                  "\"sendMessage\":{\"chat\":{\"groupId\":\"%llu\"},\"change\":{\"kind\":"
                  "\"DELETE\",\"chatNumber\":\"%llu\"}}",
                  (unsigned long long)meeting.group, chat_number);
    (void)wire_waiting(&bob->wire, 200);
    const char *answer = bob->wire.heard[bob->wire.heard_count - 1];
    answer_has(answer, "\"RATE_LIMITED\"");
    bob->unanswered = false;
    bob->wire.heard_at = bob->wire.heard_count;
    return wire_number(answer, "retryAfterMs");
}

/* Two turns of 64 and as many again are looked through for it, of each of the four. */
static void
old_messages_cost_what_it_takes_to_find_them(void **state)
{
    enum { OLD = 130, COST = 4, LIMIT = COST + 1, UNIT_MS = 60000 / LIMIT };
    (void)state;
    begin(1, 4);
    meeting.world.settings.delete_window_ms = 100ULL * DELETE_WINDOW_MS;
    for (unsigned i = 1; i <= OLD; i++) {
        assert_int_equal(attendee_writes(bob, "old"), i);
    }
    meeting.world.settings.user_rates[RATE_DELETIONS] = LIMIT;
    answer_has(attendee_revises(bob, OLD, NULL), "\"sent\""); /* the newest: next to nothing */
    answer_has(attendee_revises(bob, 1, NULL), "\"sent\"");
    answer_has(attendee_revises(bob, 2, NULL), "\"sent\""); /* what is left is enough to begin */
    uint64_t wait_ms = has_to_wait_ms(3);
    assert_in_range(wait_ms, (2 * COST + 1 - LIMIT) * UNIT_MS - 5000, 5 * UNIT_MS);
    answer_has(attendee_revises(bob, 3, "edits are not looked for"), "\"sent\"");
    assert_int_equal(attendee_writes(bob, "nor is what is new"), OLD + 1);
    answer_has(attendee_revises(alice, 3, NULL), "\"sent\""); /* others have limits of their own */
    assert_int_equal(
        messenger_counted(&meeting.world.messenger.counters.rate_refused[RATE_DELETIONS]), 1);
    meeting_run(&meeting, wait_ms);
    answer_has(attendee_revises(bob, 4, NULL), "\"sent\"");
    meeting_close(&meeting);
}

/* They are in one segment. */
static void
deletions_in_one_breath_are_paid_one_by_one(void **state)
{
    enum { OLD = 130, LIMIT = 5 };
    (void)state;
    begin(3, 4);
    meeting.world.settings.delete_window_ms = 100ULL * DELETE_WINDOW_MS;
    for (unsigned i = 1; i <= OLD; i++) {
        (void)attendee_writes(bob, "old");
    }
    meeting.world.settings.user_rates[RATE_DELETIONS] = LIMIT;
    unsigned before = bob->wire.heard_count;
    for (unsigned i = 1; i <= 20; i++) {
        char say[200];
        (void)snprintf(say, sizeof say,
                       "{\"ref\":\"7\",\"sendMessage\":{\"chat\":{\"groupId\":\"%llu\"},"
                       "\"change\":{\"kind\":\"DELETE\",\"chatNumber\":\"%u\"}}}",
                       (unsigned long long)meeting.group, i);
        wire_say(&bob->wire, say);
    }
    meeting_run(&meeting, 2000);
    /* What is left after the first is enough to begin the second. */
    assert_int_equal(wire_heard_times(&bob->wire, before, "\"sent\""), 2);
    assert_int_equal(wire_heard_times(&bob->wire, before, "\"RATE_LIMITED\""), 18);
    bob->wire.heard_at = bob->wire.heard_count;
    meeting_close(&meeting);
}

/* What was deleted before is not looked for again. */
static void
a_repeated_deletion_costs_nothing(void **state)
{
    enum { OLD = 130, LIMIT = 5 };
    (void)state;
    begin(2, 4);
    meeting.world.settings.delete_window_ms = 100ULL * DELETE_WINDOW_MS;
    for (unsigned i = 1; i <= OLD; i++) {
        (void)attendee_writes(bob, "old");
    }
    meeting.world.settings.user_rates[RATE_DELETIONS] = LIMIT;
    answer_has(attendee_revises(bob, 1, NULL), "\"sent\"");
    for (unsigned i = 0; i < 3; i++) {
        answer_has(attendee_revises(bob, 1, NULL), "\"duplicate\":true");
    }
    answer_has(attendee_revises(bob, 2, NULL), "\"sent\"");
    meeting_close(&meeting);
}

/* -------------------------------------------------------------------------------------- crashes */

enum { CRASH_STEPS = 40 };

/* The n-th crash of a run, so that all of them together lie close. */
static uint64_t
step_of(unsigned n)
{
    return 1 + n * 6;
}

/* `text`: of an edit; NULL: a deletion. Whether it was there before it was asked again. */
static bool
revises_while_the_power_goes(unsigned n, const char *text)
{
    const char *item = text != NULL ? "e1:hello" : "d1:-";
    begin(1 + n % SEEDS, 3);
    (void)attendee_writes(alice, "helo");
    meeting_rest(&meeting);
    attendee_says(alice,
                  "\"sendMessage\":{\"chat\":{\"groupId\":\"%llu\"},%s\"change\":{\"kind\":\"%s\","
                  "\"chatNumber\":\"1\"}}",
                  (unsigned long long)meeting.group, text != NULL ? "\"text\":\"hello\"," : "",
                  text != NULL ? "EDIT" : "DELETE");
    meeting_crash_within(&meeting, step_of(n), 200);
    bool told = !alice->unanswered;
    alice->unanswered = false;
    meeting_rest(&meeting);
    bool made = attendee_place(bob, item) > 0;
    assert_int_equal(attendee_place(carol, item) > 0, made);
    assert_true(made || !told);
    alice->unanswered = true;
    wire_say(&alice->wire, alice->command);
    answer_has(attendee_waits(alice), "\"sent\"");
    (void)attendee_writes(bob, "next");
    meeting_rest(&meeting);
    attendee_has(bob, text != NULL ? "u1@0:created m1:helo e1:hello" : "u1@0:created m1:helo d1:-");
    attendee_has(carol, text != NULL ? "u1@0:created m1:helo e1:hello m2:next"
                                     : "u1@0:created m1:helo d1:- m2:next");
    meeting_close(&meeting);
    return made;
}

static void
a_change_is_seen_by_all_or_none_whenever_the_power_goes(void **state)
{
    (void)state;
    unsigned made = 0;
    for (unsigned n = 0; n < CRASH_STEPS; n++) {
        made += revises_while_the_power_goes(n, n % 2 == 0 ? "hello" : NULL);
    }
    assert_true(made > 0 && made < CRASH_STEPS);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("all members see what was edited, in one order, who was away too",
             all_members_see_what_was_edited_in_one_order),
        SPEC("what was deleted before it was fetched is given to nobody",
             what_was_deleted_before_it_was_fetched_is_given_to_nobody),
        SPEC("changes by another, too late, of the deleted, by who has left or may not write are "
             "refused",
             changes_that_may_not_be_are_refused),
        SPEC("a message is hidden from oneself alone", a_message_is_hidden_from_oneself_alone),
        SPEC("deletions of old messages are limited by what it costs to find them",
             old_messages_cost_what_it_takes_to_find_them),
        SPEC("deletions that come at once are paid one after the other",
             deletions_in_one_breath_are_paid_one_by_one),
        SPEC("what is deleted already costs nothing", a_repeated_deletion_costs_nothing),
        SPEC("a change is seen by all or none, and once, whenever the power goes",
             a_change_is_seen_by_all_or_none_whenever_the_power_goes),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
