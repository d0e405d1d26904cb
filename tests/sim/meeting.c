/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/meeting.h"

#include "tests/spec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 60000, STEP_MS = 5, REST_MS = 2000 };

/* ------------------------------------------------------------------------------------- hearing */

/* The number behind the key; 0: there is none. */
static uint64_t
number_in(const char *frame, const char *name)
{
    char key[64];
    (void)snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = strstr(frame, key);
    return at != NULL ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static char *
item_new(struct attendee *attendee)
{
    assert_true(attendee->items_count < MEETING_ITEMS_MAX);
    return attendee->items[attendee->items_count++];
}

static const char *
change_in(const char *frame)
{
    static const char *const changes[] = {"created", "added",       "removed", "promoted",
                                          "demoted", "entitled",    "left",    "joined",
                                          "name",    "description", "picture", "ttlMs",
                                          "rights",  "invited",     "deleted", "inviteRevoked"};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "\"%s\":", changes[i]);
        if (strstr(frame, key) != NULL) {
            return changes[i];
        }
    }
    fail_msg("no change in %s", frame);
    return "";
}

/* A message, or what became of one: its number in the group and its text, or "-" for none. */
static void
said_note(struct attendee *attendee, const char *frame, char kind, bool empty)
{
    const char *text = strstr(frame, "\"text\":\"");
    assert_true(empty == (text == NULL));
    text = empty ? "-" : text + strlen("\"text\":\"");
    (void)snprintf(item_new(attendee), MEETING_ITEM_BYTES, "%c%llu:%.*s", kind,
                   (unsigned long long)number_in(frame, "chatNumber"), (int)strcspn(text, "\""),
                   text);
}

/* What is shown once; what was stored before comes again after a reconnect. */
static void
item_note(struct attendee *attendee, const char *frame)
{
    if (strncmp(frame, "{\"newMessage\"", 13) == 0) {
        attendee->read = number_in(frame, "chatNumber");
        said_note(attendee, frame, 'm', strstr(frame, "\"deleted\":true") != NULL);
    } else if (strncmp(frame, "{\"messageChanged\"", 17) == 0) {
        bool edited = strstr(frame, "\"EDITED\"") != NULL;
        bool hidden = strstr(frame, "\"HIDDEN\"") != NULL;
        char kind = 'd';
        if (edited) {
            kind = 'e';
        } else if (hidden) {
            kind = 'h';
        }
        said_note(attendee, frame, kind, !edited);
    } else if (strncmp(frame, "{\"chatUpdate\"", 13) == 0) {
        (void)snprintf(item_new(attendee), MEETING_ITEM_BYTES, "u%llu@%llu:%s",
                       (unsigned long long)number_in(frame, "update"),
                       (unsigned long long)number_in(frame, "chatNumber"), change_in(frame));
    } else if (strncmp(frame, "{\"chatGap\"", 10) == 0) {
        (void)snprintf(item_new(attendee), MEETING_ITEM_BYTES, "gap%llu-%llu",
                       (unsigned long long)number_in(frame, "fromChatNumber"),
                       (unsigned long long)number_in(frame, "toChatNumber"));
    } else if (strncmp(frame, "{\"groupReceipts\"", 16) == 0) {
        (void)snprintf(attendee->receipts, sizeof attendee->receipts, "%s", frame);
    }
}

/* An answer that says to try again later is none yet. */
static void
answered(struct attendee *attendee, const char *frame)
{
    if (!attendee->unanswered || number_in(frame, "number") != attendee->number) {
        return;
    }
    if (strstr(frame, "\"retryAfterMs\"") != NULL) {
        wire_say(&attendee->wire, attendee->command);
        return;
    }
    (void)snprintf(attendee->answer, sizeof attendee->answer, "%s", frame);
    attendee->unanswered = false;
    if (strstr(frame, "\"sent\"") != NULL && strstr(attendee->command, "\"text\"") != NULL &&
        strstr(attendee->command, "\"change\"") == NULL) {
        assert_true(attendee->wrote_count < MEETING_ITEMS_MAX);
        attendee->wrote[attendee->wrote_count++] = number_in(frame, "chatNumber");
    }
}

static void
hear(struct attendee *attendee)
{
    struct wire *wire = &attendee->wire;
    while (wire->heard_at < wire->heard_count) {
        const char *frame = wire->heard[wire->heard_at++];
        uint64_t inbox = number_in(frame, "inboxNumber");
        if (strncmp(frame, "{\"answer\"", 9) == 0) {
            answered(attendee, frame);
        } else if (inbox > attendee->stored) {
            item_note(attendee, frame);
            attendee->stored = inbox;
        }
    }
}

static void
acknowledge(struct attendee *attendee)
{
    char command[256];
    if (attendee->stored > attendee->acked) {
        (void)snprintf(command, sizeof command, "{\"ack\":{\"inboxNumber\":\"%llu\"}}",
                       (unsigned long long)attendee->stored);
        wire_say(&attendee->wire, command);
        attendee->acked = attendee->stored;
    }
    if (attendee->reads && attendee->read > attendee->read_said) {
        (void)snprintf(command, sizeof command,
                       "{\"markRead\":{\"chat\":{\"groupId\":\"%llu\"},\"chatNumber\":\"%llu\"}}",
                       (unsigned long long)attendee->meeting->group,
                       (unsigned long long)attendee->read);
        wire_say(&attendee->wire, command);
        attendee->read_said = attendee->read;
    }
}

/* ----------------------------------------------------------------------------------- their life */

static enum protocol_form
form_of(const struct attendee *attendee)
{
    size_t index = (size_t)(attendee - attendee->meeting->people);
    return (attendee->meeting->world.seed + index) % 2 == 0 ? PROTOCOL_JSON : PROTOCOL_BINARY;
}

static void
hang_up(struct attendee *attendee)
{
    if (attendee->wired) {
        wire_end(&attendee->wire);
        attendee->wired = false;
    }
}

static void
connect(struct attendee *attendee)
{
    wire_open(&attendee->wire, &attendee->meeting->world, form_of(attendee));
    attendee->wired = true;
    wire_login(&attendee->wire, attendee->token);
    attendee->acked = 0; /* what was said of it may have been lost */
    attendee->read_said = 0;
    if (attendee->unanswered) {
        wire_say(&attendee->wire, attendee->command);
    }
}

static void
attend(struct attendee *attendee)
{
    if (attendee->wired && attendee->wire.ended) {
        hear(attendee);
        hang_up(attendee);
    }
    if (attendee->away) {
        return;
    }
    if (!attendee->wired) {
        connect(attendee);
    }
    hear(attendee);
    acknowledge(attendee);
}

void
meeting_open(struct meeting *meeting, uint64_t seed, unsigned count)
{
    static const char *const names[MEETING_PEOPLE_MAX] = {"alice", "bob", "carol", "dave", "erin"};
    assert_true(count <= MEETING_PEOPLE_MAX);
    memset(meeting, 0, sizeof *meeting);
    world_open(&meeting->world, seed);
    meeting->count = count;
    for (unsigned i = 0; i < count; i++) {
        struct attendee *attendee = &meeting->people[i];
        attendee->meeting = meeting;
        attendee->name = names[i];
        attendee->reads = true;
        wire_open(&attendee->wire, &meeting->world, form_of(attendee));
        attendee->wired = true;
        wire_enrol(&attendee->wire, names[i]);
        memcpy(attendee->token, attendee->wire.token, sizeof attendee->token);
        attendee->user = wire_number(attendee->wire.heard[0], "userId");
        attendee->number = wire_number(attendee->wire.heard[0], "nextCommand");
    }
}

void
meeting_close(struct meeting *meeting)
{
    for (unsigned i = 0; i < meeting->count; i++) {
        hang_up(&meeting->people[i]);
    }
    world_close(&meeting->world);
}

void
meeting_begin(struct meeting *meeting)
{
    char others[512] = "";
    size_t used = 0;
    for (unsigned i = 1; i < meeting->count; i++) {
        used += (size_t)snprintf(others + used, sizeof others - used, "%s{\"userName\":\"%s\"}",
                                 i > 1 ? "," : "", meeting->people[i].name);
    }
    const char *answer = attendee_does(
        &meeting->people[0], "\"createChat\":{\"name\":\"walkers\",\"participants\":[%s]}", others);
    meeting->group = wire_number(answer, "groupId");
}

void
meeting_run(struct meeting *meeting, uint64_t ms)
{
    world_run(&meeting->world, ms);
    for (unsigned i = 0; i < meeting->count; i++) {
        attend(&meeting->people[i]);
    }
}

void
meeting_rest(struct meeting *meeting)
{
    unsigned quiet_ms = 0;
    unsigned ms = 0;
    for (; quiet_ms < REST_MS && ms < PATIENCE_MS; ms += 50) {
        uint64_t before = 0;
        uint64_t after = 0;
        bool unanswered = false;
        for (unsigned i = 0; i < meeting->count; i++) {
            before += meeting->people[i].stored;
        }
        meeting_run(meeting, 50);
        for (unsigned i = 0; i < meeting->count; i++) {
            after += meeting->people[i].stored;
            unanswered = unanswered || meeting->people[i].unanswered;
        }
        quiet_ms = after == before && !unanswered ? quiet_ms + 50 : 0;
    }
    assert_true(ms < PATIENCE_MS);
}

void
meeting_crash_within(struct meeting *meeting, uint64_t events, uint64_t ms)
{
    struct world *world = &meeting->world;
    sim_crash_at(world->driver, sim_events(world->driver) + events);
    world_run(world, ms);
    for (unsigned i = 0; i < meeting->count; i++) {
        if (meeting->people[i].wired) {
            hear(&meeting->people[i]);
        }
        hang_up(&meeting->people[i]);
    }
    world_crash(world);
}

void
attendee_is_cut(struct attendee *attendee)
{
    if (attendee->wired) {
        hear(attendee);
        sim_peer_cut(attendee->wire.peer);
    }
    hang_up(attendee);
}

void
attendee_goes(struct attendee *attendee)
{
    attendee_is_cut(attendee);
    attendee->away = true;
}

/* ------------------------------------------------------------------------------------- saying */

static void say(struct attendee *attendee, const char *format, va_list arguments) PRINTF_LIKE(2, 0);
static void
say(struct attendee *attendee, const char *format, va_list arguments)
{
    char command[MEETING_FRAME_BYTES / 2];
    assert_false(attendee->unanswered);
    (void)vsnprintf(command, sizeof command, format, arguments);
    (void)snprintf(attendee->command, sizeof attendee->command, "{\"number\":\"%llu\",%s}",
                   (unsigned long long)++attendee->number, command);
    attendee->unanswered = true;
    attendee->answer[0] = '\0';
    if (attendee->wired && !attendee->wire.ended) {
        wire_say(&attendee->wire, attendee->command);
    }
}

void
attendee_says(struct attendee *attendee, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(attendee, format, arguments);
    va_end(arguments);
}

const char *
attendee_waits(struct attendee *attendee)
{
    for (unsigned ms = 0; attendee->unanswered && ms < PATIENCE_MS; ms += STEP_MS) {
        meeting_run(attendee->meeting, STEP_MS);
    }
    if (attendee->unanswered) {
        fail_msg("%s waits for %s", attendee->name, attendee->command);
    }
    return attendee->answer;
}

const char *
attendee_does(struct attendee *attendee, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(attendee, format, arguments);
    va_end(arguments);
    return attendee_waits(attendee);
}

uint64_t
attendee_writes(struct attendee *attendee, const char *text)
{
    const char *answer =
        attendee_does(attendee, "\"sendMessage\":{\"chat\":{\"groupId\":\"%llu\"},\"text\":\"%s\"}",
                      (unsigned long long)attendee->meeting->group, text);
    return strstr(answer, "\"sent\"") != NULL ? number_in(answer, "chatNumber") : 0;
}

const char *
attendee_revises(struct attendee *attendee, uint64_t chat_number, const char *text)
{
    char said[128] = "";
    if (text != NULL) {
        (void)snprintf(said, sizeof said, "\"text\":\"%s\",", text);
    }
    return attendee_does(attendee,
                         "\"sendMessage\":{\"chat\":{\"groupId\":\"%llu\"},%s\"change\":{"
                         "\"kind\":\"%s\",\"chatNumber\":\"%llu\"}}",
                         (unsigned long long)attendee->meeting->group, said,
                         text != NULL ? "EDIT" : "DELETE", (unsigned long long)chat_number);
}

const char *
attendee_changes(struct attendee *attendee, const char *change)
{
    return attendee_does(attendee, "\"modifyChat\":{\"chat\":{\"groupId\":\"%llu\"},%s}",
                         (unsigned long long)attendee->meeting->group, change);
}

/* ------------------------------------------------------------------------------------- judging */

void
answer_has(const char *answer, const char *part)
{
    if (strstr(answer, part) == NULL) {
        fail_msg("no %s in %s", part, answer);
    }
}

void
attendee_has(const struct attendee *attendee, const char *items)
{
    static char all[MEETING_ITEMS_MAX * MEETING_ITEM_BYTES];
    size_t used = 0;
    all[0] = '\0';
    for (unsigned i = 0; i < attendee->items_count; i++) {
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? " " : "",
                                 attendee->items[i]);
    }
    if (strcmp(all, items) != 0) {
        fail_msg("%s has \"%s\", not \"%s\"", attendee->name, all, items);
    }
}

unsigned
attendee_place(const struct attendee *attendee, const char *item)
{
    for (unsigned i = 0; i < attendee->items_count; i++) {
        if (strcmp(attendee->items[i], item) == 0) {
            return i + 1;
        }
    }
    return 0;
}
