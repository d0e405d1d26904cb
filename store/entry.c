/* SPDX-License-Identifier: Apache-2.0 */
#include "store/entry.h"

#include "store/cursor.h"
#include "store/expired.h"
#include "store/record.h"

#include <errno.h>

enum {
    KIND_BYTES = 1,
    TOTALS_BYTES = 3 * 8, /* peer, entries, bytes */
    COMMON_BYTES = RECORD_HEADER_BYTES + KIND_BYTES + TOTALS_BYTES,
    CURSORS_BYTES = 2 + 4 * 8,
    /* In the byte that tells whether the peer's cursors moved: what expired follows. */
    CURSORS_MOVED = 1,
    CURSORS_EXPIRED = 2,
    MESSAGE_BYTES = 4 * 8 + 2 + 1 + 1 + 4 + 4,
    STATE_BYTES = 1 + 1 + 4,
    MISSED_BYTES = 2,
    EXTRAS_BYTES = 2 * 8,
    WAY_BYTES = 2 * 8, /* a group message's before and post */
    MARKS_BYTES = 1 + 1,
    /* In a message's byte for the kind of its body, whose values stay below. Most messages have
     * none of them. */
    MESSAGE_MARKS = 0x20, /* content_kind and edited follow, at the record's end */
    MESSAGE_DELETED = 0x40,
    MESSAGE_EXTRAS = 0x80, /* expires_at_ms and original follow, likewise, before the others */
};

uint64_t
entry_time_ms(const struct store_entry *entry)
{
    switch (entry->kind) {
    case STORE_ENTRY_MESSAGE:
    case STORE_ENTRY_GROUP_MESSAGE:
        return entry->message.time_ms;
    case STORE_ENTRY_CHANGE:
    case STORE_ENTRY_GROUP_CHANGE:
        return entry->change.message.time_ms;
    case STORE_ENTRY_GROUP_UPDATE:
    case STORE_ENTRY_CHAT_TTL:
        return entry->update.time_ms;
    case STORE_ENTRY_DEVICE:
        return entry->device.time_ms;
    case STORE_ENTRY_CALL:
        return entry->call.ended_at_ms != 0 ? entry->call.ended_at_ms : entry->call.started_at_ms;
    case STORE_ENTRY_CURSORS:
    case STORE_ENTRY_GROUP_CURSORS:
    case STORE_ENTRY_GROUP_COUNTS:
    case STORE_ENTRY_STATE:
    case STORE_ENTRY_MISSED:
        break;
    }
    return 0;
}

bool
entry_next(const unsigned char *bytes, size_t count, size_t *at, struct store_entry *out)
{
    if (*at == count) {
        return false;
    }
    struct cursor_in in;
    cursor_in_init(&in, bytes + *at, count - *at);
    uint64_t number = cursor_get_u64(&in);
    uint32_t record_bytes = cursor_get_u32(&in);
    const unsigned char *record = cursor_get_bytes(&in, record_bytes);
    ASSERT(record != NULL);
    int error = entry_decode(number, record, record_bytes, out);
    ASSERT(error == 0);
    *at += ENTRY_PREFIX_BYTES + record_bytes;
    return true;
}

size_t
entry_bytes(const struct store_entry *entry)
{
    switch (entry->kind) {
    case STORE_ENTRY_MESSAGE:
        return COMMON_BYTES + entry_message_bytes(&entry->message);
    case STORE_ENTRY_GROUP_MESSAGE:
        return COMMON_BYTES + WAY_BYTES + entry_message_bytes(&entry->message);
    case STORE_ENTRY_CURSORS:
        return (size_t)COMMON_BYTES + CURSORS_BYTES + entry->cursors.expired_bytes;
    case STORE_ENTRY_CHANGE:
    case STORE_ENTRY_GROUP_CHANGE:
        return COMMON_BYTES + entry_change_bytes(&entry->change);
    case STORE_ENTRY_GROUP_UPDATE:
    case STORE_ENTRY_CHAT_TTL:
        return COMMON_BYTES + entry_update_bytes(&entry->update);
    case STORE_ENTRY_GROUP_CURSORS:
        return COMMON_BYTES + entry_group_cursors_bytes(&entry->group_cursors);
    case STORE_ENTRY_GROUP_COUNTS:
        return COMMON_BYTES + entry_group_counts_bytes(&entry->group_counts);
    case STORE_ENTRY_STATE:
        return COMMON_BYTES + STATE_BYTES + entry->state.value_bytes;
    case STORE_ENTRY_DEVICE:
        return COMMON_BYTES + entry_device_bytes(&entry->device);
    case STORE_ENTRY_CALL:
        return COMMON_BYTES + entry_call_bytes(&entry->call);
    case STORE_ENTRY_MISSED:
        return COMMON_BYTES + (entry->missed_of != 0 ? MISSED_BYTES : 0);
    }
    ASSERT(false && "an entry has a kind");
}

static bool
has_extras(const struct store_entry_message *message)
{
    return message->expires_at_ms != 0 || message->original != 0;
}

static bool
has_marks(const struct store_entry_message *message)
{
    return message->content_kind != 0 || message->edited;
}

size_t
entry_message_bytes(const struct store_entry_message *message)
{
    return (size_t)MESSAGE_BYTES + message->sender_name_bytes + message->body_bytes +
           message->attachments_bytes + (has_extras(message) ? EXTRAS_BYTES : 0u) +
           (has_marks(message) ? MARKS_BYTES : 0u);
}

/* What each message has; its texts follow. */
static void
put_fixed(struct cursor_out *out, const struct store_entry_message *message)
{
    unsigned kind = message->body_kind;
    struct cursor_out fixed;
    kind |= message->deleted ? MESSAGE_DELETED : 0;
    kind |= has_extras(message) ? MESSAGE_EXTRAS : 0;
    kind |= has_marks(message) ? MESSAGE_MARKS : 0;
    if (cursor_put_part(out, MESSAGE_BYTES, &fixed)) {
        cursor_put_u64(&fixed, message->sender);
        cursor_put_u64(&fixed, message->sender_number);
        cursor_put_u64(&fixed, message->chat_number);
        cursor_put_u64(&fixed, message->time_ms);
        cursor_put_u16(&fixed, message->sender_device);
        cursor_put_u8(&fixed, (uint8_t)kind);
        cursor_put_u8(&fixed, message->sender_name_bytes);
        cursor_put_u32(&fixed, message->body_bytes);
        cursor_put_u32(&fixed, message->attachments_bytes);
        ASSERT(!fixed.failed && fixed.at == fixed.end);
    }
}

void
entry_put_message(struct cursor_out *out, const struct store_entry_message *message)
{
    put_fixed(out, message);
    cursor_put_bytes(out, message->sender_name, message->sender_name_bytes);
    cursor_put_bytes(out, message->body, message->body_bytes);
    cursor_put_bytes(out, message->attachments, message->attachments_bytes);
    if (has_extras(message)) {
        cursor_put_u64(out, message->expires_at_ms);
        cursor_put_u64(out, message->original);
    }
    if (has_marks(message)) {
        cursor_put_u8(out, message->content_kind);
        cursor_put_u8(out, message->edited);
    }
}

void
entry_cursors_expired(const struct store_entry_cursors *cursors, struct expired *out)
{
    struct cursor_in in;
    *out = (struct expired){0};
    if (cursors->expired_bytes > 0) {
        cursor_in_init(&in, cursors->expired, cursors->expired_bytes);
        expired_get(&in, out);
    }
}

static void
cursors_write(struct cursor_out *out, const struct store_entry_cursors *cursors)
{
    bool expired = cursors->expired_bytes > 0;
    cursor_put_u8(out, (uint8_t)((cursors->peer_moved ? CURSORS_MOVED : 0) |
                                 (expired ? CURSORS_EXPIRED : 0)));
    cursor_put_u64(out, cursors->peer_delivered);
    cursor_put_u64(out, cursors->peer_read);
    cursor_put_u8(out, cursors->own_moved);
    cursor_put_u64(out, cursors->own_delivered);
    cursor_put_u64(out, cursors->own_read);
    cursor_put_bytes(out, cursors->expired, cursors->expired_bytes);
}

static void
state_write(struct cursor_out *out, const struct store_entry_state *state)
{
    cursor_put_u8(out, state->kind);
    cursor_put_u8(out, state->removed);
    cursor_put_u32(out, state->value_bytes);
    cursor_put_bytes(out, state->value, state->value_bytes);
}

static void
put_common(struct cursor_out *out, const struct store_entry *entry)
{
    struct cursor_out common;
    if (cursor_put_part(out, COMMON_BYTES, &common)) {
        record_begin(&common, RECORD_INBOX);
        cursor_put_u8(&common, (uint8_t)entry->kind);
        cursor_put_u64(&common, entry->peer);
        cursor_put_u64(&common, entry->total_entries);
        cursor_put_u64(&common, entry->total_bytes);
    }
}

void
entry_encode(const struct store_entry *entry, unsigned char *out)
{
    size_t bytes = entry_bytes(entry);
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, bytes);
    put_common(&cursor, entry);
    switch (entry->kind) {
    case STORE_ENTRY_GROUP_MESSAGE:
        cursor_put_u64(&cursor, entry->message.before);
        cursor_put_u64(&cursor, entry->message.post);
        entry_put_message(&cursor, &entry->message);
        break;
    case STORE_ENTRY_MESSAGE:
        entry_put_message(&cursor, &entry->message);
        break;
    case STORE_ENTRY_CURSORS:
        cursors_write(&cursor, &entry->cursors);
        break;
    case STORE_ENTRY_CHANGE:
    case STORE_ENTRY_GROUP_CHANGE:
        entry_put_change(&cursor, &entry->change);
        break;
    case STORE_ENTRY_GROUP_UPDATE:
    case STORE_ENTRY_CHAT_TTL:
        entry_put_update(&cursor, &entry->update);
        break;
    case STORE_ENTRY_GROUP_CURSORS:
        entry_put_group_cursors(&cursor, &entry->group_cursors);
        break;
    case STORE_ENTRY_GROUP_COUNTS:
        entry_put_group_counts(&cursor, &entry->group_counts);
        break;
    case STORE_ENTRY_STATE:
        state_write(&cursor, &entry->state);
        break;
    case STORE_ENTRY_DEVICE:
        entry_put_device(&cursor, &entry->device);
        break;
    case STORE_ENTRY_CALL:
        entry_put_call(&cursor, &entry->call);
        break;
    case STORE_ENTRY_MISSED:
        if (entry->missed_of != 0) {
            cursor_put_u16(&cursor, entry->missed_of);
        }
        break;
    }
    ASSERT(!cursor.failed && cursor_out_bytes(&cursor) == bytes);
}

static void
cursors_read(struct cursor_in *in, struct store_entry_cursors *out)
{
    uint8_t peer = cursor_get_u8(in);
    out->peer_delivered = cursor_get_u64(in);
    out->peer_read = cursor_get_u64(in);
    out->own_moved = record_get_flag(in);
    out->own_delivered = cursor_get_u64(in);
    out->own_read = cursor_get_u64(in);
    if (peer > (CURSORS_MOVED | CURSORS_EXPIRED)) {
        cursor_in_fail(in);
    }
    out->peer_moved = (peer & CURSORS_MOVED) != 0;
    if ((peer & CURSORS_EXPIRED) != 0) {
        struct expired expired;
        out->expired = in->at;
        expired_get(in, &expired);
        out->expired_bytes = (uint8_t)(in->at - out->expired);
    }
}

static void
state_read(struct cursor_in *in, struct store_entry_state *out)
{
    out->kind = cursor_get_u8(in);
    out->removed = record_get_flag(in);
    out->value_bytes = cursor_get_u32(in);
    out->value = cursor_get_bytes(in, out->value_bytes);
}

static uint16_t
missed_read(struct cursor_in *in)
{
    bool told = cursor_in_left(in) > 0;
    uint16_t device = told ? cursor_get_u16(in) : 0;
    if (told && device == 0) {
        cursor_in_fail(in);
    }
    return device;
}

/* Returns the byte of its body's kind, with what is marked there. */
static unsigned
get_fixed(struct cursor_in *in, struct store_entry_message *out)
{
    struct cursor_in fixed;
    if (!cursor_get_part(in, MESSAGE_BYTES, &fixed)) {
        *out = (struct store_entry_message){0};
        return 0;
    }
    out->sender = cursor_get_u64(&fixed);
    out->sender_number = cursor_get_u64(&fixed);
    out->chat_number = cursor_get_u64(&fixed);
    out->time_ms = cursor_get_u64(&fixed);
    out->sender_device = cursor_get_u16(&fixed);
    unsigned kind = cursor_get_u8(&fixed);
    out->body_kind = kind & (MESSAGE_MARKS - 1);
    out->deleted = (kind & MESSAGE_DELETED) != 0;
    out->sender_name_bytes = cursor_get_u8(&fixed);
    out->body_bytes = cursor_get_u32(&fixed);
    out->attachments_bytes = cursor_get_u32(&fixed);
    ASSERT(!fixed.failed && fixed.at == fixed.end);
    return kind;
}

void
entry_get_message(struct cursor_in *in, struct store_entry_message *out)
{
    unsigned kind = get_fixed(in, out);
    out->sender_name = (const char *)cursor_get_bytes(in, out->sender_name_bytes);
    out->body = cursor_get_bytes(in, out->body_bytes);
    out->attachments = cursor_get_bytes(in, out->attachments_bytes);
    bool extras = (kind & MESSAGE_EXTRAS) != 0;
    out->expires_at_ms = extras ? cursor_get_u64(in) : 0;
    out->original = extras ? cursor_get_u64(in) : 0;
    bool marks = (kind & MESSAGE_MARKS) != 0;
    out->content_kind = marks ? cursor_get_u8(in) : 0;
    out->edited = marks && record_get_flag(in);
    if ((extras && !has_extras(out)) || (marks && !has_marks(out))) {
        cursor_in_fail(in);
    }
}

/* What each entry has. */
static bool
get_common(struct cursor_in *in, struct store_entry *out)
{
    struct cursor_in common;
    if (!cursor_get_part(in, COMMON_BYTES, &common)) {
        return false;
    }
    record_expect(&common, RECORD_INBOX);
    out->kind = (enum store_entry_kind)cursor_get_u8(&common);
    out->peer = cursor_get_u64(&common);
    out->total_entries = cursor_get_u64(&common);
    out->total_bytes = cursor_get_u64(&common);
    return !common.failed;
}

int
entry_decode(uint64_t number, const unsigned char *bytes, size_t count, struct store_entry *out)
{
    struct store_entry entry = {.number = number};
    struct cursor_in in;
    cursor_in_init(&in, bytes, count);
    if (!get_common(&in, &entry)) {
        return -EBADMSG;
    }
    switch (entry.kind) {
    case STORE_ENTRY_GROUP_MESSAGE:
        entry.message.before = cursor_get_u64(&in);
        entry.message.post = cursor_get_u64(&in);
        entry_get_message(&in, &entry.message);
        break;
    case STORE_ENTRY_MESSAGE:
        entry_get_message(&in, &entry.message);
        break;
    case STORE_ENTRY_CURSORS:
        cursors_read(&in, &entry.cursors);
        break;
    case STORE_ENTRY_CHANGE:
    case STORE_ENTRY_GROUP_CHANGE:
        entry_get_change(&in, &entry.change);
        break;
    case STORE_ENTRY_GROUP_UPDATE:
    case STORE_ENTRY_CHAT_TTL:
        entry_get_update(&in, &entry.update);
        break;
    case STORE_ENTRY_GROUP_CURSORS:
        entry_get_group_cursors(&in, &entry.group_cursors);
        break;
    case STORE_ENTRY_GROUP_COUNTS:
        entry_get_group_counts(&in, &entry.group_counts);
        break;
    case STORE_ENTRY_STATE:
        state_read(&in, &entry.state);
        break;
    case STORE_ENTRY_DEVICE:
        entry_get_device(&in, &entry.device);
        break;
    case STORE_ENTRY_CALL:
        entry_get_call(&in, &entry.call);
        break;
    case STORE_ENTRY_MISSED:
        entry.missed_of = missed_read(&in);
        break;
    default:
        return -EBADMSG;
    }
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = entry;
    }
    return error;
}

bool
entry_expired(struct store_value record, uint64_t now_ms)
{
    struct store_entry entry;
    if (record.count < COMMON_BYTES + MESSAGE_BYTES) {
        return false;
    }
    int error = entry_decode(0, record.bytes, record.count, &entry);
    ASSERT(error == 0);
    const struct store_entry_message *message = entry_said(&entry);
    return message != NULL && message->expires_at_ms != 0 && message->expires_at_ms <= now_ms;
}

void
entry_prefix(uint64_t number, size_t record_bytes, unsigned char *out)
{
    struct cursor_out cursor;
    ASSERT(record_bytes <= TABLE_VALUE_BYTES_MAX);
    cursor_out_init(&cursor, out, ENTRY_PREFIX_BYTES);
    cursor_put_u64(&cursor, number);
    cursor_put_u32(&cursor, (uint32_t)record_bytes);
    ASSERT(!cursor.failed);
}
