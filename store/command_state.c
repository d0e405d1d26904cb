/* SPDX-License-Identifier: Apache-2.0 */
#include "store/command_priv.h"
#include "store/rule.h"

void
command_put_state(struct cursor_out *out, const struct command *command)
{
    const struct command_state *state = &command->state;
    cursor_put_u64(out, state->user);
    cursor_put_u64(out, state->number);
    cursor_put_u16(out, state->device);
    cursor_put_u64(out, state->subject);
    cursor_put_u8(out, state->kind);
    cursor_put_u8(out, state->removed);
    cursor_put_u32(out, state->states_max);
    cursor_put_u32(out, state->bytes_max);
    cursor_put_u32(out, (uint32_t)state->value.count);
    cursor_put_bytes(out, state->value.bytes, state->value.count);
    if (state->kind == STORE_STATE_MUTED) {
        cursor_put_u64(out, state->quiet_until_ms);
    }
}

/* A value that is a rule can be read as one. */
void
command_get_state(struct cursor_in *in, struct command *command)
{
    struct command_state *out = &command->state;
    out->user = cursor_get_u64(in);
    out->number = cursor_get_u64(in);
    out->device = cursor_get_u16(in);
    out->subject = cursor_get_u64(in);
    out->kind = cursor_get_u8(in);
    out->removed = command_get_flag(in);
    out->states_max = cursor_get_u32(in);
    out->bytes_max = cursor_get_u32(in);
    out->value.count = cursor_get_u32(in);
    out->value.bytes = cursor_get_bytes(in, out->value.count);
    out->quiet_until_ms = out->kind == STORE_STATE_MUTED ? cursor_get_u64(in) : 0;
    if (in->failed || !state_valid(out->kind, out->subject, out->removed, out->value)) {
        cursor_in_fail(in);
    }
}
