/* SPDX-License-Identifier: Apache-2.0 */
#include "store/payload.h"

#include "store/cursor.h"
#include "store/record.h"

#include <errno.h>

size_t
payload_bytes(const struct payload *payload)
{
    size_t bytes = RECORD_HEADER_BYTES + 1;
    switch (payload->kind) {
    case PAYLOAD_USER_CREATE:
        bytes += 16 + 1u + payload->create.name.bytes + 1u + payload->create.password_bytes + 1;
        if (payload->create.with_device) {
            bytes += STORE_TOKEN_HASH_BYTES + 1u + payload->create.device_name.bytes;
        }
        return bytes;
    case PAYLOAD_NAME_RELEASE:
        return bytes + 8 + 1u + payload->release.name.bytes;
    case PAYLOAD_RECEIPT:
        return bytes + 4 * sizeof(uint64_t);
    case PAYLOAD_COPY:
        return bytes + 8 + entry_message_bytes(&payload->copy.message);
    }
    ASSERT(false);
}

static void
create_put(struct cursor_out *out, const struct payload_user_create *create)
{
    cursor_put_u64(out, create->user);
    cursor_put_u64(out, create->created_at_ms);
    record_put_name(out, &create->name);
    cursor_put_u8(out, create->password_bytes);
    cursor_put_bytes(out, create->password, create->password_bytes);
    cursor_put_u8(out, create->with_device);
    if (create->with_device) {
        cursor_put_bytes(out, create->token_hash, STORE_TOKEN_HASH_BYTES);
        record_put_name(out, &create->device_name);
    }
}

static void
create_get(struct cursor_in *in, struct payload_user_create *out)
{
    out->user = cursor_get_u64(in);
    out->created_at_ms = cursor_get_u64(in);
    record_get_name(in, &out->name);
    out->password_bytes = cursor_get_u8(in);
    out->password = cursor_get_bytes(in, out->password_bytes);
    uint8_t with_device = cursor_get_u8(in);
    if (out->password_bytes > STORE_PASSWORD_BYTES_MAX || with_device > 1) {
        cursor_in_fail(in);
    }
    out->with_device = with_device == 1;
    if (out->with_device) {
        cursor_get_copy(in, out->token_hash, STORE_TOKEN_HASH_BYTES);
        record_get_name(in, &out->device_name);
    }
}

void
payload_encode(const struct payload *payload, unsigned char *out)
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, payload_bytes(payload));
    record_begin(&cursor, RECORD_OUTBOX);
    cursor_put_u8(&cursor, (uint8_t)payload->kind);
    switch (payload->kind) {
    case PAYLOAD_USER_CREATE:
        create_put(&cursor, &payload->create);
        break;
    case PAYLOAD_NAME_RELEASE:
        cursor_put_u64(&cursor, payload->release.user);
        record_put_name(&cursor, &payload->release.name);
        break;
    case PAYLOAD_RECEIPT:
        cursor_put_u64(&cursor, payload->receipt.reader);
        cursor_put_u64(&cursor, payload->receipt.peer);
        cursor_put_u64(&cursor, payload->receipt.delivered);
        cursor_put_u64(&cursor, payload->receipt.read);
        break;
    case PAYLOAD_COPY:
        cursor_put_u64(&cursor, payload->copy.peer);
        entry_put_message(&cursor, &payload->copy.message);
        break;
    }
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
    if (kind == PAYLOAD_USER_CREATE) {
        create_get(&in, &payload.create);
    } else if (kind == PAYLOAD_NAME_RELEASE) {
        payload.release.user = cursor_get_u64(&in);
        record_get_name(&in, &payload.release.name);
    } else if (kind == PAYLOAD_RECEIPT) {
        payload.receipt.reader = cursor_get_u64(&in);
        payload.receipt.peer = cursor_get_u64(&in);
        payload.receipt.delivered = cursor_get_u64(&in);
        payload.receipt.read = cursor_get_u64(&in);
    } else if (kind == PAYLOAD_COPY) {
        payload.copy.peer = cursor_get_u64(&in);
        entry_get_message(&in, &payload.copy.message);
    } else {
        return -EBADMSG;
    }
    payload.kind = (enum payload_kind)kind;
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = payload;
    }
    return error;
}
