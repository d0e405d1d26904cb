/* SPDX-License-Identifier: Apache-2.0 */
#include "store/payload_call.h"

#include "store/payload_priv.h"
#include "store/record.h"

static size_t
call_bytes(const struct payload *payload)
{
    return 1 + 1 + 1 + 8 + entry_call_bytes(&payload->call.call);
}

static void
call_put(struct cursor_out *out, const struct payload *payload)
{
    cursor_put_u8(out, payload->call.step);
    cursor_put_u8(out, payload->call.reason);
    cursor_put_u8(out, payload->call.one_way);
    cursor_put_u64(out, payload->call.callee);
    entry_put_call(out, &payload->call.call);
}

static void
call_get(struct cursor_in *in, struct payload *payload)
{
    struct payload_call *out = &payload->call;
    out->step = cursor_get_u8(in);
    out->reason = cursor_get_u8(in);
    out->one_way = record_get_flag(in);
    out->callee = cursor_get_u64(in);
    entry_get_call(in, &out->call);
    bool asked = out->step == PAYLOAD_CALL_END_ASKED;
    if (out->step < PAYLOAD_CALL_OFFERED || out->step > PAYLOAD_CALL_ENDED ||
        out->reason > STORE_CALL_FAIL || asked != (out->reason != 0)) {
        cursor_in_fail(in);
    }
}

const struct payload_coding payload_call = {call_bytes, call_put, call_get};
