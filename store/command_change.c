/* SPDX-License-Identifier: Apache-2.0 */
#include "store/command_change.h"

#include "store/command_priv.h"
#include "store/expiry.h"

void
command_put_change(struct cursor_out *out, const struct command *command)
{
    const struct command_change *change = &command->change;
    cursor_put_u64(out, change->owner);
    cursor_put_u64(out, change->peer);
    cursor_put_u8(out, change->in_group);
    cursor_put_u64(out, change->until_ms);
    cursor_put_u64(out, change->kept_until_ms);
    cursor_put_u64(out, change->original);
    cursor_put_u64(out, change->expires_at_ms);
    entry_put_change(out, &change->change);
}

void
command_get_change(struct cursor_in *in, struct command *command)
{
    struct command_change *out = &command->change;
    out->owner = cursor_get_u64(in);
    out->peer = cursor_get_u64(in);
    out->in_group = command_get_flag(in);
    out->until_ms = cursor_get_u64(in);
    out->kept_until_ms = cursor_get_u64(in);
    out->original = cursor_get_u64(in);
    out->expires_at_ms = cursor_get_u64(in);
    entry_get_change(in, &out->change);
    command_check_message(in, command, &out->change.message);
}

void
command_put_chat_ttl(struct cursor_out *out, const struct command *command)
{
    const struct command_chat_ttl *set = &command->chat_ttl;
    cursor_put_u64(out, set->recipient);
    cursor_put_u64(out, set->user);
    cursor_put_u64(out, set->number);
    cursor_put_u64(out, set->ttl_ms);
    cursor_put_u16(out, set->device);
    cursor_put_u8(out, set->met);
}

void
command_get_chat_ttl(struct cursor_in *in, struct command *command)
{
    struct command_chat_ttl *out = &command->chat_ttl;
    out->recipient = cursor_get_u64(in);
    out->user = cursor_get_u64(in);
    out->number = cursor_get_u64(in);
    out->ttl_ms = cursor_get_u64(in);
    out->device = cursor_get_u16(in);
    uint8_t met = cursor_get_u8(in);
    out->met = met != 0;
    if (met > 1) {
        cursor_in_fail(in);
    }
}

void
command_put_sweep(struct cursor_out *out, const struct command *command)
{
    const struct command_sweep *sweep = &command->sweep;
    ASSERT(sweep->count <= EXPIRY_ROWS_MAX);
    cursor_put_u32(out, sweep->count);
    cursor_put_bytes(out, sweep->rows, (size_t)sweep->count * EXPIRY_ROW_BYTES);
}

/* Each row is read here once, so that apply may rely on it. */
void
command_get_sweep(struct cursor_in *in, struct command *command)
{
    struct command_sweep *out = &command->sweep;
    out->count = cursor_get_u32(in);
    if (out->count > EXPIRY_ROWS_MAX) {
        cursor_in_fail(in);
        out->count = 0;
    }
    out->rows = cursor_get_bytes(in, (size_t)out->count * EXPIRY_ROW_BYTES);
    for (uint32_t i = 0; i < out->count && !in->failed; i++) {
        struct expiry_row row;
        struct expiry expiry;
        expiry_row_get(out->rows, i, &row);
        if (expiry_decode(row.record, &expiry) != 0) {
            cursor_in_fail(in);
        }
    }
}
