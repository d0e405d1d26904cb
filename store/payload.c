/* SPDX-License-Identifier: Apache-2.0 */
#include "store/payload.h"

#include "store/payload_priv.h"

#include "store/record.h"

#include <errno.h>

enum { CREATE_DEVICE = 1, CREATE_PROMISED = 2 };

static size_t
create_bytes(const struct payload *payload)
{
    const struct payload_user_create *create = &payload->create;
    size_t bytes = 16 + 1u + create->name.bytes + 1u + create->password_bytes + 1;
    if (create->with_device) {
        bytes += STORE_TOKEN_HASH_BYTES + 1u + create->device_name.bytes;
    }
    return bytes;
}

static void
create_put(struct cursor_out *out, const struct payload *payload)
{
    const struct payload_user_create *create = &payload->create;
    cursor_put_u64(out, create->user);
    cursor_put_u64(out, create->created_at_ms);
    record_put_name(out, &create->name);
    cursor_put_u8(out, create->password_bytes);
    cursor_put_bytes(out, create->password, create->password_bytes);
    unsigned flags =
        (create->with_device ? CREATE_DEVICE : 0U) | (create->promised ? CREATE_PROMISED : 0U);
    cursor_put_u8(out, (uint8_t)flags);
    if (create->with_device) {
        cursor_put_bytes(out, create->token_hash, STORE_TOKEN_HASH_BYTES);
        record_put_name(out, &create->device_name);
    }
}

static void
create_get(struct cursor_in *in, struct payload *payload)
{
    struct payload_user_create *out = &payload->create;
    out->user = cursor_get_u64(in);
    out->created_at_ms = cursor_get_u64(in);
    record_get_name(in, &out->name);
    out->password_bytes = cursor_get_u8(in);
    out->password = cursor_get_bytes(in, out->password_bytes);
    uint8_t flags = cursor_get_u8(in);
    if (out->password_bytes > STORE_PASSWORD_BYTES_MAX ||
        flags > (CREATE_DEVICE | CREATE_PROMISED)) {
        cursor_in_fail(in);
    }
    out->with_device = (flags & CREATE_DEVICE) != 0;
    out->promised = (flags & CREATE_PROMISED) != 0;
    if (out->with_device) {
        cursor_get_copy(in, out->token_hash, STORE_TOKEN_HASH_BYTES);
        record_get_name(in, &out->device_name);
    }
}

static size_t
release_bytes(const struct payload *payload)
{
    return 8 + 1u + payload->release.name.bytes;
}

static void
release_put(struct cursor_out *out, const struct payload *payload)
{
    cursor_put_u64(out, payload->release.user);
    record_put_name(out, &payload->release.name);
}

static void
release_get(struct cursor_in *in, struct payload *out)
{
    out->release.user = cursor_get_u64(in);
    record_get_name(in, &out->release.name);
}

static size_t
receipt_bytes(const struct payload *payload)
{
    (void)payload;
    return 4 * sizeof(uint64_t);
}

static void
receipt_put(struct cursor_out *out, const struct payload *payload)
{
    cursor_put_u64(out, payload->receipt.reader);
    cursor_put_u64(out, payload->receipt.peer);
    cursor_put_u64(out, payload->receipt.delivered);
    cursor_put_u64(out, payload->receipt.read);
}

static void
receipt_get(struct cursor_in *in, struct payload *out)
{
    out->receipt.reader = cursor_get_u64(in);
    out->receipt.peer = cursor_get_u64(in);
    out->receipt.delivered = cursor_get_u64(in);
    out->receipt.read = cursor_get_u64(in);
}

static size_t
expired_receipt_bytes(const struct payload *payload)
{
    return receipt_bytes(payload) + expired_bytes(&payload->receipt.expired);
}

static void
expired_receipt_put(struct cursor_out *out, const struct payload *payload)
{
    receipt_put(out, payload);
    expired_put(out, &payload->receipt.expired);
}

static void
expired_receipt_get(struct cursor_in *in, struct payload *out)
{
    receipt_get(in, out);
    expired_get(in, &out->receipt.expired);
}

static size_t
copy_bytes(const struct payload *payload)
{
    return 8 + entry_message_bytes(&payload->copy.message);
}

static void
copy_put(struct cursor_out *out, const struct payload *payload)
{
    cursor_put_u64(out, payload->copy.peer);
    entry_put_message(out, &payload->copy.message);
}

static void
copy_get(struct cursor_in *in, struct payload *out)
{
    out->copy.peer = cursor_get_u64(in);
    entry_get_message(in, &out->copy.message);
}

static size_t
change_bytes(const struct payload *payload)
{
    return 8 + entry_change_bytes(&payload->change.change);
}

static void
change_put(struct cursor_out *out, const struct payload *payload)
{
    cursor_put_u64(out, payload->change.peer);
    entry_put_change(out, &payload->change.change);
}

static void
change_get(struct cursor_in *in, struct payload *out)
{
    out->change.peer = cursor_get_u64(in);
    entry_get_change(in, &out->change.change);
}

static size_t
chat_ttl_bytes(const struct payload *payload)
{
    (void)payload;
    return 4 * sizeof(uint64_t) + 1;
}

static void
chat_ttl_put(struct cursor_out *out, const struct payload *payload)
{
    cursor_put_u64(out, payload->chat_ttl.peer);
    cursor_put_u64(out, payload->chat_ttl.user);
    cursor_put_u64(out, payload->chat_ttl.ttl_ms);
    cursor_put_u64(out, payload->chat_ttl.time_ms);
    cursor_put_u8(out, payload->chat_ttl.alone);
}

static void
chat_ttl_get(struct cursor_in *in, struct payload *out)
{
    out->chat_ttl.peer = cursor_get_u64(in);
    out->chat_ttl.user = cursor_get_u64(in);
    out->chat_ttl.ttl_ms = cursor_get_u64(in);
    out->chat_ttl.time_ms = cursor_get_u64(in);
    out->chat_ttl.alone = record_get_flag(in);
}

/* Kinds without a place are nobody's. */
static const struct payload_coding user_create = {create_bytes, create_put, create_get};
static const struct payload_coding name_release = {release_bytes, release_put, release_get};
static const struct payload_coding receipt = {receipt_bytes, receipt_put, receipt_get};
static const struct payload_coding copy = {copy_bytes, copy_put, copy_get};
static const struct payload_coding change = {change_bytes, change_put, change_get};
static const struct payload_coding chat_ttl = {chat_ttl_bytes, chat_ttl_put, chat_ttl_get};
static const struct payload_coding expired = {expired_receipt_bytes, expired_receipt_put,
                                              expired_receipt_get};

static const struct payload_coding *const codings[PAYLOAD_KINDS] = {
    [PAYLOAD_USER_CREATE] = &user_create,
    [PAYLOAD_NAME_RELEASE] = &name_release,
    [PAYLOAD_RECEIPT] = &receipt,
    [PAYLOAD_COPY] = &copy,
    [PAYLOAD_GROUP_BEGIN] = &payload_group_begin,
    [PAYLOAD_GROUP_MESSAGE] = &payload_group_message,
    [PAYLOAD_GROUP_UPDATE] = &payload_group_update,
    [PAYLOAD_GROUP_RECEIPTS] = &payload_group_receipts,
    [PAYLOAD_GROUP_COUNTS] = &payload_group_counts,
    [PAYLOAD_GROUP_ABSENT] = &payload_group_absent,
    [PAYLOAD_GROUP_CHANGED] = &payload_group_changed,
    [PAYLOAD_CHANGE] = &change,
    [PAYLOAD_CHAT_TTL] = &chat_ttl,
    [PAYLOAD_EXPIRED] = &expired,
    [PAYLOAD_CALL] = &payload_call,
};

size_t
payload_bytes(const struct payload *payload)
{
    ASSERT(payload->kind < PAYLOAD_KINDS && codings[payload->kind] != NULL);
    return RECORD_HEADER_BYTES + 1 + codings[payload->kind]->bytes(payload);
}

void
payload_encode(const struct payload *payload, unsigned char *out)
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, payload_bytes(payload));
    record_begin(&cursor, RECORD_OUTBOX);
    cursor_put_u8(&cursor, (uint8_t)payload->kind);
    codings[payload->kind]->put(&cursor, payload);
    ASSERT(!cursor.failed && cursor_out_bytes(&cursor) == payload_bytes(payload));
}

int
payload_decode(struct store_value value, struct payload *out)
{
    struct payload payload = {0};
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_OUTBOX);
    uint8_t kind = cursor_get_u8(&in);
    if (kind >= PAYLOAD_KINDS || codings[kind] == NULL) {
        return -EBADMSG;
    }
    payload.kind = (enum payload_kind)kind;
    codings[kind]->get(&in, &payload);
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = payload;
    }
    return error;
}

/* Many ask, of each record that arrives: so it is not decoded. */
uint64_t
payload_group(struct store_value value)
{
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_OUTBOX);
    uint8_t kind = cursor_get_u8(&in);
    return kind == PAYLOAD_GROUP_MESSAGE ? cursor_get_u64(&in) : 0;
}

void
payload_pack(struct store_value record, unsigned char *out)
{
    struct cursor_out cursor;
    ASSERT(record.count <= TABLE_VALUE_BYTES_MAX);
    cursor_out_init(&cursor, out, PAYLOAD_LENGTH_BYTES + record.count);
    cursor_put_u32(&cursor, (uint32_t)record.count);
    cursor_put_bytes(&cursor, record.bytes, record.count);
    ASSERT(!cursor.failed);
}

bool
payload_next(struct store_value records, size_t *at, struct store_value *out)
{
    struct cursor_in in;
    ASSERT(*at <= records.count);
    cursor_in_init(&in, records.bytes + *at, records.count - *at);
    uint32_t count = cursor_get_u32(&in);
    const unsigned char *bytes = cursor_get_bytes(&in, count);
    if (in.failed) {
        return false;
    }
    *out = (struct store_value){.bytes = bytes, .count = count};
    *at += PAYLOAD_LENGTH_BYTES + count;
    return true;
}
