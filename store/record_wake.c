/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_wake.h"

void
record_put_subscription(struct cursor_out *out, const struct record_wake *wake)
{
    cursor_put_u8(out, wake->kind);
    cursor_put_bytes(out, wake->p256dh, STORE_WAKE_P256DH_BYTES);
    cursor_put_bytes(out, wake->auth, STORE_WAKE_AUTH_BYTES);
    cursor_put_u16(out, wake->endpoint_bytes);
    cursor_put_bytes(out, wake->endpoint, wake->endpoint_bytes);
    cursor_put_u16(out, wake->app_bytes);
    cursor_put_bytes(out, wake->app, wake->app_bytes);
}

void
record_get_subscription(struct cursor_in *in, struct record_wake *wake)
{
    wake->kind = cursor_get_u8(in);
    cursor_get_copy(in, wake->p256dh, STORE_WAKE_P256DH_BYTES);
    cursor_get_copy(in, wake->auth, STORE_WAKE_AUTH_BYTES);
    wake->endpoint_bytes = cursor_get_u16(in);
    wake->endpoint = cursor_get_bytes(in, wake->endpoint_bytes);
    wake->app_bytes = cursor_get_u16(in);
    wake->app = cursor_get_bytes(in, wake->app_bytes);
    if ((wake->kind != STORE_WAKE_WEBHOOK && wake->kind != STORE_WAKE_WEBPUSH) ||
        wake->endpoint_bytes > STORE_WAKE_ENDPOINT_BYTES_MAX ||
        wake->app_bytes > STORE_WAKE_APP_BYTES_MAX) {
        cursor_in_fail(in);
    }
}

size_t
record_wake_encode(const struct record_wake *wake, unsigned char out[RECORD_WAKE_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_WAKE_BYTES_MAX);
    record_begin(&cursor, RECORD_WAKE);
    cursor_put_u64(&cursor, wake->id);
    cursor_put_u64(&cursor, wake->set_at_ms);
    record_put_subscription(&cursor, wake);
    return cursor_out_end(&cursor);
}

int
record_wake_decode(struct store_value value, struct record_wake *out)
{
    struct record_wake wake;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_WAKE);
    wake.id = cursor_get_u64(&in);
    wake.set_at_ms = cursor_get_u64(&in);
    record_get_subscription(&in, &wake);
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = wake;
    }
    return error;
}

size_t
record_due_encode(const struct record_due *due, unsigned char out[RECORD_DUE_BYTES])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_DUE_BYTES);
    record_begin(&cursor, RECORD_DUE);
    cursor_put_u64(&cursor, due->number);
    cursor_put_u64(&cursor, due->since_ms);
    return cursor_out_end(&cursor);
}

int
record_due_decode(struct store_value value, struct record_due *out)
{
    struct record_due due;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_DUE);
    due.number = cursor_get_u64(&in);
    due.since_ms = cursor_get_u64(&in);
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = due;
    }
    return error;
}
