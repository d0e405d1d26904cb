/* SPDX-License-Identifier: Apache-2.0 */
/* What was said in a group, asked for by a device that comes later, through power cuts. */
#include "tests/sim/meeting.h"
#include "tests/spec.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CUTS = 6, CUT_STEP = 61, PAGE = 2, PAST_BYTES = 4096 };

static struct meeting meeting;
static struct attendee *alice, *bob, *carol;

/* A device that nobody has seen before, of one of them. */
static struct wire fresh;
static char fresh_token[sizeof fresh.token];

static void
begin(uint64_t seed)
{
    meeting_open(&meeting, seed, 3);
    meeting.world.settings.history_ms = 30 * STORE_DAY_MS;
    meeting_crash_within(&meeting, 1, 1000); /* with the setting */
    alice = &meeting.people[0];
    bob = &meeting.people[1];
    carol = &meeting.people[2];
    fresh_token[0] = '\0';
    meeting_begin(&meeting);
    meeting_rest(&meeting);
}

static void
end(void)
{
    if (fresh_token[0] != '\0') {
        wire_end(&fresh);
    }
    meeting_close(&meeting);
}

/* The first time it logs in with the password, and is the same device from then on. */
static void
fresh_comes(const struct attendee *attendee, enum protocol_form form)
{
    if (fresh_token[0] == '\0') {
        (void)wire_join(&fresh, &meeting.world, form, attendee->name);
        memcpy(fresh_token, fresh.token, sizeof fresh_token);
    } else {
        wire_end(&fresh);
        wire_open(&fresh, &meeting.world, form);
        wire_login(&fresh, fresh_token);
    }
    (void)wire_waiting(&fresh, 500);
}

static const char *
between(const char *frame, const char *key, const char *end_of)
{
    static char text[4][64];
    static unsigned next;
    char *out = text[next++ % 4];
    const char *at = strstr(frame, key);
    int bytes = at != NULL ? (int)strcspn(at + strlen(key), end_of) : 0;
    (void)snprintf(out, sizeof text[0], "%.*s", bytes, at != NULL ? at + strlen(key) : "");
    return out;
}

/* "u2@1:added": update 2, behind message 1. */
static void
update_note(const char *frame, char *out)
{
    static const char *const changes[] = {"created", "added", "removed", "name", "left"};
    size_t used = strlen(out);
    const char *found = "?";
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "\"%s\":", changes[i]);
        if (strcmp(found, "?") == 0 && strstr(frame, key) != NULL) {
            found = changes[i];
        }
    }
    (void)snprintf(out + used, PAST_BYTES - used, "%su%" PRIu64 "@%" PRIu64 ":%s",
                   used > 0 ? " " : "", wire_number(frame, "update"),
                   wire_number_in(frame, "chatNumber"), found);
}

/* "m1:text=STATE", of one's own perhaps with "(delivered/read/expired)". */
static void
row_note(const char *frame, char *out)
{
    size_t used = strlen(out);
    const char *count = strstr(frame, "\"count\":{");
    if (strstr(frame, "\"inboxNumber\"") != NULL) {
        return;
    }
    if (strncmp(frame, "{\"chatUpdate\"", 13) == 0) {
        update_note(frame, out);
    }
    if (strncmp(frame, "{\"newMessage\"", 13) != 0) {
        return;
    }
    used +=
        (size_t)snprintf(out + used, PAST_BYTES - used, "%sm%" PRIu64 ":%s=%s", used > 0 ? " " : "",
                         wire_number(frame, "chatNumber"), between(frame, "\"text\":\"", "\""),
                         between(frame, "\"state\":\"", "\""));
    if (count != NULL) {
        (void)snprintf(out + used, PAST_BYTES - used, "(%s/%s/%s)",
                       between(count, "\"delivered\":", ",}"), between(count, "\"read\":", ",}"),
                       between(count, "\"expired\":", ",}"));
    }
}

/* All pages; the last one's answer stays in `last`. */
static const char *
past_of(const struct attendee *attendee, enum protocol_form form, const char *narrowed,
        char last[MEETING_FRAME_BYTES])
{
    static char out[PAST_BYTES];
    char command[256];
    uint64_t next = 0;
    out[0] = '\0';
    fresh_comes(attendee, form);
    do {
        (void)snprintf(command, sizeof command,
                       "{\"ref\":\"9\",\"getHistory\":{\"chat\":{\"groupId\":\"%" PRIu64
                       "\"},\"max\":%d,\"from\":\"%" PRIu64 "\"%s}}",
                       meeting.group, PAGE, next, narrowed);
        wire_say(&fresh, command);
        const char *frame = wire_hear(&fresh);
        while (frame != NULL && strstr(frame, "\"answer\":{\"ref\":\"9\"") == NULL) {
            row_note(frame, out);
            frame = wire_hear(&fresh);
        }
        assert_non_null(frame);
        answer_has(frame, "\"history\":{");
        (void)snprintf(last, MEETING_FRAME_BYTES, "%s", frame);
        next = wire_number_in(frame, "next");
    } while (next != 0);
    return out;
}

static void
past_is(const struct attendee *attendee, enum protocol_form form, const char *expected)
{
    char last[MEETING_FRAME_BYTES];
    assert_string_equal(past_of(attendee, form, ",\"forward\":true,\"only\":\"MESSAGES\"", last),
                        expected);
}

static void
past_narrowed_is(const struct attendee *attendee, const char *narrowed, const char *expected)
{
    char last[MEETING_FRAME_BYTES];
    assert_string_equal(past_of(attendee, PROTOCOL_BINARY, narrowed, last), expected);
}

/* All that her history says stands as she was told by receipts, or has gone on since. */
static void
agrees_with_receipts(void)
{
    char last[MEETING_FRAME_BYTES];
    (void)past_of(alice, PROTOCOL_JSON, "", last);
    assert_true(wire_number_in(last, "peerDelivered") >=
                wire_number_in(alice->receipts, "deliveredAll"));
    assert_true(wire_number_in(last, "peerRead") >= wire_number_in(alice->receipts, "readAll"));
}

static void
a_writer_finds_the_ticks_of_his_messages(void **state)
{
    (void)state;
    for (uint64_t step = 0; step < CUTS; step++) {
        begin(40 + step);
        carol->reads = false;
        (void)attendee_writes(alice, "one");
        meeting_rest(&meeting);
        past_is(alice, PROTOCOL_JSON, "m1:one=DELIVERED(2/1/)");
        attendee_goes(bob);
        (void)attendee_writes(alice, "two");
        meeting_crash_within(&meeting, 1 + step * CUT_STEP, 2000);
        agrees_with_receipts();
        meeting_rest(&meeting);
        past_is(alice, PROTOCOL_BINARY, "m1:one=DELIVERED(2/1/) m2:two=SENT(1//)");
        bob->away = false;
        meeting_run(&meeting, 200);
        meeting_crash_within(&meeting, 1 + step * CUT_STEP, 2000);
        agrees_with_receipts();
        meeting_rest(&meeting);
        past_is(alice, PROTOCOL_JSON, "m1:one=DELIVERED(2/1/) m2:two=DELIVERED(2/1/)");
        carol->reads = true;
        meeting_crash_within(&meeting, 1 + step * CUT_STEP, 2000);
        agrees_with_receipts();
        meeting_rest(&meeting);
        (void)attendee_writes(carol, "three");
        meeting_rest(&meeting);
        past_is(alice, PROTOCOL_BINARY, "m1:one=READ m2:two=READ m3:three=READ");
        agrees_with_receipts();
        end();
    }
}

/* More of them than a writer is told of at once: of the first he was told only that one had
 * them. */
static void
a_count_that_was_left_behind_is_not_told(void **state)
{
    enum { MESSAGES = 20, TOLD = 16 };
    char expected[PAST_BYTES];
    size_t used = 0;
    (void)state;
    begin(50);
    carol->reads = false;
    attendee_goes(bob);
    for (unsigned i = 1; i <= MESSAGES; i++) {
        (void)attendee_writes(alice, "hello");
        meeting_rest(&meeting);
        used += (size_t)snprintf(expected + used, sizeof expected - used, "%sm%u:hello=DELIVERED%s",
                                 i > 1 ? " " : "", i, i > MESSAGES - TOLD ? "(2/1/)" : "");
    }
    bob->away = false;
    meeting_rest(&meeting);
    past_is(alice, PROTOCOL_JSON, expected);
    end();
}

static void
bob_is(const char *change)
{
    char command[128];
    (void)snprintf(command, sizeof command, "\"%s\":{\"participants\":[{\"userName\":\"bob\"}]}",
                   change);
    (void)attendee_changes(alice, command);
}

/* He is out of it while two is written, and it is called otherwise. */
static void
what_became_of_a_group_stands_in_its_order(void **state)
{
    (void)state;
    for (uint64_t step = 0; step < CUTS; step++) {
        begin(70 + step);
        (void)attendee_writes(alice, "one");
        meeting_crash_within(&meeting, 1 + step * CUT_STEP, 2000);
        bob_is("remove");
        (void)attendee_writes(alice, "two");
        meeting_crash_within(&meeting, 1 + step * CUT_STEP, 2000);
        (void)attendee_changes(alice, "\"name\":\"runners\"");
        bob_is("add");
        (void)attendee_writes(carol, "three");
        meeting_crash_within(&meeting, 1 + step * CUT_STEP, 2000);
        meeting_rest(&meeting);
        if (step % 2 == 0) {
            past_narrowed_is(bob, ",\"forward\":true",
                             "u1@0:created m1:one=READ u2@1:removed u4@2:added m3:three=READ");
            past_narrowed_is(bob, "",
                             "m3:three=READ u4@2:added u2@1:removed m1:one=READ u1@0:created");
        } else {
            past_narrowed_is(carol, ",\"forward\":true",
                             "u1@0:created m1:one=READ u2@1:removed m2:two=READ u3@2:name "
                             "u4@2:added m3:three=READ");
            past_narrowed_is(carol, ",\"only\":\"CHAT_UPDATES\"",
                             "u4@2:added u3@2:name u2@1:removed u1@0:created");
            past_narrowed_is(carol, ",\"only\":\"MESSAGES\",\"forward\":true",
                             "m1:one=READ m2:two=READ m3:three=READ");
            char of_carol[64];
            (void)snprintf(of_carol, sizeof of_carol, ",\"senderUserId\":\"%" PRIu64 "\"",
                           carol->user);
            past_narrowed_is(carol, of_carol, "m3:three=READ");
            past_narrowed_is(carol, ",\"contentKind\":1", "");
        }
        end();
    }
}

/* The rows of histories alone: what waits in an inbox has a number there. */
static bool
exports(const struct attendee *attendee, const char *part)
{
    struct wire wire;
    char request[512];
    bool found = false;
    (void)snprintf(request, sizeof request,
                   "GET /export HTTP/1.1\r\nHost: n\r\nAuthorization: Bearer %s\r\n\r\n",
                   attendee->token);
    wire_open(&wire, &meeting.world, PROTOCOL_JSON);
    const char *at = strstr(wire_ask(&wire, request), "HTTP/1.1 200 ");
    assert_non_null(at);
    for (at = strstr(at, part); at != NULL && !found; at = strstr(at + 1, part)) {
        const char *row = at;
        while (row[-1] != '\n') {
            row--;
        }
        const char *numbered = strstr(row, "\"inboxNumber\"");
        found = numbered == NULL || numbered > at;
    }
    wire_end(&wire);
    return found;
}

/* By its time, whatever the round of those that have gone has come to. */
static void
what_is_over_is_given_to_nobody(void **state)
{
    (void)state;
    for (uint64_t step = 0; step < CUTS; step++) {
        begin(100 + step);
        meeting.world.settings.history_ms = 30000;
        meeting_crash_within(&meeting, 1, 1000); /* with the setting */
        (void)attendee_does(alice,
                            "\"sendMessage\":{\"chat\":{\"groupId\":\"%llu\"},\"text\":\"soon "
                            "gone\",\"ttlMs\":\"7000\"}",
                            (unsigned long long)meeting.group);
        (void)attendee_writes(alice, "two");
        meeting_rest(&meeting);
        past_narrowed_is(bob, "", "m2:two=READ m1:soon gone=READ u1@0:created");
        assert_true(exports(bob, "soon gone"));
        meeting_crash_within(&meeting, 1 + step * CUT_STEP, 2000);
        meeting_run(&meeting, 7000);
        past_narrowed_is(bob, ",\"forward\":true", "u1@0:created m2:two=READ");
        past_narrowed_is(bob, "", "m2:two=READ u1@0:created");
        assert_false(exports(bob, "soon gone"));
        assert_false(exports(alice, "soon gone"));
        assert_true(exports(alice, "\"two\""));
        assert_true(exports(alice, "\"created\""));
        meeting_run(&meeting, 30000);
        past_narrowed_is(bob, "", "");
        assert_false(exports(alice, "\"two\""));
        assert_false(exports(alice, "\"created\""));
        end();
    }
}

/* Everybody reads at once what is written: an update is read with the message behind it. */
static void
updates_are_read_with_what_follows(void **state)
{
    (void)state;
    for (uint64_t step = 0; step < CUTS; step++) {
        begin(130 + step);
        meeting.world.settings.history_ms = 0;
        meeting.world.settings.delete_after = DELETE_AFTER_READ;
        meeting_crash_within(&meeting, 1, 1000); /* with the setting */
        (void)attendee_writes(alice, "one");
        (void)attendee_changes(alice, "\"name\":\"runners\"");
        (void)attendee_writes(alice, "two");
        (void)attendee_changes(alice, "\"name\":\"walkers\"");
        meeting_crash_within(&meeting, 1 + step * CUT_STEP, 2000);
        meeting_rest(&meeting);
        past_narrowed_is(bob, "", "u3@2:name");
        meeting_run(&meeting, 30000); /* what is over has gone */
        past_narrowed_is(bob, ",\"forward\":true", "u3@2:name");
        assert_false(exports(bob, "runners"));
        assert_true(exports(bob, "walkers"));
        (void)attendee_writes(alice, "three");
        meeting_rest(&meeting);
        past_narrowed_is(bob, "", "");
        assert_false(exports(bob, "walkers"));
        end();
    }
}

/* Bob's inbox takes three entries; what he reads later does not make him have seen the others. */
static void
what_did_not_fit_is_not_read_with_what_follows(void **state)
{
    (void)state;
    for (uint64_t step = 0; step < CUTS; step++) {
        begin(160 + step);
        meeting.world.settings.history_ms = 0;
        meeting.world.settings.delete_after = DELETE_AFTER_READ;
        meeting.world.settings.inbox_entries_max = 3;
        meeting_crash_within(&meeting, 1, 1000); /* with the settings */
        meeting_rest(&meeting);
        attendee_goes(bob);
        for (unsigned i = 1; i <= 5; i++) {
            (void)attendee_writes(alice, "hello");
        }
        bob->away = false;
        meeting_rest(&meeting);
        (void)attendee_writes(alice, "six");
        meeting_crash_within(&meeting, 1 + step * CUT_STEP, 2000);
        meeting_rest(&meeting);
        meeting_run(&meeting, 30000); /* what is over has gone */
        past_narrowed_is(bob, ",\"forward\":true,\"only\":\"MESSAGES\"",
                         "m4:hello=READ m5:hello=READ");
        end();
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a group's writer finds on a device that comes later how far his messages have got, "
             "as he was told, wherever the power goes",
             a_writer_finds_the_ticks_of_his_messages),
        SPEC("a count that is older than the tick beside it is left out",
             a_count_that_was_left_behind_is_not_told),
        SPEC("what became of a group stands in its order among what was said, for who was in it, "
             "wherever the power goes",
             what_became_of_a_group_stands_in_its_order),
        SPEC("what has disappeared, or is too old, no page and no export gives out",
             what_is_over_is_given_to_nobody),
        SPEC("where it is kept until it is read, what became of a group is read with what follows",
             updates_are_read_with_what_follows),
        SPEC("what a full inbox did not take is not over when what follows has been read",
             what_did_not_fit_is_not_read_with_what_follows),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
