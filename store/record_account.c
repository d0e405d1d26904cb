/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_account.h"

#include <errno.h>

/* From here on with when it was seen, and warned of. */
enum { DEVICE_VERSION_SEEN = 2 };

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
    record_begin_version(&cursor, RECORD_DEVICE, DEVICE_VERSION_SEEN);
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
    uint8_t version = record_expect_version(&in, RECORD_DEVICE, DEVICE_VERSION_SEEN);
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
