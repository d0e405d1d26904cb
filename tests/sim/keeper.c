/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/keeper.h"

#include "tests/spec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const keeper_state_names[KEEPER_STATES] = {"archived", "pinned", "draft"};

/* ------------------------------------------------------------------------------------- frames */

static const char *
behind(const char *frame, const char *name)
{
    char quoted[64];
    (void)snprintf(quoted, sizeof quoted, "\"%s\":", name);
    const char *at = strstr(frame, quoted);
    return at != NULL ? at + strlen(quoted) : NULL;
}

uint64_t
keeper_number(const char *frame, const char *name)
{
    const char *at = behind(frame, name);
    return at != NULL ? strtoull(*at == '"' ? at + 1 : at, NULL, 10) : 0;
}

/* The value as it is written, without quotes; "": it is left out. */
static void
word(const char *frame, const char *name, char *out, size_t bytes)
{
    const char *at = behind(frame, name);
    out[0] = '\0';
    if (at != NULL) {
        at += *at == '"';
        (void)snprintf(out, bytes, "%.*s", (int)strcspn(at, "\"},"), at);
    }
}

static void
raise_to(uint64_t *value, uint64_t to)
{
    *value = to > *value ? to : *value;
}

/* ---------------------------------------------------------------------------------- taking in */

static void
take_message(struct keeper *keeper, const char *frame)
{
    bool many = strstr(frame, "\"groupId\"") != NULL;
    struct kept_chat *chat = many ? &keeper->many : &keeper->two;
    const char *id = strstr(frame, "\"id\":{");
    assert_non_null(id);
    assert_true(chat->count < KEEPER_MESSAGES_MAX);
    struct kept_message *message = &chat->messages[chat->count++];
    *message = (struct kept_message){
        .time_ms = keeper_number(frame, "serverTimeMs"),
        .user = keeper_number(id, "userId"),
        .device = keeper_number(id, "device"),
        .number = keeper_number(id, "number"),
        .chat_number = keeper_number(frame, "chatNumber"),
    };
    word(frame, "text", message->text, sizeof message->text);
    word(frame, "handle", message->handle, sizeof message->handle);
    message->expires_at_ms = keeper_number(frame, "expiresAtMs");
    if (many) {
        assert_int_equal(message->chat_number, chat->last + 1); /* each one, once */
        chat->last = message->chat_number;
    } else if (message->user == keeper->peer) {
        assert_true(message->chat_number > chat->last); /* some may have expired */
        assert_true(message->chat_number < KEEPER_MESSAGES_MAX);
        keeper->came[message->chat_number] = true;
        chat->last = message->chat_number;
    }
}

static void
take_change(struct keeper *keeper, const char *frame)
{
    bool many = strstr(frame, "\"groupId\"") != NULL;
    struct kept_chat *chat = many ? &keeper->many : &keeper->two;
    uint64_t author = keeper_number(frame, "authorUserId");
    uint64_t number = keeper_number(frame, "chatNumber");
    for (unsigned i = 0; i < chat->count; i++) {
        struct kept_message *message = &chat->messages[i];
        if (message->chat_number == number && (many || message->user == author)) {
            if (strstr(frame, "\"HIDDEN\"") != NULL) {
                message->hidden = true;
            } else {
                word(frame, "text", message->text, sizeof message->text);
            }
            return;
        }
    }
    fail_msg("changed before it came: %s", frame);
}

static void
add_hole(struct kept_ticks *ticks, uint64_t after, uint64_t to)
{
    assert_true(ticks->holes_count < KEEPER_HOLES_MAX && after < to);
    for (unsigned i = 0; i < ticks->holes_count; i++) {
        assert_true(ticks->holes[i].to < after); /* they rise and lie apart */
    }
    ticks->holes[ticks->holes_count].after = after;
    ticks->holes[ticks->holes_count++].to = to;
}

struct hole_names {
    const char *after, *to, *earlier, *unknown;
};
static const struct hole_names of_receipts = {"expiredAfter", "expired", "expiredEarlier",
                                              "expiredUnknown"};
static const struct hole_names of_chats = {"peerExpiredAfter", "peerExpired", "peerExpiredEarlier",
                                           "peerExpiredUnknown"};

/* All that has expired, in place of what was told before. */
static void
take_holes(struct kept_ticks *ticks, const char *frame, const struct hole_names *names)
{
    const char *at = behind(frame, names->earlier);
    const char *end = at != NULL ? strchr(at, ']') : NULL;
    ticks->holes_count = 0;
    while (end != NULL && (at = strchr(at, '{')) != NULL && at < end) {
        char hole[KEEPER_HANDLE_BYTES];
        (void)snprintf(hole, sizeof hole, "%.*s", (int)strcspn(at, "}"), at);
        add_hole(ticks, keeper_number(hole, "after"), keeper_number(hole, "to"));
        at++;
    }
    if (keeper_number(frame, names->to) != 0) {
        add_hole(ticks, keeper_number(frame, names->after), keeper_number(frame, names->to));
    }
    ticks->unknown = keeper_number(frame, names->unknown);
}

char
keeper_tick(const struct kept_ticks *ticks, uint64_t number)
{
    for (unsigned i = 0; i < ticks->holes_count; i++) {
        if (number > ticks->holes[i].after && number <= ticks->holes[i].to) {
            return 'x';
        }
    }
    if (number <= ticks->unknown) {
        return '?';
    }
    if (number <= ticks->read) {
        return 'r';
    }
    return number <= ticks->delivered ? 'd' : 's';
}

/* What listChats, or a resync, says of the chat. */
static void
take_chats(struct kept_ticks *ticks, const char *frame)
{
    raise_to(&ticks->delivered, keeper_number(frame, "peerDelivered"));
    raise_to(&ticks->read, keeper_number(frame, "peerRead"));
    take_holes(ticks, frame, &of_chats);
}

/* What it missed is given up; how far the peer has got it is told. What is kept for others still
 * comes behind it. */
static void
take_resync(struct keeper *keeper, const char *frame)
{
    if (behind(frame, "summary") != NULL) {
        take_chats(&keeper->ticks, frame);
    }
    keeper->resyncs++;
}

static void
take_receipts(struct keeper *keeper, const char *frame)
{
    bool own = keeper_number(frame, "readerUserId") == keeper->user;
    if (strstr(frame, "\"groupId\"") != NULL) {
        raise_to(&keeper->many.read, keeper_number(frame, "read"));
    } else if (own) {
        raise_to(&keeper->two.read, keeper_number(frame, "read"));
    } else {
        raise_to(&keeper->ticks.delivered, keeper_number(frame, "delivered"));
        raise_to(&keeper->ticks.read, keeper_number(frame, "read"));
        take_holes(&keeper->ticks, frame, &of_receipts);
    }
}

static void
take_call(struct keeper *keeper, const char *frame)
{
    const char *id = strstr(frame, "\"id\":{");
    assert_non_null(id);
    struct kept_call told = {.user = keeper_number(id, "userId"),
                             .device = keeper_number(id, "device"),
                             .number = keeper_number(id, "number"),
                             .ended_at_ms = keeper_number(frame, "endedAtMs")};
    word(frame, "state", told.progress, sizeof told.progress);
    word(frame, "outcome", told.outcome, sizeof told.outcome);
    unsigned at = 0;
    while (at < keeper->calls_count &&
           (keeper->calls[at].user != told.user || keeper->calls[at].device != told.device ||
            keeper->calls[at].number != told.number)) {
        at++;
    }
    assert_true(at < KEEPER_CALLS_MAX);
    keeper->calls_count += at == keeper->calls_count;
    keeper->calls[at] = told;
}

static void
take_state(struct keeper *keeper, const char *frame)
{
    for (unsigned i = 0; i < KEEPER_STATES; i++) {
        if (behind(frame, keeper_state_names[i]) != NULL) {
            const char *value =
                i == 2 && strstr(frame, "\"text\"") != NULL ? "text" : keeper_state_names[i];
            word(frame, value, keeper->states[i], sizeof keeper->states[i]);
        }
    }
}

/* What passes is said again on the next connection; all else has its answer. */
static void
take_answer(struct keeper *keeper, const char *frame)
{
    uint64_t number = keeper_number(frame, "number");
    if (strstr(frame, "\"chats\"") != NULL) {
        keeper->unread_known = true;
        keeper->unread_told = keeper_number(frame, "unread");
        take_chats(&keeper->listed, frame);
    } else if (number != 0 && number <= keeper->said && !keeper->answered[number] &&
               strstr(frame, "\"retryAfterMs\"") == NULL) {
        const char *command = keeper->commands[number];
        keeper->answered[number] = true;
        if (strstr(command, "\"sendMessage\"") != NULL && strstr(command, "\"change\"") == NULL) {
            assert_null(strstr(frame, "\"error\""));
            keeper->accepted[strstr(command, "\"groupId\"") != NULL] +=
                strstr(command, "\"ttlMs\"") == NULL;
        }
    }
}

static bool
begins(const char *frame, const char *kind)
{
    return strncmp(frame, kind, strlen(kind)) == 0;
}

static void
take_entry(struct keeper *keeper, const char *frame)
{
    if (begins(frame, "{\"newMessage\"")) {
        take_message(keeper, frame);
    } else if (begins(frame, "{\"messageChanged\"")) {
        take_change(keeper, frame);
    } else if (begins(frame, "{\"call\"")) {
        take_call(keeper, frame);
    } else if (begins(frame, "{\"state\"")) {
        take_state(keeper, frame);
    } else if (begins(frame, "{\"chatUpdate\"") && behind(frame, "name") != NULL) {
        word(frame, "name", keeper->group_name, sizeof keeper->group_name);
    }
}

void
keeper_takes_in(struct keeper *keeper)
{
    (void)wire_waiting(&keeper->wire, 0);
    for (; keeper->at < keeper->wire.heard_count; keeper->at++) {
        const char *frame = keeper->wire.heard[keeper->at];
        uint64_t inbox = keeper_number(frame, "inboxNumber");
        bool old = inbox <= keeper->inbox;
        raise_to(&keeper->inbox, inbox);
        if (begins(frame, "{\"receipts\"")) {
            take_receipts(keeper, frame); /* cursors only grow */
        } else if (begins(frame, "{\"resync\"")) {
            take_resync(keeper, frame);
        } else if (begins(frame, "{\"answer\"")) {
            take_answer(keeper, frame);
        } else if (!old) {
            take_entry(keeper, frame);
        }
    }
}

/* -------------------------------------------------------------------------------------- saying */

void
keeper_says(struct keeper *keeper, const char *format, ...)
{
    char body[KEEPER_COMMAND_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(body, sizeof body, format, args);
    va_end(args);
    unsigned number = ++keeper->said;
    assert_true(number < KEEPER_COMMANDS_MAX);
    (void)snprintf(keeper->commands[number], KEEPER_COMMAND_BYTES, "{\"number\":\"%u\",%.*s}",
                   number, KEEPER_COMMAND_BYTES - 32, body);
    wire_say(&keeper->wire, keeper->commands[number]);
}

void
keeper_acks(struct keeper *keeper)
{
    if (keeper->inbox > keeper->acked) {
        char command[96];
        (void)snprintf(command, sizeof command, "{\"ack\":{\"inboxNumber\":\"%llu\"}}",
                       (unsigned long long)keeper->inbox);
        wire_say(&keeper->wire, command);
        keeper->acked = keeper->inbox;
    }
}

void
keeper_returns(struct keeper *keeper, struct world *world)
{
    wire_open(&keeper->wire, world, PROTOCOL_JSON);
    keeper->at = 0;
    wire_login(&keeper->wire, keeper->token);
    keeper_takes_in(keeper);
    keeper->acked = 0;
    for (unsigned n = 1; n <= keeper->said; n++) {
        if (!keeper->answered[n]) {
            wire_say(&keeper->wire, keeper->commands[n]);
        }
    }
}

bool
keeper_settled(const struct keeper *keeper)
{
    for (unsigned n = 1; n <= keeper->said; n++) {
        if (!keeper->answered[n]) {
            return false;
        }
    }
    return keeper->inbox <= keeper->acked;
}
