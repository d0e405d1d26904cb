/* SPDX-License-Identifier: Apache-2.0 */
/* Events that have a sender and a body: a message, or what became of one. */
#include "actors/event.h"

#include "store/entry.h"
#include "store/trace.h"

#include <string.h>

/* What both events need beside the store's entry; their structs point here. */
struct said {
    char name[STORE_NAME_BYTES_MAX + 1];
    Linnet__V1__MessageId id;
    Linnet__V1__Chat chat;
    Linnet__V1__Sender sender;
    Linnet__V1__SendMessage *attached; /* NULL: no attachments */
};

/* The attachments were stored as a SendMessage that has nothing else (command_message.c). */
static Linnet__V1__SendMessage *
attachments_decode(const struct store_entry_message *message)
{
    if (message->attachments_bytes == 0) {
        return NULL;
    }
    Linnet__V1__SendMessage *decoded =
        linnet__v1__send_message__unpack(NULL, message->attachments_bytes, message->attachments);
    ASSERT(decoded != NULL && "what the node stored itself can be decoded");
    return decoded;
}

static void
said_fill(struct said *said, const struct store_entry *entry,
          const struct store_entry_message *message)
{
    memcpy(said->name, message->sender_name, message->sender_name_bytes);
    said->name[message->sender_name_bytes] = '\0';
    said->id = (Linnet__V1__MessageId)LINNET__V1__MESSAGE_ID__INIT;
    said->id.user_id = message->sender;
    said->id.device = message->sender_device;
    said->id.number = message->sender_number;
    event_chat(entry, &said->chat);
    said->sender = (Linnet__V1__Sender)LINNET__V1__SENDER__INIT;
    said->sender.user_id = message->sender;
    said->sender.name = said->name;
    said->sender.device = message->sender_device;
    said->attached = attachments_decode(message);
}

/* A device is told with its own messages what it needs for changing them: it may not have been the
 * one that wrote them. One written to oneself lies in this inbox itself. */
static void
handle_fill(const struct connection *connection, const struct store_entry *entry,
            unsigned char room[MESSAGE_HANDLE_BYTES], ProtobufCBinaryData *out)
{
    const struct store_entry_message *message = &entry->message;
    struct message_handle_facts facts = {
        .recipient = entry->peer,
        .sender = message->sender,
        .chat_number = message->chat_number,
        .time_ms = message->time_ms,
        .entry = entry->peer == connection->user ? entry->number : message->original,
        .expires_at_ms = message->expires_at_ms,
    };
    if (message->sender != connection->user || entry->kind != STORE_ENTRY_MESSAGE) {
        return;
    }
    message_handle_make(&connection->messenger->handle_keys, &facts, room);
    out->data = room;
    out->len = MESSAGE_HANDLE_BYTES;
}

/* It has left the inbox: counted, and traced. */
static void
note_delivery(struct connection *connection, const struct store_entry *entry)
{
    const struct store_entry_message *message = &entry->message;
    const struct store *store = connection->messenger->store;
    messenger_count(&connection->messenger->counters.deliveries);
    if (connection->phase != CONNECTION_READER) {
        trace_step(
            store, STEP_WRITTEN,
            trace_mark(store, message->sender, message->sender_device, message->sender_number),
            connection->user, connection->device, entry->number);
    }
}

/* Not of an inbox. */
struct told {
    Linnet__V1__NewMessage__State state;
    Linnet__V1__MessageCount *count; /* NULL: there is none */
};

/* Whether all who are told of it are told the same: of an inbox, and a group's. */
static bool
is_shared(const struct store_entry *entry)
{
    return entry->number != 0 && entry->kind == STORE_ENTRY_GROUP_MESSAGE;
}

/* `told`: what a history says of it beside. */
static void
message_send(struct connection *connection, const struct store_entry *entry,
             const struct told *told)
{
    const struct store_entry_message *message = &entry->message;
    unsigned char handle[MESSAGE_HANDLE_BYTES];
    struct said said;
    said_fill(&said, entry, message);
    Linnet__V1__NewMessage event = LINNET__V1__NEW_MESSAGE__INIT;
    event.inbox_number = entry->number;
    event.id = &said.id;
    event.chat = &said.chat;
    event.chat_number = message->chat_number;
    event.sender = &said.sender;
    event.server_time_ms = message->time_ms;
    event.deleted = message->deleted;
    event.expires_at_ms = message->expires_at_ms;
    event.content_kind = message->content_kind;
    event.edited = message->edited;
    event.state = told->state;
    event.count = told->count;
    handle_fill(connection, entry, handle, &event.handle);
    event.body_case = (Linnet__V1__NewMessage__BodyCase)message->body_kind;
    if (event.body_case == LINNET__V1__NEW_MESSAGE__BODY_TEXT) {
        event.text = (char *)(uintptr_t)message->body; /* stored with its NUL */
    } else if (event.body_case == LINNET__V1__NEW_MESSAGE__BODY_CONTENT) {
        event.content.data = (uint8_t *)(uintptr_t)message->body;
        event.content.len = message->body_bytes;
    }
    if (said.attached != NULL) {
        event.n_attachments = said.attached->n_attachments;
        event.attachments = said.attached->attachments;
    }
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_NEW_MESSAGE;
    frame.new_message = &event;
    if (is_shared(entry)) {
        event_send_first(connection, entry, &frame);
    } else {
        event_send(connection, &frame);
    }
    if (entry->number != 0) {
        note_delivery(connection, entry);
    }
    linnet__v1__send_message__free_unpacked(said.attached, NULL);
}

void
event_message(struct connection *connection, const struct store_entry *entry)
{
    struct told nothing = {.state = LINNET__V1__NEW_MESSAGE__STATE__NONE};
    if (is_shared(entry) && event_send_again(connection, entry)) {
        note_delivery(connection, entry);
    } else {
        message_send(connection, entry, &nothing);
    }
}

void
event_told(struct connection *connection, const struct store_history_row *row)
{
    static const Linnet__V1__NewMessage__State states[] = {
        [STORE_HISTORY_SENT] = LINNET__V1__NEW_MESSAGE__STATE__SENT,
        [STORE_HISTORY_DELIVERED] = LINNET__V1__NEW_MESSAGE__STATE__DELIVERED,
        [STORE_HISTORY_READ] = LINNET__V1__NEW_MESSAGE__STATE__READ,
        [STORE_HISTORY_EXPIRED] = LINNET__V1__NEW_MESSAGE__STATE__EXPIRED,
    };
    Linnet__V1__MessageCount count = LINNET__V1__MESSAGE_COUNT__INIT;
    count.delivered = row->count.delivered;
    count.read = row->count.read;
    count.expired = row->count.expired;
    struct told told = {.state = states[row->state], .count = row->counted ? &count : NULL};
    message_send(connection, &row->entry, &told);
}

static Linnet__V1__MessageChanged__Kind
kind_of(enum store_change_kind kind)
{
    switch (kind) {
    case STORE_CHANGE_EDIT:
        return LINNET__V1__MESSAGE_CHANGED__KIND__EDITED;
    case STORE_CHANGE_DELETE:
        return LINNET__V1__MESSAGE_CHANGED__KIND__DELETED;
    case STORE_CHANGE_HIDE:
        return LINNET__V1__MESSAGE_CHANGED__KIND__HIDDEN;
    }
    return LINNET__V1__MESSAGE_CHANGED__KIND__UNSPECIFIED;
}

void
event_changed(struct connection *connection, const struct store_entry *entry)
{
    const struct store_entry_message *message = &entry->change.message;
    struct said said;
    said_fill(&said, entry, message);
    Linnet__V1__MessageChanged event = LINNET__V1__MESSAGE_CHANGED__INIT;
    event.inbox_number = entry->number;
    event.id = &said.id;
    event.chat = &said.chat;
    event.kind = kind_of(entry->change.kind);
    event.author_user_id = entry->change.author;
    event.chat_number = message->chat_number;
    event.sender = &said.sender;
    event.server_time_ms = message->time_ms;
    event.expires_at_ms = message->expires_at_ms;
    event.content_kind = message->content_kind;
    if (message->body_kind == LINNET__V1__NEW_MESSAGE__BODY_TEXT) {
        event.body_case = LINNET__V1__MESSAGE_CHANGED__BODY_TEXT;
        event.text = (char *)(uintptr_t)message->body;
    } else if (message->body_kind == LINNET__V1__NEW_MESSAGE__BODY_CONTENT) {
        event.body_case = LINNET__V1__MESSAGE_CHANGED__BODY_CONTENT;
        event.content.data = (uint8_t *)(uintptr_t)message->body;
        event.content.len = message->body_bytes;
    }
    if (said.attached != NULL) {
        event.n_attachments = said.attached->n_attachments;
        event.attachments = said.attached->attachments;
    }
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_MESSAGE_CHANGED;
    frame.message_changed = &event;
    event_send(connection, &frame);
    messenger_count(&connection->messenger->counters.changes);
    linnet__v1__send_message__free_unpacked(said.attached, NULL);
}
