/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_call.h"

#include <errno.h>

static void
call_put(struct cursor_out *out, const struct record_call *call)
{
    cursor_put_u64(out, call->id.caller);
    cursor_put_u64(out, call->id.number);
    cursor_put_u16(out, call->id.device);
    cursor_put_u64(out, call->peer);
    cursor_put_u64(out, call->started_at_ms);
    cursor_put_u64(out, call->ring_until_ms);
    cursor_put_u64(out, call->answered_at_ms);
    cursor_put_u64(out, call->entry);
    cursor_put_u16(out, call->device);
    cursor_put_u8(out, call->state);
    cursor_put_u8(out, call->video);
    cursor_put_u8(out, call->absent);
    cursor_put_u8(out, call->name_bytes);
    cursor_put_bytes(out, call->name, call->name_bytes);
}

static void
call_get(struct cursor_in *in, struct record_call *out)
{
    out->id.caller = cursor_get_u64(in);
    out->id.number = cursor_get_u64(in);
    out->id.device = cursor_get_u16(in);
    out->peer = cursor_get_u64(in);
    out->started_at_ms = cursor_get_u64(in);
    out->ring_until_ms = cursor_get_u64(in);
    out->answered_at_ms = cursor_get_u64(in);
    out->entry = cursor_get_u64(in);
    out->device = cursor_get_u16(in);
    out->state = cursor_get_u8(in);
    out->video = record_get_flag(in);
    out->absent = record_get_flag(in);
    out->name_bytes = cursor_get_u8(in);
    out->name = (const char *)cursor_get_bytes(in, out->name_bytes);
    if (out->state < RECORD_CALL_RINGING || out->state > RECORD_CALL_ENDING ||
        out->name_bytes > STORE_NAME_BYTES_MAX) {
        cursor_in_fail(in);
    }
}

size_t
record_calls_encode(const struct record_calls *calls, unsigned char out[RECORD_CALLS_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_CALLS_BYTES_MAX);
    record_begin(&cursor, RECORD_CALLS);
    cursor_put_u8(&cursor, (uint8_t)calls->count);
    for (unsigned i = 0; i < calls->count; i++) {
        call_put(&cursor, &calls->calls[i]);
    }
    return cursor_out_end(&cursor);
}

int
record_calls_decode(struct store_value value, struct record_calls *out)
{
    struct record_calls calls = {0};
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_CALLS);
    calls.count = cursor_get_u8(&in);
    if (calls.count == 0 || calls.count > RECORD_CALLS_MAX) {
        return -EBADMSG;
    }
    for (unsigned i = 0; i < calls.count; i++) {
        call_get(&in, &calls.calls[i]);
    }
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = calls;
    }
    return error;
}
