/* SPDX-License-Identifier: Apache-2.0 */
/* Groups as people see them: through real connections, with crashes and cuts. */
#include "tests/sim/meeting.h"
#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = SEEDS_OF(4), RACES = 16 };

static struct meeting meeting;
static struct attendee *alice, *bob, *carol, *dave;

static void
begin(uint64_t seed, unsigned count)
{
    meeting_open(&meeting, seed, count);
    alice = &meeting.people[0];
    bob = &meeting.people[1];
    carol = &meeting.people[2];
    dave = &meeting.people[3];
    meeting_begin(&meeting);
}

static void
all_members_see_one_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 3);
        assert_int_equal(attendee_writes(alice, "one"), 1);
        assert_int_equal(attendee_writes(bob, "two"), 2);
        answer_has(attendee_changes(bob, "\"name\":\"runners\""), "\"update\":\"2\"");
        assert_int_equal(attendee_writes(carol, "three"), 3);
        meeting_rest(&meeting);
        /* Who writes with his only device is not told so again. */
        attendee_has(alice, "u1@0:created m2:two u2@2:name m3:three");
        attendee_has(bob, "u1@0:created m1:one u2@2:name m3:three");
        attendee_has(carol, "u1@0:created m1:one m2:two u2@2:name");
        meeting_close(&meeting);
    }
}

/* -------------------------------------------------------------------------------------- members */

static void
a_new_member_gets_nothing_earlier_and_a_removed_one_nothing_later(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 4);
        answer_has(
            attendee_changes(alice, "\"remove\":{\"participants\":[{\"userName\":\"dave\"}]}"),
            "\"update\":\"2\"");
        (void)attendee_writes(alice, "one");
        answer_has(attendee_changes(bob, "\"add\":{\"participants\":[{\"userName\":\"dave\"}]}"),
                   "\"update\":\"3\"");
        (void)attendee_writes(alice, "two");
        answer_has(
            attendee_changes(alice, "\"remove\":{\"participants\":[{\"userName\":\"carol\"}]}"),
            "\"update\":\"4\"");
        (void)attendee_writes(alice, "three");
        meeting_rest(&meeting);
        attendee_has(bob, "u1@0:created u2@0:removed m1:one u3@1:added m2:two u4@2:removed "
                          "m3:three");
        attendee_has(carol, "u1@0:created u2@0:removed m1:one u3@1:added m2:two u4@2:removed");
        attendee_has(dave, "u1@0:created u2@0:removed u3@1:added m2:two u4@2:removed m3:three");
        assert_int_equal(attendee_writes(carol, "four"), 0);
        answer_has(carol->answer, "\"NOT_PERMITTED\"");
        meeting_close(&meeting);
    }
}

/* Whoever is removed while he writes: what was accepted all have, before the removal; what was not
 * he was told. */
static void
what_is_written_while_one_is_removed_is_seen_by_all_or_refused(void **state)
{
    (void)state;
    unsigned accepted = 0;
    unsigned refused = 0;
    for (uint64_t seed = 1; seed <= RACES; seed++) {
        begin(seed, 3);
        meeting_rest(&meeting);
        attendee_says(bob, "\"sendMessage\":{\"chat\":{\"groupId\":\"%llu\"},\"text\":\"last\"}",
                      (unsigned long long)meeting.group);
        if (seed % 4 > 0) {
            world_run(&meeting.world, seed % 4 - 1);
        }
        attendee_says(alice,
                      "\"modifyChat\":{\"chat\":{\"groupId\":\"%llu\"},\"remove\":{"
                      "\"participants\":[{\"userId\":\"%llu\"}]}}",
                      (unsigned long long)meeting.group, (unsigned long long)bob->user);
        bool sent = strstr(attendee_waits(bob), "\"sent\"") != NULL;
        answer_has(attendee_waits(alice), "\"update\":\"2\"");
        meeting_rest(&meeting);
        if (sent) {
            attendee_has(alice, "u1@0:created m1:last u2@1:removed");
            attendee_has(carol, "u1@0:created m1:last u2@1:removed");
            accepted++;
        } else {
            answer_has(bob->answer, "\"NOT_PERMITTED\"");
            attendee_has(carol, "u1@0:created u2@0:removed");
            refused++;
        }
        meeting_close(&meeting);
    }
    assert_true(accepted > 0 && refused > 0);
}

static void
two_admins_at_once_are_decided_in_one_order(void **state)
{
    (void)state;
    unsigned first = 0;
    for (uint64_t seed = 1; seed <= RACES; seed++) {
        begin(seed, 3);
        answer_has(
            attendee_changes(alice, "\"entitle\":{\"participants\":[{\"userName\":\"bob\"}]}"),
            "\"update\":\"2\"");
        meeting_rest(&meeting);
        for (unsigned i = 0; i < 2; i++) {
            const struct attendee *other = &meeting.people[1 - i];
            attendee_says(&meeting.people[i],
                          "\"modifyChat\":{\"chat\":{\"groupId\":\"%llu\"},\"remove\":{"
                          "\"participants\":[{\"userId\":\"%llu\"}]}}",
                          (unsigned long long)meeting.group, (unsigned long long)other->user);
        }
        bool alice_did = strstr(attendee_waits(alice), "\"update\":\"3\"") != NULL;
        bool bob_did = strstr(attendee_waits(bob), "\"update\":\"3\"") != NULL;
        assert_true(alice_did != bob_did);
        answer_has(alice_did ? bob->answer : alice->answer, "\"NOT_PERMITTED\"");
        meeting_rest(&meeting);
        attendee_has(carol, "u1@0:created u2@0:entitled u3@0:removed");
        assert_true((attendee_writes(alice, "still here") != 0) == alice_did);
        assert_true((attendee_writes(bob, "still here") != 0) == bob_did);
        first += alice_did;
        meeting_close(&meeting);
    }
    assert_true(first > 0);
}

static void
a_group_whose_last_owner_is_no_more_is_his_who_minds_it(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 3);
        answer_has(attendee_changes(alice, "\"rights\":{\"onlyAdminsEdit\":true}"),
                   "\"update\":\"2\"");
        answer_has(attendee_changes(bob, "\"name\":\"mine\""), "\"NOT_PERMITTED\"");
        answer_has(attendee_changes(alice, "\"leave\":{}"), "\"NOT_PERMITTED\"");
        attendee_says(alice, "\"deleteAccount\":{\"name\":\"alice\"}");
        alice->away = true;
        meeting_rest(&meeting);
        answer_has(alice->answer, "\"done\"");
        answer_has(attendee_changes(bob, "\"name\":\"mine\""), "\"update\":\"5\"");
        answer_has(attendee_changes(carol, "\"name\":\"no, mine\""), "\"NOT_PERMITTED\"");
        meeting_rest(&meeting);
        attendee_has(carol, "u1@0:created u2@0:rights u3@0:left u4@0:entitled u5@0:name");
        meeting_close(&meeting);
    }
}

static void
a_deleted_group_is_gone_for_all(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 3);
        answer_has(attendee_changes(bob, "\"deleteChat\":{}"), "\"NOT_PERMITTED\"");
        (void)attendee_writes(bob, "one");
        answer_has(attendee_changes(alice, "\"deleteChat\":{}"), "\"update\":\"2\"");
        assert_int_equal(attendee_writes(bob, "two"), 0);
        answer_has(bob->answer, "\"UNKNOWN_CHAT\"");
        answer_has(attendee_does(alice, "\"getChat\":{\"chat\":{\"groupId\":\"%llu\"}}",
                                 (unsigned long long)meeting.group),
                   "\"UNKNOWN_CHAT\"");
        meeting_rest(&meeting);
        attendee_has(carol, "u1@0:created m1:one u2@1:deleted");
        answer_has(attendee_does(carol, "\"listGroups\":{}"), "\"gone\":true");
        meeting_close(&meeting);
    }
}

static void
invitations_let_in_until_they_are_revoked(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 3);
        char invite[2][80];
        answer_has(
            attendee_changes(alice, "\"remove\":{\"participants\":[{\"userName\":\"carol\"}]}"),
            "\"update\":\"2\"");
        answer_has(attendee_changes(bob, "\"invite\":{}"), "\"NOT_PERMITTED\"");
        for (unsigned i = 0; i < 2; i++) {
            const char *at = strstr(attendee_changes(alice, "\"invite\":{}"), "\"invite\":\"");
            assert_non_null(at);
            (void)snprintf(invite[i], sizeof invite[i], "%.32s", at + strlen("\"invite\":\""));
        }
        assert_string_not_equal(invite[0], invite[1]);
        answer_has(attendee_does(carol, "\"joinChat\":{\"invite\":\"%s\"}", invite[0]),
                   "\"INVITE_INVALID\"");
        answer_has(attendee_does(carol, "\"joinChat\":{\"invite\":\"no invitation\"}"),
                   "\"INVITE_INVALID\"");
        answer_has(attendee_does(carol, "\"joinChat\":{\"invite\":\"%s\"}", invite[1]),
                   "\"update\":\"5\"");
        answer_has(attendee_changes(alice, "\"revokeInvite\":{}"), "\"update\":\"6\"");
        answer_has(attendee_changes(carol, "\"leave\":{}"), "\"update\":\"7\"");
        answer_has(attendee_does(carol, "\"joinChat\":{\"invite\":\"%s\"}", invite[1]),
                   "\"INVITE_INVALID\"");
        meeting_rest(&meeting);
        attendee_has(carol, "u1@0:created u2@0:removed u5@0:joined u6@0:inviteRevoked u7@0:left");
        meeting_close(&meeting);
    }
}

/* ------------------------------------------------------------------------------------- refusals */

static void
what_can_not_be_is_refused_and_nothing_happens(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 3);
        unsigned long long group = meeting.group;
        answer_has(attendee_does(bob,
                                 "\"createChat\":{\"name\":\"no\",\"participants\":[{\"userName\":"
                                 "\"carol\"},{\"userName\":\"nobody\"}]}"),
                   "\"UNKNOWN_USER\",\"text\":\"createChat.participants[1]: no such user\"");
        answer_has(attendee_does(bob,
                                 "\"createChat\":{\"name\":\"no\",\"participants\":[{\"userId\":"
                                 "\"9000\"},{\"userName\":\"carol\"}]}"),
                   "\"UNKNOWN_USER\",\"text\":\"createChat.participants[0]: no such user\"");
        answer_has(attendee_changes(bob, "\"add\":{\"participants\":[{\"userName\":\"nobody\"}]}"),
                   "\"UNKNOWN_USER\",\"text\":\"modifyChat.add.participants[0]: no such user\"");
        answer_has(
            attendee_changes(alice, "\"promote\":{\"participants\":[{\"userId\":\"9000\"}]}"),
            "\"NOT_A_MEMBER\"");
        answer_has(attendee_changes(bob, "\"promote\":{\"participants\":[{\"userName\":\"bob\"}]}"),
                   "\"NOT_PERMITTED\"");
        answer_has(attendee_changes(bob, "\"entitle\":{\"participants\":[{\"userName\":\"bob\"}]}"),
                   "\"NOT_PERMITTED\"");
        answer_has(
            attendee_changes(alice, "\"remove\":{\"participants\":[{\"userName\":\"alice\"}]}"),
            "\"NOT_EXPECTED\"");
        answer_has(attendee_does(alice,
                                 "\"sendMessage\":{\"chat\":{\"groupId\":\"%llu\"},\"text\":\"x\"}",
                                 (unsigned long long)bob->user),
                   "\"UNKNOWN_CHAT\"");
        answer_has(attendee_does(alice,
                                 "\"sendMessage\":{\"chat\":{\"userId\":\"%llu\"},\"text\":\"x\"}",
                                 group),
                   "\"UNKNOWN_USER\"");
        answer_has(attendee_does(alice,
                                 "\"markRead\":{\"chat\":{\"groupId\":\"%llu\"},\"chatNumber\":7}",
                                 group),
                   "\"OUT_OF_RANGE\"");
        answer_has(
            attendee_does(alice, "\"markRead\":{\"chat\":{\"groupId\":\"9000\"},\"chatNumber\":1}"),
            "\"UNKNOWN_CHAT\"");
        answer_has(attendee_does(alice, "\"getChatMembers\":{\"chat\":{\"groupId\":\"9000\"}}"),
                   "\"UNKNOWN_CHAT\"");
        meeting_rest(&meeting);
        attendee_has(carol, "u1@0:created");
        meeting_close(&meeting);
    }
}

/* ------------------------------------------------------------------------------------- receipts */

static void
the_writer_is_told_how_many_have_it_and_have_read_it(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 4);
        dave->reads = false;
        (void)attendee_writes(alice, "one");
        (void)attendee_writes(alice, "two");
        meeting_rest(&meeting);
        answer_has(alice->receipts,
                   "\"members\":4,\"deliveredAll\":\"2\",\"counts\":[{\"chatNumber\":\"1\","
                   "\"delivered\":3,\"read\":2},{\"chatNumber\":\"2\",\"delivered\":3,"
                   "\"read\":2}]");
        assert_string_equal(bob->receipts, "");
        answer_has(attendee_does(alice,
                                 "\"getMessageInfo\":{\"chat\":{\"groupId\":\"%llu\"},"
                                 "\"chatNumber\":\"2\"}",
                                 (unsigned long long)meeting.group),
                   "\"delivered\":\"2\"}"); /* dave's, without a read */
        assert_null(strstr(alice->answer, "OWNER"));
        answer_has(attendee_does(bob,
                                 "\"getMessageInfo\":{\"chat\":{\"groupId\":\"%llu\"},"
                                 "\"chatNumber\":\"2\"}",
                                 (unsigned long long)meeting.group),
                   "\"NOT_PERMITTED\",\"text\":\"getMessageInfo: the message is another's");
        const char *members =
            attendee_does(bob, "\"getChatMembers\":{\"chat\":{\"groupId\":\"%llu\"}}",
                          (unsigned long long)meeting.group);
        const char *his = strstr(members, "\"read\"");
        assert_non_null(his); /* his own: how far the others got is none of his business */
        assert_null(strstr(his + 1, "\"read\""));
        answer_has(attendee_does(alice,
                                 "\"getMessageInfo\":{\"chat\":{\"groupId\":\"%llu\"},"
                                 "\"chatNumber\":\"3\"}",
                                 (unsigned long long)meeting.group),
                   "\"OUT_OF_RANGE\"");
        dave->reads = true;
        meeting_rest(&meeting);
        answer_has(alice->receipts, "\"members\":4,\"deliveredAll\":\"2\",\"readAll\":\"2\"");
        meeting_close(&meeting);
    }
}

static void
the_writer_is_told_for_how_many_it_expired(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 3);
        unsigned long long group = meeting.group;
        answer_has(attendee_changes(alice, "\"ttlMs\":\"5000\""), "\"update\":\"2\"");
        meeting_rest(&meeting);
        attendee_goes(carol);
        (void)attendee_writes(alice, "brief");
        meeting_run(&meeting, 40000); /* the first sweep of a start takes its time */
        meeting_rest(&meeting);
        /* All who can have it have it, and have read it. */
        answer_has(alice->receipts,
                   "\"members\":3,\"deliveredAll\":\"1\",\"readAll\":\"1\",\"counts\":[{"
                   "\"chatNumber\":\"1\",\"delivered\":1,\"read\":1,\"expired\":1}]");
        answer_has(attendee_does(
                       alice,
                       "\"getMessageInfo\":{\"chat\":{\"groupId\":\"%llu\"},\"chatNumber\":\"1\"}",
                       group),
                   "\"expired\":\"1\"}");
        carol->away = false;
        (void)attendee_writes(alice, "next");
        meeting_rest(&meeting);
        attendee_has(carol, "u1@0:created u2@0:ttlMs m2:next");
        /* Her cursor has passed over it, and it is not taken for delivered. */
        answer_has(attendee_does(
                       alice,
                       "\"getMessageInfo\":{\"chat\":{\"groupId\":\"%llu\"},\"chatNumber\":\"1\"}",
                       group),
                   "\"delivered\":\"2\",\"read\":\"2\",\"expired\":\"1\"}");
        meeting_close(&meeting);
    }
}

static void
what_a_group_is_and_who_is_in_it_is_told_to_members(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        begin(seed, 3);
        unsigned long long group = meeting.group;
        bob->reads = false;
        (void)attendee_writes(alice, "one");
        answer_has(attendee_changes(alice, "\"description\":\"on Sundays\""), "\"update\":\"2\"");
        answer_has(attendee_changes(bob, "\"picture\":\"m/1\""), "\"update\":\"3\"");
        answer_has(attendee_changes(bob, "\"ttlMs\":\"60000\""), "\"update\":\"4\"");
        answer_has(
            attendee_changes(alice, "\"promote\":{\"participants\":[{\"userName\":\"carol\"}]}"),
            "\"update\":\"5\"");
        meeting_rest(&meeting);
        const char *info =
            attendee_does(carol, "\"getChat\":{\"chat\":{\"groupId\":\"%llu\"}}", group);
        answer_has(info, "\"name\":\"walkers\",\"description\":\"on Sundays\",\"picture\":\"m/1\"");
        answer_has(info, "\"members\":3,\"role\":\"ADMIN\",\"rights\":{},\"ttlMs\":\"60000\","
                         "\"chatNumber\":\"1\",\"update\":\"5\"");
        answer_has(
            attendee_does(bob, "\"listGroups\":{}"),
            "\"role\":\"MEMBER\",\"chatNumber\":\"1\",\"delivered\":\"1\",\"unread\":\"1\"}]");
        const char *page = attendee_does(
            bob, "\"getChatMembers\":{\"chat\":{\"groupId\":\"%llu\"},\"max\":2}", group);
        uint64_t more = wire_number(page, "moreAfterUserId");
        page = attendee_does(bob,
                             "\"getChatMembers\":{\"chat\":{\"groupId\":\"%llu\"},\"afterUserId\":"
                             "\"%llu\"}",
                             group, (unsigned long long)more);
        assert_null(strstr(page, "moreAfterUserId"));
        assert_true(wire_number(page, "userId") > more);
        meeting_close(&meeting);
    }
}

/* -------------------------------------------------------------------------------------- crashes */

enum { CRASH_STEPS = 40 };

/* The n-th crash of a run, so that all of them together lie close. */
static uint64_t
step_of(unsigned n)
{
    return 1 + n * 6;
}

static void
a_group_is_made_for_all_or_none_whenever_the_power_goes(void **state)
{
    (void)state;
    unsigned before = 0;
    for (unsigned n = 0; n < CRASH_STEPS; n++) {
        meeting_open(&meeting, 1 + n % SEEDS, 3);
        alice = &meeting.people[0];
        attendee_says(alice, "\"createChat\":{\"name\":\"walkers\",\"participants\":[{\"userName\":"
                             "\"bob\"},{\"userName\":\"carol\"}]}");
        meeting_crash_within(&meeting, step_of(n), 200);
        bool told = !alice->unanswered;
        bool made = false;
        alice->unanswered = false; /* he does not ask again yet */
        meeting_rest(&meeting);
        for (unsigned i = 0; i < meeting.count; i++) {
            bool sees = meeting.people[i].items_count > 0;
            assert_true(i == 0 || sees == made);
            made = sees;
        }
        assert_true(made || !told);
        before += !made;
        /* Asked again under its number it is the same group. */
        alice->unanswered = true;
        wire_say(&alice->wire, alice->command);
        const char *answer = attendee_waits(alice);
        meeting.group = wire_number(answer, "groupId");
        meeting_rest(&meeting);
        for (unsigned i = 0; i < meeting.count; i++) {
            attendee_has(&meeting.people[i], "u1@0:created");
        }
        assert_int_equal(attendee_writes(&meeting.people[1], "hello"), 1);
        meeting_close(&meeting);
    }
    assert_true(before > 0 && before < CRASH_STEPS);
}

static void
a_change_happens_to_all_or_none_whenever_the_power_goes(void **state)
{
    (void)state;
    unsigned before = 0;
    for (unsigned n = 0; n < CRASH_STEPS; n++) {
        begin(1 + n % SEEDS, 4);
        answer_has(
            attendee_changes(alice, "\"remove\":{\"participants\":[{\"userName\":\"dave\"}]}"),
            "\"update\":\"2\"");
        meeting_rest(&meeting);
        attendee_says(alice,
                      "\"modifyChat\":{\"chat\":{\"groupId\":\"%llu\"},\"add\":{\"participants\":["
                      "{\"userId\":\"%llu\"}]}}",
                      (unsigned long long)meeting.group, (unsigned long long)dave->user);
        meeting_crash_within(&meeting, step_of(n), 200);
        bool told = !alice->unanswered;
        bool added = false;
        alice->unanswered = false;
        meeting_rest(&meeting);
        for (unsigned i = 0; i < meeting.count; i++) {
            bool sees = attendee_place(&meeting.people[i], "u3@0:added") > 0;
            assert_true(i == 0 || sees == added);
            added = sees;
        }
        assert_true(added || !told);
        before += !added;
        alice->unanswered = true;
        wire_say(&alice->wire, alice->command);
        answer_has(attendee_waits(alice), "\"update\":\"3\"");
        (void)attendee_writes(dave, "thanks");
        meeting_rest(&meeting);
        attendee_has(bob, "u1@0:created u2@0:removed u3@0:added m1:thanks");
        attendee_has(dave, "u1@0:created u2@0:removed u3@0:added");
        meeting_close(&meeting);
    }
    assert_true(before > 0 && before < CRASH_STEPS);
}

/* With no message of the group in between. */
static void
who_deletes_his_account_leaves_whenever_the_power_goes(void **state)
{
    (void)state;
    unsigned before = 0;
    for (unsigned n = 0; n < CRASH_STEPS; n++) {
        begin(1 + n % SEEDS, 3);
        answer_has(
            attendee_changes(alice, "\"entitle\":{\"participants\":[{\"userName\":\"bob\"}]}"),
            "\"update\":\"2\"");
        meeting_rest(&meeting);
        attendee_says(bob, "\"deleteAccount\":{\"name\":\"bob\"}");
        meeting_crash_within(&meeting, step_of(n), 200);
        bool told = !bob->unanswered;
        bob->unanswered = false;
        bob->away = true;
        meeting_rest(&meeting);
        bool left = attendee_place(alice, "u3@0:left") > 0;
        assert_true(left || !told);
        before += !left;
        if (!left) {
            bob->away = false;
            meeting_run(&meeting, 50);
            attendee_says(bob, "\"deleteAccount\":{\"name\":\"bob\"}");
            bob->away = true; /* he is let in no more */
            meeting_rest(&meeting);
            answer_has(bob->answer, "\"done\"");
        }
        attendee_has(alice, "u1@0:created u2@0:entitled u3@0:left");
        attendee_has(carol, "u1@0:created u2@0:entitled u3@0:left");
        const char *info = attendee_does(carol, "\"getChat\":{\"chat\":{\"groupId\":\"%llu\"}}",
                                         (unsigned long long)meeting.group);
        answer_has(info, "\"members\":2,\"role\":\"MEMBER\"");
        meeting_close(&meeting);
    }
    assert_true(before > 0 && before < CRASH_STEPS);
}

/* ---------------------------------------------------------------------------------------- talk */

enum { TALK_SEEDS = SEEDS_OF(12), TALK_STEPS = 40 };

/* What two have been shown, apart from what each wrote himself, stands in the same order. */
static void
same_order(const struct attendee *one, const struct attendee *other)
{
    unsigned last = 0;
    for (unsigned i = 0; i < one->items_count; i++) {
        unsigned place = attendee_place(other, one->items[i]);
        if (place != 0 && place <= last) {
            fail_msg("seed %llu: %s and %s differ at %s", (unsigned long long)meeting.world.seed,
                     one->name, other->name, one->items[i]);
        }
        last = place != 0 ? place : last;
    }
}

static bool
wrote(const struct attendee *attendee, uint64_t number)
{
    for (unsigned i = 0; i < attendee->wrote_count; i++) {
        if (attendee->wrote[i] == number) {
            return true;
        }
    }
    return false;
}

static bool
was_shown(const struct attendee *attendee, char kind, uint64_t number)
{
    for (unsigned i = 0; i < attendee->items_count; i++) {
        const char *item = attendee->items[i];
        if (item[0] == kind && strtoull(item + 1, NULL, 10) == number) {
            return true;
        }
    }
    return false;
}

/* alice, its owner, was in it all the time: each update, and each message that is not her own. */
static void
owner_has_all(void)
{
    const char *info = attendee_does(alice, "\"getChat\":{\"chat\":{\"groupId\":\"%llu\"}}",
                                     (unsigned long long)meeting.group);
    uint64_t last = wire_number(info, "chatNumber");
    uint64_t update = wire_number(info, "update");
    assert_true(last > 1 && update > 1);
    for (uint64_t number = 1; number <= last; number++) {
        assert_true(wrote(alice, number) != was_shown(alice, 'm', number));
    }
    for (uint64_t number = 1; number <= update; number++) {
        assert_true(was_shown(alice, 'u', number));
    }
    for (unsigned i = 0; i < meeting.count; i++) {
        for (unsigned at = 0; at < meeting.people[i].wrote_count; at++) {
            assert_true(meeting.people[i].wrote[at] <= last);
        }
    }
}

static void
someone_does_something(uint64_t step)
{
    struct world *world = &meeting.world;
    struct attendee *someone = &meeting.people[(step * 7 + world->seed) % meeting.count];
    unsigned long long group = meeting.group;
    unsigned long long other =
        meeting.people[1 + (step * 3 + world->seed) % (meeting.count - 1)].user;
    if (someone->unanswered) {
        return;
    }
    switch ((step * 5 + world->seed * 3) % 11) {
    case 9: /* of what somebody wrote: most are refused, some are not */
    case 10:
        attendee_says(someone,
                      "\"sendMessage\":{\"chat\":{\"groupId\":\"%llu\"},%s\"change\":{"
                      "\"kind\":\"%s\",\"chatNumber\":\"%llu\"}}",
                      group, step % 2 == 0 ? "\"text\":\"edited\"," : "",
                      step % 2 == 0 ? "EDIT" : "DELETE", 1 + (unsigned long long)step / 5);
        break;
    case 0:
        attendee_says(someone,
                      "\"modifyChat\":{\"chat\":{\"groupId\":\"%llu\"},\"remove\":{"
                      "\"participants\":[{\"userId\":\"%llu\"}]}}",
                      group, other);
        break;
    case 1:
    case 2:
        attendee_says(someone,
                      "\"modifyChat\":{\"chat\":{\"groupId\":\"%llu\"},\"add\":{"
                      "\"participants\":[{\"userId\":\"%llu\"}]}}",
                      group, other);
        break;
    case 3:
        attendee_says(someone,
                      "\"modifyChat\":{\"chat\":{\"groupId\":\"%llu\"},\"name\":\"n%llu\"}", group,
                      (unsigned long long)step);
        break;
    default:
        attendee_says(someone,
                      "\"sendMessage\":{\"chat\":{\"groupId\":\"%llu\"},\"text\":\"t%llu\"}", group,
                      (unsigned long long)step);
        break;
    }
}

static void
nothing_is_lost_twice_or_out_of_order_over_crashes_and_cuts(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= TALK_SEEDS; seed++) {
        begin(seed, 5);
        for (uint64_t step = 0; step < TALK_STEPS; step++) {
            someone_does_something(step);
            meeting_run(&meeting, (seed + step) % 7);
            if ((step + seed) % 5 == 0) {
                attendee_is_cut(&meeting.people[(step + seed) % meeting.count]);
            }
            if ((step * 3 + seed) % 20 == 0) {
                meeting_crash_within(&meeting, 5 + step * 13 % 200, 50);
            }
        }
        meeting_rest(&meeting);
        for (unsigned i = 0; i < meeting.count; i++) {
            for (unsigned j = 0; j < meeting.count; j++) {
                same_order(&meeting.people[i], &meeting.people[j]);
            }
        }
        owner_has_all();
        meeting_close(&meeting);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("all members see one order of messages and changes", all_members_see_one_order),
        SPEC("a new member gets nothing earlier, and a removed one nothing later",
             a_new_member_gets_nothing_earlier_and_a_removed_one_nothing_later),
        SPEC("what one writes while being removed is seen by all, or refused",
             what_is_written_while_one_is_removed_is_seen_by_all_or_refused),
        SPEC("two owners who remove each other at once are decided in one order",
             two_admins_at_once_are_decided_in_one_order),
        SPEC("no owner leaves last; a group whose last owner is no more belongs to who first "
             "changes "
             "something",
             a_group_whose_last_owner_is_no_more_is_his_who_minds_it),
        SPEC("a deleted group is gone for all of its members", a_deleted_group_is_gone_for_all),
        SPEC("an invitation lets in until another takes its place or it is revoked",
             invitations_let_in_until_they_are_revoked),
        SPEC("what can't be is refused, and nothing happens",
             what_can_not_be_is_refused_and_nothing_happens),
        SPEC("who writes is told how many have it and how many have read it",
             the_writer_is_told_how_many_have_it_and_have_read_it),
        SPEC("who writes is told for how many it expired, which is not delivered",
             the_writer_is_told_for_how_many_it_expired),
        SPEC("what a group is and who is in it is told to its members, in pages",
             what_a_group_is_and_who_is_in_it_is_told_to_members),
        SPEC("a group is made for all or none, whenever the power goes",
             a_group_is_made_for_all_or_none_whenever_the_power_goes),
        SPEC("a change happens to all or none, whenever the power goes",
             a_change_happens_to_all_or_none_whenever_the_power_goes),
        SPEC("who deletes his account leaves at once, whenever the power goes",
             who_deletes_his_account_leaves_whenever_the_power_goes),
        SPEC("nothing is lost, comes twice or out of order over crashes and cuts",
             nothing_is_lost_twice_or_out_of_order_over_crashes_and_cuts),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
