/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_chat.h"

enum {
    CHAT_VERSION_PARTS = 2,
    /* What few chats have. */
    CHAT_BLOCKED = 1,
    CHAT_EXPIRED = 2,
    CHAT_HELD = 4,
    CHAT_TTL = 8,
    CHAT_MUTED = 16,
    CHAT_HELD_UNTIL = 32,
    CHAT_TTL_ALONE = 64,
    /* all there are */
    CHAT_PARTS = CHAT_BLOCKED | CHAT_EXPIRED | CHAT_HELD | CHAT_TTL | CHAT_MUTED | CHAT_HELD_UNTIL |
                 CHAT_TTL_ALONE,
};

/* What few chats have stands behind what all have, each part when its bit is set; a record without
 * parts is as the first version wrote it. */
static uint8_t
chat_parts(const struct record_chat *chat)
{
    bool blocked = chat->blocked || chat->swallowed > 0;
    bool alone = chat->ttl_alone.set || chat->peer_ttl_alone.set;
    return (uint8_t)((blocked ? CHAT_BLOCKED : 0) | (chat->expired ? CHAT_EXPIRED : 0) |
                     (chat->held ? CHAT_HELD : 0) | (chat->ttl_at_ms != 0 ? CHAT_TTL : 0) |
                     (chat->muted_until_ms != 0 ? CHAT_MUTED : 0) |
                     (chat->held && chat->held_until_ms != 0 ? CHAT_HELD_UNTIL : 0) |
                     (alone ? CHAT_TTL_ALONE : 0));
}

static void
put_alone(struct cursor_out *out, const struct record_ttl_alone *alone)
{
    cursor_put_u8(out, alone->set);
    cursor_put_u64(out, alone->ttl_ms);
}

static struct record_ttl_alone
get_alone(struct cursor_in *in)
{
    struct record_ttl_alone alone = {.set = record_get_flag(in)};
    alone.ttl_ms = cursor_get_u64(in);
    return alone;
}

static void
chat_parts_put(struct cursor_out *out, const struct record_chat *chat, uint8_t parts)
{
    cursor_put_u8(out, parts);
    if ((parts & CHAT_BLOCKED) != 0) {
        cursor_put_u8(out, chat->blocked);
        cursor_put_u64(out, chat->swallowed);
    }
    if ((parts & CHAT_TTL) != 0) {
        cursor_put_u64(out, chat->ttl_ms);
        cursor_put_u64(out, chat->ttl_at_ms);
        cursor_put_u64(out, chat->ttl_by);
    }
    if ((parts & CHAT_MUTED) != 0) {
        cursor_put_u64(out, chat->muted_until_ms);
    }
    if ((parts & CHAT_HELD_UNTIL) != 0) {
        cursor_put_u64(out, chat->held_until_ms);
    }
    if ((parts & CHAT_TTL_ALONE) != 0) {
        put_alone(out, &chat->ttl_alone);
        put_alone(out, &chat->peer_ttl_alone);
    }
}

static void
chat_parts_get(struct cursor_in *in, struct record_chat *out)
{
    uint8_t parts = cursor_get_u8(in);
    if (parts == 0 || (parts & ~CHAT_PARTS) != 0) {
        cursor_in_fail(in);
    }
    out->held = (parts & CHAT_HELD) != 0;
    out->expired = (parts & CHAT_EXPIRED) != 0;
    if ((parts & CHAT_BLOCKED) != 0) {
        out->blocked = record_get_flag(in);
        out->swallowed = cursor_get_u64(in);
    }
    if ((parts & CHAT_TTL) != 0) {
        out->ttl_ms = cursor_get_u64(in);
        out->ttl_at_ms = cursor_get_u64(in);
        out->ttl_by = cursor_get_u64(in);
    }
    out->muted_until_ms = (parts & CHAT_MUTED) != 0 ? cursor_get_u64(in) : 0;
    out->held_until_ms = (parts & CHAT_HELD_UNTIL) != 0 ? cursor_get_u64(in) : 0;
    if ((parts & CHAT_TTL_ALONE) != 0) {
        out->ttl_alone = get_alone(in);
        out->peer_ttl_alone = get_alone(in);
    }
}

size_t
record_chat_encode(const struct record_chat *chat, const struct record_expired *expired,
                   unsigned char out[RECORD_BYTES_MAX])
{
    struct cursor_out cursor;
    uint8_t parts = chat_parts(chat);
    cursor_out_init(&cursor, out, RECORD_BYTES_MAX);
    record_begin_version(&cursor, RECORD_CHAT, parts != 0 ? CHAT_VERSION_PARTS : RECORD_VERSION);
    cursor_put_u64(&cursor, chat->last);
    cursor_put_u64(&cursor, chat->delivered);
    cursor_put_u64(&cursor, chat->read);
    cursor_put_u64(&cursor, chat->told_number);
    cursor_put_u64(&cursor, chat->told_delivered);
    cursor_put_u64(&cursor, chat->told_read);
    cursor_put_u64(&cursor, chat->peer_delivered);
    cursor_put_u64(&cursor, chat->peer_read);
    cursor_put_u64(&cursor, chat->mark);
    cursor_put_u8(&cursor, chat->mark_peer);
    cursor_put_u8(&cursor, chat->mark_own);
    if (parts != 0) {
        chat_parts_put(&cursor, chat, parts);
    }
    if (chat->expired) {
        cursor_put_u8(&cursor, chat->expired_due);
        expired_put(&cursor, &expired->here);
        expired_put(&cursor, &expired->there);
    }
    return cursor_out_end(&cursor);
}

/* All but what has expired. */
static void
chat_read(struct cursor_in *in, struct record_chat *out)
{
    *out = (struct record_chat){0};
    uint8_t version = record_expect_version(in, RECORD_CHAT, CHAT_VERSION_PARTS);
    out->last = cursor_get_u64(in);
    out->delivered = cursor_get_u64(in);
    out->read = cursor_get_u64(in);
    out->told_number = cursor_get_u64(in);
    out->told_delivered = cursor_get_u64(in);
    out->told_read = cursor_get_u64(in);
    out->peer_delivered = cursor_get_u64(in);
    out->peer_read = cursor_get_u64(in);
    out->mark = cursor_get_u64(in);
    out->mark_peer = record_get_flag(in);
    out->mark_own = record_get_flag(in);
    if (version >= CHAT_VERSION_PARTS) {
        chat_parts_get(in, out);
    }
    out->expired_due = out->expired && record_get_flag(in);
}

static __attribute__((noinline)) void
chat_expired_read(struct cursor_in *in, struct record_expired *out)
{
    expired_get(in, &out->here);
    expired_get(in, &out->there);
    if (expired_is_none(&out->here) && expired_is_none(&out->there)) {
        cursor_in_fail(in);
    }
}

/* So that who reads the chat alone has no room for it on the stack. */
static __attribute__((noinline)) void
chat_expired_pass(struct cursor_in *in)
{
    struct record_expired expired;
    chat_expired_read(in, &expired);
}

int
record_chat_decode(struct store_value value, struct record_chat *out)
{
    struct record_chat chat;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    chat_read(&in, &chat);
    if (chat.expired) {
        chat_expired_pass(&in);
    }
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = chat;
    }
    return error;
}

int
record_expired_decode(struct store_value value, struct record_expired *out)
{
    struct record_expired expired = {0};
    struct record_chat chat;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    chat_read(&in, &chat);
    if (chat.expired) {
        chat_expired_read(&in, &expired);
    }
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = expired;
    }
    return error;
}
