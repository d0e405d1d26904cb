/* SPDX-License-Identifier: Apache-2.0 */
/* sendMessage: decided in its recipient's partition, or in the group's. */
#include "actors/command.h"

#include "actors/command_group.h"
#include "store/trace.h"

#include <errno.h>
#include <string.h>

/* A text is kept with its NUL, since protobuf-c encodes strings, not slices: no copy when it is
 * delivered. The attachments are kept as a SendMessage that has nothing else. */
struct ln_buffer *
command_body(const Linnet__V1__SendMessage *send, struct store_message *out)
{
    const void *body = NULL;
    if (send->body_case == LINNET__V1__SEND_MESSAGE__BODY_TEXT) {
        body = send->text;
        out->body_bytes = (uint32_t)strlen(send->text) + 1;
        out->body_kind = (uint8_t)LINNET__V1__NEW_MESSAGE__BODY_TEXT;
    } else if (send->body_case == LINNET__V1__SEND_MESSAGE__BODY_CONTENT) {
        body = send->content.data;
        out->body_bytes = (uint32_t)send->content.len;
        out->body_kind = (uint8_t)LINNET__V1__NEW_MESSAGE__BODY_CONTENT;
    }
    Linnet__V1__SendMessage attached = LINNET__V1__SEND_MESSAGE__INIT;
    if (send->n_attachments > 0) {
        attached.n_attachments = send->n_attachments;
        attached.attachments = send->attachments;
        out->attachments_bytes = (uint32_t)linnet__v1__send_message__get_packed_size(&attached);
    }
    if (out->body_bytes + out->attachments_bytes == 0) {
        return NULL; /* a deletion */
    }
    struct ln_buffer *buffer = ln_buffer_new((size_t)out->body_bytes + out->attachments_bytes);
    unsigned char *data = ln_buffer_data(buffer);
    if (body != NULL && out->body_bytes > 0) {
        memcpy(data, body, out->body_bytes);
    }
    if (out->attachments_bytes > 0) {
        (void)linnet__v1__send_message__pack(&attached, data + out->body_bytes);
    }
    return buffer;
}

/* A new user's name is found a moment before the user is there. */
enum { COMES_AGAIN_MS = 100 };

/* What the sender is told of it. */
static void
trace(const struct connection *connection, const struct pending *pending, enum step_kind kind,
      uint64_t number)
{
    const struct store *store = connection->messenger->store;
    trace_step(store, kind,
               trace_mark(store, connection->user, connection->device, pending->number),
               connection->user, connection->device, number);
}

/* What the author brings back when the message is to be changed. A change has none: what would be
 * changed again is the message. */
static void
handle_fill(const struct connection *connection, const struct pending *pending,
            const struct store_sent *stored, unsigned char room[MESSAGE_HANDLE_BYTES],
            ProtobufCBinaryData *out)
{
    struct message_handle_facts facts = {
        .recipient = pending->recipient,
        .sender = connection->user,
        .chat_number = stored->chat_number,
        .time_ms = stored->time_ms,
        .entry = stored->entry,
        .expires_at_ms = stored->expires_at_ms,
    };
    if (pending->kind->tag == STORE_MESSAGE) {
        message_handle_make(&connection->messenger->handle_keys, &facts, room);
        out->data = room;
        out->len = MESSAGE_HANDLE_BYTES;
    }
}

void
command_sent(struct connection *connection, const struct pending *pending,
             const struct ln_msg *answer)
{
    const struct store_sent *stored = (const struct store_sent *)(const void *)answer->data;
    unsigned char handle[MESSAGE_HANDLE_BYTES];
    Linnet__V1__MessageId id = LINNET__V1__MESSAGE_ID__INIT;
    id.user_id = connection->user;
    id.device = connection->device;
    id.number = pending->number;
    Linnet__V1__Sent event = LINNET__V1__SENT__INIT;
    event.id = &id;
    event.chat_number = stored->chat_number;
    event.server_time_ms = stored->time_ms;
    event.duplicate = stored->duplicate;
    event.held_user_id = pending->held ? pending->recipient : 0;
    handle_fill(connection, pending, stored, handle, &event.handle);
    Linnet__V1__Answer result = LINNET__V1__ANSWER__INIT;
    result.result_case = LINNET__V1__ANSWER__RESULT_SENT;
    result.sent = &event;
    struct messenger_counters *counters = &connection->messenger->counters;
    messenger_count(stored->duplicate ? &counters->messages_duplicate
                                      : &counters->messages_accepted);
    if (!stored->duplicate) {
        connection_acted(connection);
        messenger_add(&counters->messages_held, pending->held);
    }
    event_answer(connection, pending, &result);
    if (stored->duplicate && pending->counted) { /* it waits no more, or is counted already */
        command_hold_back(connection, pending->recipient);
    }
    trace(connection, pending, STEP_ANSWERED, stored->chat_number);
    if (pending->kind->tag == STORE_MESSAGE && stored->chat_number == 1 && !stored->duplicate) {
        connection_rate_charge(connection, RATE_STRANGERS);
    }
}

void
command_say_refused(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -EDQUOT && pending->held) {
        messenger_count(&connection->messenger->counters.hold_refused);
    }
    if (pending->counted && error != -ESRCH) {
        command_hold_back(connection, pending->recipient);
    }
    if (error == -ESRCH) {
        command_start_over(connection);
    } else if (error == -ENOENT && pending->by_name) {
        event_error(connection, command_number(pending), pending->ref,
                    LINNET__V1__ERROR__CODE__OVERLOADED,
                    "sendMessage.chat.userName: a user of this name comes or goes just now",
                    COMES_AGAIN_MS);
        trace(connection, pending, STEP_REFUSED, ENOENT);
    } else if (error == -EUSERS) {
        messenger_count(&connection->messenger->counters.rate_refused[RATE_STRANGERS]);
        event_error(connection, command_number(pending), pending->ref,
                    LINNET__V1__ERROR__CODE__RATE_LIMITED, rate_class_refusal(RATE_STRANGERS),
                    connection_rate_wait_ms(connection, RATE_STRANGERS));
        trace(connection, pending, STEP_REFUSED, EUSERS);
    } else {
        command_refuse(connection, command_number(pending), pending->ref, error);
        trace(connection, pending, STEP_REFUSED, (uint64_t)-error);
    }
}

static void
refused_by_group(struct connection *connection, const struct pending *pending, int error)
{
    command_refuse_group(connection, pending, error);
    if (error != -ESRCH) {
        trace(connection, pending, STEP_REFUSED, (uint64_t)-error);
    }
}

static const struct request_kind request_message = {
    .tag = STORE_MESSAGE, .ordered = true, .done = command_sent, .refused = command_say_refused};
static const struct request_kind request_group_message = {
    .tag = STORE_GROUP_MESSAGE, .ordered = true, .done = command_sent, .refused = refused_by_group};

struct store_message
command_said(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_message message = {
        .sender = connection->user,
        .sender_device = connection->device,
        .number = command_number_new(connection, frame),
        .copy = connection->devices > 1,
        .known_only = connection_rate_wait_ms(connection, RATE_STRANGERS) > 0,
    };
    short_name_get(&connection->name, &message.sender_name);
    return message;
}

/* Whom it is for; perhaps somebody who is not there yet. */
static int
recipient_resolve(struct connection *connection, const Linnet__V1__SendMessage *send,
                  struct store_message *message, bool *out_anew)
{
    const struct settings *settings = connection->messenger->settings;
    int error = command_chat_resolve(connection, send->chat, &message->recipient);
    if (error == -ENOENT) {
        error = command_hold(connection, send->chat->user_name, send->change == NULL, message,
                             out_anew);
    }
    message->hold_max = settings->hold_unknown_ms > 0 ? settings->hold_messages_max : 0;
    if (error == 0 && message->known_only && !command_chat_is_group(send->chat)) {
        bool met = false;
        error = command_met(connection, message->recipient, &met);
        message->known_only = !met;
    }
    return error;
}

static void
refuse_recipient(struct connection *connection, const Linnet__V1__ClientFrame *frame, int error)
{
    if (error == -EUSERS) {
        messenger_count(&connection->messenger->counters.rate_refused[RATE_STRANGERS]);
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__RATE_LIMITED,
                    rate_class_refusal(RATE_STRANGERS),
                    connection_rate_wait_ms(connection, RATE_STRANGERS));
    } else if (error == -EMFILE) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__TOO_MANY_HELD,
                    "sendMessage.chat.userName: nobody has it, and as many such names wait for "
                    "this user's messages as may",
                    0);
    } else {
        command_refuse_name(connection, frame, "sendMessage.chat", error);
    }
}

static void
send_message(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__SendMessage *send = frame->send_message;
    struct store_message message = command_said(connection, frame);
    bool counted = false;
    int error = recipient_resolve(connection, send, &message, &counted);
    if (error == -ESRCH) {
        command_start_over(connection);
        return;
    }
    if (error != 0) {
        if (counted) {
            command_hold_back(connection, message.recipient);
        }
        refuse_recipient(connection, frame, error);
        return;
    }
    message.ttl_ms = send->ttl_ms;
    message.content_kind = (uint8_t)send->content_kind;
    if (send->change != NULL) {
        command_change(connection, frame, &message);
        return;
    }
    const struct request_kind *kind =
        command_chat_is_group(send->chat) ? &request_group_message : &request_message;
    struct pending *pending = command_pending(kind, frame, message.number);
    struct ln_buffer *buffer = command_body(send, &message);
    pending->recipient = message.recipient;
    pending->held = message.holds;
    pending->counted = counted;
    pending->by_name = send->chat->peer_case == LINNET__V1__CHAT__PEER_USER_NAME;
    command_ask_in_order(connection, pending, message.recipient, &message, sizeof message, buffer);
}

const struct command_kind command_send_message = {send_message};
