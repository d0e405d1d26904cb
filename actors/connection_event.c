/* SPDX-License-Identifier: Apache-2.0 */
/* Frames out. An event is encoded into memory on the stack when it is small, as nearly all are, and
 * leaves with the round's send. A large one is encoded into a shared payload. In the binary form a
 * long text of an inbox is not even that: it leaves from where it lies in the payload that tells
 * all of the user's devices of it. */
#include "actors/event.h"

#include "actors/command.h"
#include "actors/stencil.h"
#include "store/trace.h"

#include <string.h>

enum {
    EVENT_STACK_BYTES = 1024,
    /* Of a large event: what is shorter is cheaper to copy than to refer to. */
    SHARED_BYTES_MIN = 512,
};

/* The header of an event that goes behind it at once; 0: it may not. */
static size_t
frame_begin(struct connection *connection, size_t bytes,
            unsigned char header[FRAME_HEADER_BYTES_MAX])
{
    enum frame_opcode opcode = connection->form == PROTOCOL_JSON ? FRAME_TEXT : FRAME_BINARY;
    int header_bytes = websocket_header_encode(&connection->websocket, opcode, bytes, NULL, header);
    if (header_bytes < 0) {
        return 0; /* it is closing: nothing but the close may follow */
    }
    messenger_count(&connection->messenger->counters.frames_sent);
    messenger_add(&connection->messenger->counters.bytes_sent, (size_t)header_bytes + bytes);
    return (size_t)header_bytes;
}

/* How protobuf-c hands out a message in pieces. */
struct pieces {
    ProtobufCBuffer base;
    struct connection *connection;
    struct ln_buffer *shown;
};

static void
piece_send(ProtobufCBuffer *base, size_t count, const uint8_t *bytes)
{
    struct pieces *pieces = (struct pieces *)base;
    uintptr_t offset = (uintptr_t)bytes - (uintptr_t)ln_buffer_data(pieces->shown);
    if (count >= SHARED_BYTES_MIN && offset < ln_buffer_bytes(pieces->shown)) {
        struct ln_buffer *shared = ln_buffer_get(pieces->shown);
        connection_write_buffer(pieces->connection, &shared, offset, count);
    } else {
        connection_write(pieces->connection, bytes, count);
    }
}

static void
large_send(struct connection *connection, const Linnet__V1__ServerFrame *frame, size_t bytes)
{
    size_t sent;
    struct feed *feed = connection->feed;
    if (connection->form == PROTOCOL_BINARY && feed != NULL && feed->shown != NULL) {
        struct pieces pieces = {{piece_send}, connection, feed->shown};
        sent = protobuf_c_message_pack_to_buffer(&frame->base, &pieces.base);
    } else {
        struct ln_buffer *whole = ln_buffer_new(bytes);
        int error =
            protocol_encode(connection->form, &frame->base, ln_buffer_data(whole), bytes, &sent);
        ASSERT(error == 0);
        connection_write_buffer(connection, &whole, 0, bytes);
    }
    ASSERT(sent == bytes);
}

/* `shared`: of an entry that others are told in the same words; else NULL. */
static void
frame_send(struct connection *connection, const Linnet__V1__ServerFrame *frame,
           const struct store_entry *shared)
{
    unsigned char header[FRAME_HEADER_BYTES_MAX];
    unsigned char room[FRAME_HEADER_BYTES_MAX + EVENT_STACK_BYTES];
    unsigned char *payload = room + FRAME_HEADER_BYTES_MAX;
    size_t bytes;
    int error = protocol_encode(connection->form, &frame->base, payload, EVENT_STACK_BYTES, &bytes);
    if (error == 0 && shared != NULL) {
        stencil_keep(connection->form, shared, payload, bytes);
    }
    size_t header_bytes = frame_begin(connection, bytes, header);
    if (header_bytes > 0 && error == 0) {
        unsigned char *whole = payload - header_bytes;
        memcpy(whole, header, header_bytes);
        connection_write(connection, whole, header_bytes + bytes);
    } else if (header_bytes > 0) {
        connection_write(connection, header, header_bytes);
        large_send(connection, frame, bytes);
    }
}

void
event_send(struct connection *connection, Linnet__V1__ServerFrame *frame)
{
    if (connection->socket != NULL) {
        frame_send(connection, frame, NULL);
    } else if (connection->phase == CONNECTION_READER) {
        struct event_reader *reader = (struct event_reader *)connection;
        reader->take(reader, frame);
    }
}

bool
event_send_again(struct connection *connection, const struct store_entry *entry)
{
    unsigned char whole[FRAME_HEADER_BYTES_MAX + STENCIL_BYTES];
    const struct stencil *stencil =
        connection->socket != NULL ? stencil_find(connection->form, entry) : NULL;
    if (stencil == NULL) {
        return false;
    }
    size_t header_bytes = frame_begin(connection, stencil->frame_bytes, whole);
    if (header_bytes > 0) {
        memcpy(whole + header_bytes, stencil->frame, stencil->frame_bytes);
        connection_write(connection, whole, header_bytes + stencil->frame_bytes);
    }
    return true;
}

void
event_send_first(struct connection *connection, const struct store_entry *entry,
                 Linnet__V1__ServerFrame *frame)
{
    if (connection->socket != NULL) {
        frame_send(connection, frame, entry);
    } else {
        event_send(connection, frame);
    }
}

void
event_send_receipts(struct connection *connection, Linnet__V1__ServerFrame *frame)
{
    connection->patient = connection->socket != NULL &&
                          messenger_pressure_known(connection->messenger) >= PRESSURE_RECEIPTS &&
                          connection_more_comes(connection);
    event_send(connection, frame);
    connection->patient = false;
    messenger_count(&connection->messenger->counters.receipts);
}

void
event_reader_init(struct event_reader *reader, const struct messenger *messenger, uint64_t user,
                  void (*take)(struct event_reader *reader, Linnet__V1__ServerFrame *frame))
{
    memset(reader, 0, sizeof *reader);
    reader->messenger.store = messenger->store;
    reader->connection.messenger = &reader->messenger;
    reader->connection.phase = CONNECTION_READER;
    reader->connection.form = PROTOCOL_JSON;
    reader->connection.user = user;
    reader->take = take;
}

/* -------------------------------------------------------------------------------------- answers */

void
event_answer_to(struct connection *connection, uint64_t number, uint64_t ref,
                Linnet__V1__Answer *answer)
{
    answer->number = number;
    answer->ref = ref;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER;
    frame.answer = answer;
    event_send(connection, &frame);
}

void
event_answer(struct connection *connection, const struct pending *pending,
             Linnet__V1__Answer *answer)
{
    event_answer_to(connection, command_number(pending), pending->ref, answer);
}

void
event_error(struct connection *connection, uint64_t number, uint64_t ref,
            Linnet__V1__Error__Code code, const char *text, uint64_t retry_after_ms)
{
    Linnet__V1__Error error = LINNET__V1__ERROR__INIT;
    error.code = code;
    error.text = (char *)(uintptr_t)text;
    error.retry_after_ms = retry_after_ms;
    Linnet__V1__Answer answer = LINNET__V1__ANSWER__INIT;
    answer.result_case = LINNET__V1__ANSWER__RESULT_ERROR;
    answer.error = &error;
    if ((unsigned)code < MESSENGER_ERROR_CODES) {
        messenger_count(&connection->messenger->counters.errors[code]);
    }
    event_answer_to(connection, number, ref, &answer);
}

void
event_done(struct connection *connection, uint64_t number, uint64_t ref)
{
    Linnet__V1__Done done = LINNET__V1__DONE__INIT;
    Linnet__V1__Answer answer = LINNET__V1__ANSWER__INIT;
    answer.result_case = LINNET__V1__ANSWER__RESULT_DONE;
    answer.done = &done;
    event_answer_to(connection, number, ref, &answer);
}

/* ------------------------------------------------------------------------------------ the inbox */

static void
receipts_send(struct connection *connection, const struct store_entry *entry,
              const Linnet__V1__Receipts *event)
{
    Linnet__V1__Chat chat;
    event_chat(entry, &chat);
    Linnet__V1__Receipts whole = *event;
    whole.inbox_number = entry->number;
    whole.chat = &chat;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_RECEIPTS;
    frame.receipts = &whole;
    event_send_receipts(connection, &frame);
}

void
event_receipts(struct connection *connection, const struct store_entry *entry, uint64_t reader,
               uint64_t delivered, uint64_t read)
{
    Linnet__V1__Receipts event = LINNET__V1__RECEIPTS__INIT;
    event.reader_user_id = reader;
    event.delivered = delivered;
    event.read = read;
    receipts_send(connection, entry, &event);
}

static void
peer_cursors_send(struct connection *connection, const struct store_entry *entry)
{
    const struct store_entry_cursors *cursors = &entry->cursors;
    Linnet__V1__Receipts event = LINNET__V1__RECEIPTS__INIT;
    struct expired stored;
    struct event_expired expired;
    entry_cursors_expired(cursors, &stored);
    event_expired(&stored, &expired);
    event.reader_user_id = entry->peer;
    event.delivered = cursors->peer_delivered;
    event.read = cursors->peer_read;
    event.expired_after = expired.after;
    event.expired = expired.to;
    event.n_expired_earlier = expired.count;
    event.expired_earlier = expired.places;
    event.expired_unknown = expired.unknown;
    receipts_send(connection, entry, &event);
}

static void
cursors_send(struct connection *connection, const struct store_entry *entry)
{
    const struct store_entry_cursors *cursors = &entry->cursors;
    if (cursors->peer_moved) {
        peer_cursors_send(connection, entry);
    }
    if (cursors->own_moved) {
        event_receipts(connection, entry, connection->user, cursors->own_delivered,
                       cursors->own_read);
    }
}

bool
event_passes_over(const struct connection *connection, const struct store_entry *entry)
{
    return entry->kind == STORE_ENTRY_MISSED && entry->missed_of != 0 &&
           entry->missed_of == connection->device;
}

/* The client asks by itself how things stand: an entry is told without asking the store. */
static void
missed_send(struct connection *connection, const struct store_entry *entry)
{
    if (event_passes_over(connection, entry)) {
        return;
    }
    Linnet__V1__Resync event = LINNET__V1__RESYNC__INIT;
    event.inbox_number = entry->number;
    event.reason = LINNET__V1__RESYNC__REASON__INBOX_FULL;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_RESYNC;
    frame.resync = &event;
    event_send(connection, &frame);
    messenger_count(&connection->messenger->counters.resyncs);
}

static event_of_entry *const kinds[] = {
    [STORE_ENTRY_MESSAGE] = event_message,
    [STORE_ENTRY_CURSORS] = cursors_send,
    [STORE_ENTRY_STATE] = event_state,
    [STORE_ENTRY_GROUP_MESSAGE] = event_message,
    [STORE_ENTRY_CHANGE] = event_changed,
    [STORE_ENTRY_GROUP_CHANGE] = event_changed,
    [STORE_ENTRY_GROUP_UPDATE] = event_group_update,
    [STORE_ENTRY_CHAT_TTL] = event_group_update,
    [STORE_ENTRY_GROUP_CURSORS] = event_group_cursors,
    [STORE_ENTRY_GROUP_COUNTS] = event_group_counts,
    [STORE_ENTRY_DEVICE] = event_device_change,
    [STORE_ENTRY_MISSED] = missed_send,
    [STORE_ENTRY_CALL] = event_call,
};

void
event_entry(struct connection *connection, const struct store_entry *entry)
{
    size_t which = (size_t)entry->kind;
    ASSERT(which < sizeof kinds / sizeof kinds[0] && kinds[which] != NULL);
    kinds[which](connection, entry);
}

void
event_entries(struct connection *connection, const unsigned char *entries, size_t bytes)
{
    size_t at = 0;
    struct store_entry entry;
    while (entry_next(entries, bytes, &at, &entry)) {
        event_entry(connection, &entry);
    }
}

void
event_resync(struct connection *connection, const struct store_attached *attached,
             const struct ln_msg *chats, const struct ln_msg *groups)
{
    Linnet__V1__Resync event = LINNET__V1__RESYNC__INIT;
    struct chat_page page = {0};
    struct group_page group_page = {0};
    event.inbox_number = attached->acked;
    event.reason = attached->expired ? LINNET__V1__RESYNC__REASON__INBOX_EXPIRED
                                     : LINNET__V1__RESYNC__REASON__INBOX_FULL;
    if (chats != NULL) {
        chat_page_fill(chats, &page);
        event.summary = &page.list;
    }
    if (groups != NULL) {
        group_page_fill(groups, &group_page);
        event.groups = &group_page.list;
    }
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_RESYNC;
    frame.resync = &event;
    event_send(connection, &frame);
    chat_page_free(&page);
    group_page_free(&group_page);
    messenger_count(&connection->messenger->counters.resyncs);
}
