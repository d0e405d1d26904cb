/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record.h"

#include "store/checksum.h"
#include "store/record_group.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* A name's two hashes come from two functions, so that nobody can look for a collision in both at
 * once. */
static const uint64_t NAME_SEED_OWNER = UINT64_C(0x9e3779b97f4a7c15);
static const uint64_t NAME_SEED_A = UINT64_C(0xc2b2ae3d27d4eb4f);

enum {
    CURSOR_BYTES = 2 + 1 + 3 * 8 + 8,
    HEAD_BYTES = RECORD_HEADER_BYTES + 1 + 2 + 2 + 6 * 8 + 8 + 1 + 1 + 8 + 8 + 2,
    /* In the byte that else tells whether the user was removed. */
    HEAD_UNBORN = 2,
    /* What few heads have, at the end. */
    HEAD_RECEIPTS_OFF = 1,
    HEAD_HOLDS = 2,
    HEAD_WITHDRAWN = 4,
    HEAD_MISSED = 8,
    HEAD_MISSED_OF = 16, /* beside that */
    HEAD_COPIED = 32,
    HEAD_PARTS = HEAD_RECEIPTS_OFF | HEAD_HOLDS | HEAD_WITHDRAWN | HEAD_MISSED | HEAD_MISSED_OF |
                 HEAD_COPIED,
    /* Beside a cursor's state. Only what wakes has more than that. */
    CURSOR_WAKES = 0x40,
    CURSOR_DUE = 0x80,
    DEVICE_VERSION_SEEN = 2, /* from here on with when it was seen, and warned of */
    CHAT_VERSION_PARTS = 2,
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
static_assert(HEAD_BYTES + STORE_DEVICES_LIMIT * CURSOR_BYTES <= RECORD_BYTES_MAX,
              "a head with all devices fits");

struct store_key
record_key_name(uint64_t seed, const struct store_name *name)
{
    struct store_key key = {
        .partition = key_partition_of_name(seed, name->text, name->bytes),
        .table = RECORD_NAME,
        .owner = checksum_bytes(seed ^ NAME_SEED_OWNER, name->text, name->bytes),
        .a = checksum_bytes(seed ^ NAME_SEED_A, name->text, name->bytes),
    };
    return key;
}

struct store_range
record_range_inbox(uint8_t partition, uint64_t user, uint64_t after, uint64_t to)
{
    struct store_range range = {
        .low = record_key(partition, RECORD_INBOX, user, after + 1),
        .high = record_key(partition, RECORD_INBOX, user, to),
    };
    range.high.b = UINT64_MAX;
    return range;
}

/* What goes with its owner. */
static const enum record_table owned[] = {RECORD_CHAT,       RECORD_STATE,   RECORD_STATE_SUM,
                                          RECORD_MEMBERSHIP, RECORD_HISTORY, RECORD_HISTORY_BACK,
                                          RECORD_HISTORY_AT};

bool
record_implies(const struct table_entry *entry, unsigned index, struct store_range *out)
{
    if (entry->key.table == RECORD_HEAD && index == 0) {
        struct record_head head;
        if (record_head_decode(entry->value, &head) != 0 || head.low.number == 0) {
            return false;
        }
        *out = record_range_inbox(entry->key.partition, entry->key.owner, 0, head.low.number);
        return true;
    }
    if (entry->key.table == RECORD_USER && index < sizeof(owned) / sizeof(owned[0])) {
        struct record_user user;
        if (record_user_decode(entry->value, &user) != 0 || !user.removed) {
            return false;
        }
        *out = key_range_owner(entry->key.partition, (uint8_t)owned[index], entry->key.owner);
        return true;
    }
    return record_group_implies(entry, index, out);
}

static void
begin_version(struct cursor_out *out, enum record_table table, uint8_t version)
{
    cursor_put_u8(out, (uint8_t)table);
    cursor_put_u8(out, version);
}

void
record_begin(struct cursor_out *out, enum record_table table)
{
    begin_version(out, table, RECORD_VERSION);
}

/* The version that a record of a table with several has. */
static uint8_t
expect_version(struct cursor_in *in, enum record_table table, uint8_t newest)
{
    uint8_t found = cursor_get_u8(in);
    uint8_t version = cursor_get_u8(in);
    if (found != table || version < RECORD_VERSION || version > newest) {
        cursor_in_fail(in);
    }
    return version;
}

void
record_expect(struct cursor_in *in, enum record_table table)
{
    (void)expect_version(in, table, RECORD_VERSION);
}

void
record_put_name(struct cursor_out *out, const struct store_name *name)
{
    ASSERT(name->bytes <= STORE_NAME_BYTES_MAX);
    cursor_put_u8(out, name->bytes);
    cursor_put_bytes(out, name->text, name->bytes);
}

void
record_get_name(struct cursor_in *in, struct store_name *name)
{
    uint8_t bytes = cursor_get_u8(in);
    if (bytes > STORE_NAME_BYTES_MAX) {
        cursor_in_fail(in);
        bytes = 0;
    }
    memset(name, 0, sizeof(*name));
    name->bytes = bytes;
    cursor_get_copy(in, name->text, bytes);
}

bool
record_names_equal(const struct store_name *x, const struct store_name *y)
{
    return x->bytes == y->bytes && memcmp(x->text, y->text, x->bytes) == 0;
}

bool
record_hashes_equal(const unsigned char *x, const unsigned char *y)
{
    unsigned difference = 0;
    for (unsigned i = 0; i < STORE_TOKEN_HASH_BYTES; i++) {
        difference |= (unsigned)(x[i] ^ y[i]);
    }
    return difference == 0;
}

bool
record_get_flag(struct cursor_in *in)
{
    uint8_t flag = cursor_get_u8(in);
    if (flag > 1) {
        cursor_in_fail(in);
    }
    return flag == 1;
}

/* ------------------------------------------------------------------------------------- accounts */

size_t
record_name_encode(const struct record_name *name, unsigned char out[RECORD_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_BYTES_MAX);
    record_begin(&cursor, RECORD_NAME);
    cursor_put_u64(&cursor, name->user);
    record_put_name(&cursor, &name->name);
    if (name->promised) {
        cursor_put_u8(&cursor, name->promised);
    }
    return cursor_out_end(&cursor);
}

int
record_name_decode(struct store_value value, struct record_name *out)
{
    struct record_name name;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_NAME);
    name.user = cursor_get_u64(&in);
    record_get_name(&in, &name.name);
    name.promised = cursor_in_left(&in) > 0;
    if (name.promised && !record_get_flag(&in)) {
        cursor_in_fail(&in); /* what is not is not written */
    }
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = name;
    }
    return error;
}

size_t
record_user_encode(const struct record_user *user, unsigned char out[RECORD_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_BYTES_MAX);
    record_begin(&cursor, RECORD_USER);
    cursor_put_u8(&cursor, user->removed);
    cursor_put_u64(&cursor, user->created_at_ms);
    record_put_name(&cursor, &user->name);
    return cursor_out_end(&cursor);
}

int
record_user_decode(struct store_value value, struct record_user *out)
{
    struct record_user user;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_USER);
    user.removed = record_get_flag(&in);
    user.created_at_ms = cursor_get_u64(&in);
    record_get_name(&in, &user.name);
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = user;
    }
    return error;
}

size_t
record_password_encode(const struct record_password *password, unsigned char out[RECORD_BYTES_MAX])
{
    struct cursor_out cursor;
    ASSERT(password->bytes <= STORE_PASSWORD_BYTES_MAX);
    cursor_out_init(&cursor, out, RECORD_BYTES_MAX);
    record_begin(&cursor, RECORD_PASSWORD);
    cursor_put_u8(&cursor, password->bytes);
    cursor_put_bytes(&cursor, password->text, password->bytes);
    return cursor_out_end(&cursor);
}

int
record_password_decode(struct store_value value, struct record_password *out)
{
    struct record_password password = {0};
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_PASSWORD);
    uint8_t bytes = cursor_get_u8(&in);
    if (bytes > STORE_PASSWORD_BYTES_MAX) {
        return -EBADMSG;
    }
    password.bytes = bytes;
    cursor_get_copy(&in, password.text, bytes);
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = password;
    }
    return error;
}

size_t
record_device_encode(const struct record_device *device, unsigned char out[RECORD_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_BYTES_MAX);
    begin_version(&cursor, RECORD_DEVICE, DEVICE_VERSION_SEEN);
    cursor_put_bytes(&cursor, device->token_hash, STORE_TOKEN_HASH_BYTES);
    cursor_put_u64(&cursor, device->added_at_ms);
    cursor_put_u64(&cursor, device->range);
    record_put_name(&cursor, &device->name);
    cursor_put_u64(&cursor, device->seen_at_ms);
    cursor_put_u64(&cursor, device->warned_at_ms);
    return cursor_out_end(&cursor);
}

int
record_device_decode(struct store_value value, struct record_device *out)
{
    struct record_device device = {.seen_at_ms = 0};
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    uint8_t version = expect_version(&in, RECORD_DEVICE, DEVICE_VERSION_SEEN);
    cursor_get_copy(&in, device.token_hash, STORE_TOKEN_HASH_BYTES);
    device.added_at_ms = cursor_get_u64(&in);
    device.range = cursor_get_u64(&in);
    record_get_name(&in, &device.name);
    if (version >= DEVICE_VERSION_SEEN) {
        device.seen_at_ms = cursor_get_u64(&in);
        device.warned_at_ms = cursor_get_u64(&in);
    }
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = device;
    }
    return error;
}

size_t
record_link_encode(const struct record_link *link, unsigned char out[RECORD_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_BYTES_MAX);
    record_begin(&cursor, RECORD_LINK);
    cursor_put_u16(&cursor, link->device);
    cursor_put_bytes(&cursor, link->code_hash, STORE_TOKEN_HASH_BYTES);
    cursor_put_u64(&cursor, link->expires_at_ms);
    cursor_put_u8(&cursor, link->tries);
    return cursor_out_end(&cursor);
}

int
record_link_decode(struct store_value value, struct record_link *out)
{
    struct record_link link;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_LINK);
    link.device = cursor_get_u16(&in);
    cursor_get_copy(&in, link.code_hash, STORE_TOKEN_HASH_BYTES);
    link.expires_at_ms = cursor_get_u64(&in);
    link.tries = cursor_get_u8(&in);
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = link;
    }
    return error;
}

/* -------------------------------------------------------------------------------------- inboxes */

static void
put_place(struct cursor_out *out, const struct record_place *place)
{
    cursor_put_u64(out, place->number);
    cursor_put_u64(out, place->entries);
    cursor_put_u64(out, place->bytes);
}

static void
get_place(struct cursor_in *in, struct record_place *place)
{
    place->number = cursor_get_u64(in);
    place->entries = cursor_get_u64(in);
    place->bytes = cursor_get_u64(in);
}

static void
put_cursor(struct cursor_out *out, const struct record_cursor *cursor)
{
    unsigned flags = (cursor->wakes ? CURSOR_WAKES : 0U) | (cursor->due ? CURSOR_DUE : 0U);
    cursor_put_u16(out, cursor->device);
    cursor_put_u8(out, (uint8_t)(cursor->state | flags));
    put_place(out, &cursor->acked);
    if (cursor->wakes) {
        cursor_put_u64(out, cursor->woken);
    }
}

static void
get_cursor(struct cursor_in *in, struct record_cursor *out)
{
    out->device = cursor_get_u16(in);
    unsigned state = cursor_get_u8(in);
    out->wakes = (state & CURSOR_WAKES) != 0;
    out->due = (state & CURSOR_DUE) != 0;
    out->state = (uint8_t)(state & ~(CURSOR_WAKES | CURSOR_DUE));
    get_place(in, &out->acked);
    out->woken = out->wakes ? cursor_get_u64(in) : 0;
    if (out->state > RECORD_CURSOR_EXPIRED || (out->due && !out->wakes)) {
        cursor_in_fail(in);
    }
}

static void
head_parts_put(struct cursor_out *out, const struct record_head *head)
{
    bool withdrawn = head->withdrawn > head->low.number; /* else it has been passed */
    bool missed = head->missed > head->low.number;
    bool missed_of = missed && head->missed_of != 0;
    bool copied = head->copied > head->low.number;
    unsigned parts = (head->receipts_off ? HEAD_RECEIPTS_OFF : 0U) |
                     (head->holds > 0 ? HEAD_HOLDS : 0U) | (withdrawn ? HEAD_WITHDRAWN : 0U) |
                     (missed ? HEAD_MISSED : 0U) | (missed_of ? HEAD_MISSED_OF : 0U) |
                     (copied ? HEAD_COPIED : 0U);
    if (parts != 0) {
        cursor_put_u8(out, (uint8_t)parts);
    }
    if (head->holds > 0) {
        cursor_put_u8(out, head->holds);
    }
    if (withdrawn) {
        cursor_put_u64(out, head->withdrawn);
    }
    if (missed) {
        cursor_put_u64(out, head->missed);
    }
    if (missed_of) {
        cursor_put_u16(out, head->missed_of);
    }
    if (copied) {
        cursor_put_u64(out, head->copied);
    }
}

static void
head_parts_get(struct cursor_in *in, struct record_head *out)
{
    bool parted = cursor_in_left(in) > 0;
    unsigned parts = parted ? cursor_get_u8(in) : 0;
    if (parts > HEAD_PARTS || parted != (parts != 0)) {
        cursor_in_fail(in);
    }
    out->receipts_off = (parts & HEAD_RECEIPTS_OFF) != 0;
    out->holds = (parts & HEAD_HOLDS) != 0 ? cursor_get_u8(in) : 0;
    out->withdrawn = (parts & HEAD_WITHDRAWN) != 0 ? cursor_get_u64(in) : 0;
    out->missed = (parts & HEAD_MISSED) != 0 ? cursor_get_u64(in) : 0;
    out->missed_of = (parts & HEAD_MISSED_OF) != 0 ? cursor_get_u16(in) : 0;
    out->copied = (parts & HEAD_COPIED) != 0 ? cursor_get_u64(in) : 0;
    if ((parts & HEAD_MISSED_OF) != 0 && (out->missed == 0 || out->missed_of == 0)) {
        cursor_in_fail(in);
    }
}

size_t
record_head_encode(const struct record_head *head, unsigned char out[RECORD_BYTES_MAX])
{
    struct cursor_out cursor;
    bool wakes = false;
    ASSERT(head->devices <= STORE_DEVICES_LIMIT);
    cursor_out_init(&cursor, out, RECORD_BYTES_MAX);
    record_begin(&cursor, RECORD_HEAD);
    cursor_put_u8(&cursor, (uint8_t)(head->unborn ? HEAD_UNBORN : head->removed));
    cursor_put_u16(&cursor, head->device_next);
    cursor_put_u16(&cursor, head->devices);
    put_place(&cursor, &head->low);
    put_place(&cursor, &head->last);
    for (unsigned i = 0; i < head->devices; i++) {
        put_cursor(&cursor, &head->cursors[i]);
        wakes = wakes || head->cursors[i].wakes;
    }
    if (wakes) {
        cursor_put_u64(&cursor, head->newest);
    }
    head_parts_put(&cursor, head);
    return cursor_out_end(&cursor);
}

/* Fills *out as it reads; the caller looks at the cursor's end. */
static void
head_read(struct cursor_in *in, struct record_head *out)
{
    bool wakes = false;
    record_expect(in, RECORD_HEAD);
    uint8_t life = cursor_get_u8(in);
    out->removed = life == 1;
    out->unborn = life == HEAD_UNBORN;
    if (life > HEAD_UNBORN) {
        cursor_in_fail(in);
    }
    out->device_next = cursor_get_u16(in);
    out->devices = cursor_get_u16(in);
    if (out->devices > STORE_DEVICES_LIMIT) {
        cursor_in_fail(in);
        out->devices = 0;
    }
    get_place(in, &out->low);
    get_place(in, &out->last);
    for (unsigned i = 0; i < out->devices; i++) {
        get_cursor(in, &out->cursors[i]);
        wakes = wakes || out->cursors[i].wakes;
    }
    out->newest = wakes ? cursor_get_u64(in) : 0;
    head_parts_get(in, out);
}

int
record_head_decode(struct store_value value, struct record_head *out)
{
    struct record_head head;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    head_read(&in, &head);
    int error = cursor_in_end(&in);
    if (error == 0) {
        /* Every message decodes a head, and most have one cursor of the 32. */
        memcpy(out, &head,
               offsetof(struct record_head, cursors) + head.devices * sizeof(head.cursors[0]));
    }
    return error;
}

/* ---------------------------------------------------------------------------------------- chats */

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
    begin_version(&cursor, RECORD_CHAT, parts != 0 ? CHAT_VERSION_PARTS : RECORD_VERSION);
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
    uint8_t version = expect_version(in, RECORD_CHAT, CHAT_VERSION_PARTS);
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
