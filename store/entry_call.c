/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a call, as each of the two has it in the inbox, and as their partitions tell each
 * other (payload_call.c). */
#include "store/entry.h"

#include "store/cursor.h"

enum { CALL_BYTES = 8 + 8 + 2 + 3 + 2 + 4 * 8 + 1 + 4 };

size_t
entry_call_bytes(const struct store_entry_call *call)
{
    return (size_t)CALL_BYTES + call->name_bytes + call->content_bytes;
}

void
entry_put_call(struct cursor_out *out, const struct store_entry_call *call)
{
    cursor_put_u64(out, call->id.caller);
    cursor_put_u64(out, call->id.number);
    cursor_put_u16(out, call->id.device);
    cursor_put_u8(out, call->state);
    cursor_put_u8(out, call->outcome);
    cursor_put_u8(out, call->video);
    cursor_put_u16(out, call->device);
    cursor_put_u64(out, call->started_at_ms);
    cursor_put_u64(out, call->ring_until_ms);
    cursor_put_u64(out, call->answered_at_ms);
    cursor_put_u64(out, call->ended_at_ms);
    cursor_put_u8(out, call->name_bytes);
    cursor_put_u32(out, call->content_bytes);
    cursor_put_bytes(out, call->name, call->name_bytes);
    cursor_put_bytes(out, call->content, call->content_bytes);
}

void
entry_get_call(struct cursor_in *in, struct store_entry_call *out)
{
    out->id.caller = cursor_get_u64(in);
    out->id.number = cursor_get_u64(in);
    out->id.device = cursor_get_u16(in);
    out->state = cursor_get_u8(in);
    out->outcome = cursor_get_u8(in);
    uint8_t video = cursor_get_u8(in);
    out->video = video == 1;
    out->device = cursor_get_u16(in);
    out->started_at_ms = cursor_get_u64(in);
    out->ring_until_ms = cursor_get_u64(in);
    out->answered_at_ms = cursor_get_u64(in);
    out->ended_at_ms = cursor_get_u64(in);
    out->name_bytes = cursor_get_u8(in);
    out->content_bytes = cursor_get_u32(in);
    out->name = (const char *)cursor_get_bytes(in, out->name_bytes);
    out->content = cursor_get_bytes(in, out->content_bytes);
    bool ended = out->state == STORE_CALL_ENDED;
    if (out->state < STORE_CALL_RINGING || out->state > STORE_CALL_ENDED || video > 1 ||
        out->outcome > STORE_CALL_FAILED || ended != (out->outcome != 0) ||
        out->name_bytes > ENTRY_NAME_BYTES_MAX ||
        out->content_bytes > STORE_CALL_CONTENT_BYTES_MAX) {
        cursor_in_fail(in);
    }
}

bool
entry_call_wakes(uint64_t user, const struct store_entry_call *call)
{
    bool missed = call->state == STORE_CALL_ENDED && call->answered_at_ms == 0 &&
                  call->outcome != STORE_CALL_DECLINED;
    return call->id.caller != user && (call->state == STORE_CALL_RINGING || missed);
}
