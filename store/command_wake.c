/* SPDX-License-Identifier: Apache-2.0 */
#include "store/command_priv.h"

void
command_put_wake_set(struct cursor_out *out, const struct command *command)
{
    cursor_put_u64(out, command->wake_set.user);
    cursor_put_u16(out, command->wake_set.device);
    record_put_subscription(out, &command->wake_set.wake);
}

void
command_get_wake_set(struct cursor_in *in, struct command *out)
{
    out->wake_set.user = cursor_get_u64(in);
    out->wake_set.device = cursor_get_u16(in);
    record_get_subscription(in, &out->wake_set.wake);
}

void
command_put_wake_clear(struct cursor_out *out, const struct command *command)
{
    cursor_put_u64(out, command->wake_clear.user);
    cursor_put_u16(out, command->wake_clear.device);
    cursor_put_u64(out, command->wake_clear.id);
}

void
command_get_wake_clear(struct cursor_in *in, struct command *out)
{
    out->wake_clear.user = cursor_get_u64(in);
    out->wake_clear.device = cursor_get_u16(in);
    out->wake_clear.id = cursor_get_u64(in);
}

void
command_put_wake_done(struct cursor_out *out, const struct command *command)
{
    cursor_put_u64(out, command->wake_done.user);
    cursor_put_u16(out, command->wake_done.device);
    cursor_put_u64(out, command->wake_done.id);
    cursor_put_u64(out, command->wake_done.newest);
}

void
command_get_wake_done(struct cursor_in *in, struct command *out)
{
    out->wake_done.user = cursor_get_u64(in);
    out->wake_done.device = cursor_get_u16(in);
    out->wake_done.id = cursor_get_u64(in);
    out->wake_done.newest = cursor_get_u64(in);
}
