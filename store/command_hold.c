/* SPDX-License-Identifier: Apache-2.0 */
#include "store/command_priv.h"
#include "store/record.h"

void
command_put_name_hold(struct cursor_out *out, const struct command *command)
{
    record_put_name(out, &command->name_hold);
}

void
command_get_name_hold(struct cursor_in *in, struct command *out)
{
    record_get_name(in, &out->name_hold);
    if (out->name_hold.bytes == 0) {
        cursor_in_fail(in);
    }
}

void
command_put_hold(struct cursor_out *out, const struct command *command)
{
    cursor_put_u64(out, command->hold.user);
    cursor_put_u64(out, command->hold.recipient);
    cursor_put_u32(out, command->hold.recipients_max);
    cursor_put_u8(out, command->hold.back);
    cursor_put_u64(out, command->hold.until_ms);
}

void
command_get_hold(struct cursor_in *in, struct command *out)
{
    out->hold.user = cursor_get_u64(in);
    out->hold.recipient = cursor_get_u64(in);
    out->hold.recipients_max = cursor_get_u32(in);
    out->hold.back = record_get_flag(in);
    /* Logs of before a count had an end have none. */
    out->hold.until_ms = cursor_in_left(in) > 0 ? cursor_get_u64(in) : 0;
}
