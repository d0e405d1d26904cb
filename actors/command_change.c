/* SPDX-License-Identifier: Apache-2.0 */
/* A message is edited or deleted: by its author for everyone (a sendMessage with a change), decided
 * in its recipient's partition as the message was, or in the group's; or by anyone for his own
 * devices (hideMessage), decided in his own. */
#include "actors/command.h"
#include "actors/command_group.h"
#include "runtime/larger.h"
#include "store/change.h"

#include <errno.h>

/* pending.mode: it is a deletion in a group. */
enum { SEARCHES = 1 };

static void
found(struct connection *connection, const struct pending *pending)
{
    if (pending->mode == SEARCHES) {
        connection->searching = false;
        connection_flow(connection);
    }
}

static void
revise_refused(struct connection *connection, const struct pending *pending, int error)
{
    found(connection, pending);
    if (error == -ERANGE) {
        event_error(connection, command_number(pending), pending->ref,
                    LINNET__V1__ERROR__CODE__OUT_OF_RANGE,
                    "sendMessage.change.chatNumber: beyond the group's last message", 0);
    } else {
        command_refuse_group(connection, pending, error);
    }
}

/* An old message is looked for in the inbox of each member. */
enum { LOOKS_PER_DELETION = 64 };

static void
revised(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    const struct store_sent *stored = (const struct store_sent *)(const void *)answer->data;
    uint64_t cost = stored->duplicate ? 0 : stored->looks / LOOKS_PER_DELETION;
    connection_rate_owes(connection, RATE_DELETIONS,
                         cost < UINT32_MAX ? (uint32_t)cost : UINT32_MAX);
    found(connection, pending);
    command_sent(connection, pending, answer);
}

static void
hide_refused(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -ERANGE) {
        event_error(connection, command_number(pending), pending->ref,
                    LINNET__V1__ERROR__CODE__OUT_OF_RANGE,
                    "hideMessage.chatNumber: beyond the chat's last message", 0);
    } else {
        command_say_refused(connection, pending, error);
    }
}

static const struct request_kind request_change = {
    .tag = STORE_CHANGE, .ordered = true, .done = command_sent, .refused = command_say_refused};
static const struct request_kind request_revise = {
    .tag = STORE_GROUP_REVISE, .ordered = true, .done = revised, .refused = revise_refused};
static const struct request_kind request_hide = {
    .tag = STORE_CHANGE, .ordered = true, .done = command_sent, .refused = hide_refused};
static const struct request_kind request_hide_in_group = {
    .tag = STORE_CHANGE, .ordered = true, .done = command_sent, .refused = command_refuse_group};

static uint64_t
kept_ms(const struct settings *settings)
{
    return larger(settings->edit_window_ms, settings->delete_window_ms);
}

static uint64_t
window_ms(const struct settings *settings, const struct store_change *change)
{
    return change->kind == STORE_CHANGE_EDIT ? settings->edit_window_ms
                                             : settings->delete_window_ms;
}

/* Until when this may be done to a message of that time, and how long its deletion has to be
 * remembered: as long as anything may be done to it. */
static void
dates_fill(const struct settings *settings, uint64_t time_ms, struct store_change *out)
{
    out->until_ms = time_ms + window_ms(settings, out);
    out->kept_until_ms = time_ms + kept_ms(settings);
}

/* The group knows who wrote what and when: neither time nor handle are needed. */
static void
revise(struct connection *connection, const Linnet__V1__ClientFrame *frame,
       struct store_change *change)
{
    if (change->kind == STORE_CHANGE_DELETE &&
        connection_rate_wait_ms(connection, RATE_DELETIONS) > 0) {
        connection_rate_say(connection, frame->number, frame->ref, RATE_DELETIONS, 1);
        return;
    }
    change->until_ms = window_ms(connection->messenger->settings, change);
    change->kept_until_ms = kept_ms(connection->messenger->settings);
    struct ln_buffer *buffer = command_body(frame->send_message, &change->message);
    struct pending *pending = command_pending(&request_revise, frame, change->message.number);
    if (change->kind == STORE_CHANGE_DELETE) {
        pending->mode = SEARCHES;
        connection->searching = true; /* the next one waits until it is known what this one costs */
    }
    command_ask_in_order(connection, pending, change->message.recipient, change, sizeof *change,
                         buffer);
    connection_flow(connection);
}

void
command_change(struct connection *connection, const Linnet__V1__ClientFrame *frame,
               const struct store_message *said)
{
    const Linnet__V1__Change *asked = frame->send_message->change;
    struct message_handle_facts facts = {
        .recipient = said->recipient,
        .sender = connection->user,
        .chat_number = asked->chat_number,
        .time_ms = asked->server_time_ms,
    };
    struct store_change change = {
        .message = *said,
        .peer = connection->user,
        .author = connection->user,
        .chat_number = asked->chat_number,
        .kind =
            asked->kind == LINNET__V1__CHANGE__KIND__EDIT ? STORE_CHANGE_EDIT : STORE_CHANGE_DELETE,
    };
    if (command_chat_is_group(frame->send_message->chat)) {
        revise(connection, frame, &change);
        return;
    }
    if (!message_handle_open(&connection->messenger->handle_keys, asked->handle.data,
                             asked->handle.len, &facts)) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__NOT_PERMITTED,
                    "sendMessage.change: no message of this user's with this number, time and "
                    "handle in this chat",
                    0);
        return;
    }
    change.original = facts.entry;
    change.expires_at_ms = facts.expires_at_ms;
    dates_fill(connection->messenger->settings, asked->server_time_ms, &change);
    struct ln_buffer *buffer = command_body(frame->send_message, &change.message);
    command_ask_in_order(connection, command_pending(&request_change, frame, said->number),
                         said->recipient, &change, sizeof change, buffer);
}

static void
hide_message(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__HideMessage *asked = frame->hide_message;
    struct store_change change = {
        .message = command_said(connection, frame),
        .author = asked->author_user_id,
        .chat_number = asked->chat_number,
        .kind = STORE_CHANGE_HIDE,
    };
    int error = command_chat_resolve(connection, asked->chat, &change.peer);
    if (error == -ESRCH) {
        command_start_over(connection);
        return;
    }
    if (error != 0) {
        command_refuse_name(connection, frame, "hideMessage.chat", error);
        return;
    }
    change.in_group = command_chat_is_group(asked->chat);
    if (!change.in_group && change.author != connection->user && change.author != change.peer) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__BAD_FRAME,
                    "hideMessage.authorUserId: nobody in this chat", 0);
        return;
    }
    change.message.recipient = connection->user;
    const struct request_kind *kind = change.in_group ? &request_hide_in_group : &request_hide;
    command_ask_in_order(connection, command_pending(kind, frame, change.message.number),
                         connection->user, &change, sizeof change, NULL);
}

const struct command_kind command_hide_message = {hide_message};
