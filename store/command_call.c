/* SPDX-License-Identifier: Apache-2.0 */
#include "store/command_call.h"

#include "store/command_priv.h"

void
command_put_call_offer(struct cursor_out *out, const struct command *command)
{
    const struct command_call_offer *offer = &command->call_offer;
    cursor_put_u64(out, offer->callee);
    cursor_put_u32(out, offer->ring_ms);
    entry_put_call(out, &offer->call);
}

void
command_get_call_offer(struct cursor_in *in, struct command *command)
{
    struct command_call_offer *out = &command->call_offer;
    out->callee = cursor_get_u64(in);
    out->ring_ms = cursor_get_u32(in);
    entry_get_call(in, &out->call);
    if (out->ring_ms > STORE_CALL_RING_MS_MAX || out->call.state != STORE_CALL_RINGING) {
        cursor_in_fail(in);
    }
}

void
command_put_call(struct cursor_out *out, const struct command *command)
{
    const struct command_call *call = &command->call;
    cursor_put_u64(out, call->user);
    cursor_put_u64(out, call->id.caller);
    cursor_put_u64(out, call->id.number);
    cursor_put_u16(out, call->id.device);
    cursor_put_u16(out, call->device);
    cursor_put_u8(out, call->reason);
    cursor_put_u8(out, call->present);
    cursor_put_u32(out, call->content_bytes);
    cursor_put_bytes(out, call->content, call->content_bytes);
}

void
command_get_call(struct cursor_in *in, struct command *command)
{
    struct command_call *out = &command->call;
    out->user = cursor_get_u64(in);
    out->id.caller = cursor_get_u64(in);
    out->id.number = cursor_get_u64(in);
    out->id.device = cursor_get_u16(in);
    out->device = cursor_get_u16(in);
    out->reason = cursor_get_u8(in);
    out->present = command_get_flag(in);
    out->content_bytes = cursor_get_u32(in);
    out->content = cursor_get_bytes(in, out->content_bytes);
    if (out->reason > STORE_CALL_FAIL || out->content_bytes > STORE_CALL_CONTENT_BYTES_MAX) {
        cursor_in_fail(in);
    }
}
