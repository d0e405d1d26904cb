/* SPDX-License-Identifier: Apache-2.0 */
/* How commands about devices are written and read. */
#include "store/command_priv.h"
#include "store/record.h"

void
device_rename_put(struct cursor_out *out, const struct command *command)
{
    cursor_put_u64(out, command->rename.user);
    cursor_put_u64(out, command->rename.number);
    cursor_put_u16(out, command->rename.by);
    cursor_put_u16(out, command->rename.device);
    record_put_name(out, &command->rename.name);
}

void
device_rename_get(struct cursor_in *in, struct command *out)
{
    out->rename.user = cursor_get_u64(in);
    out->rename.number = cursor_get_u64(in);
    out->rename.by = cursor_get_u16(in);
    out->rename.device = cursor_get_u16(in);
    record_get_name(in, &out->rename.name);
}

void
link_create_put(struct cursor_out *out, const struct command *command)
{
    cursor_put_u64(out, command->link_create.user);
    cursor_put_u16(out, command->link_create.device);
    cursor_put_u32(out, command->link_create.lifetime_ms);
    cursor_put_u8(out, command->link_create.tries);
    cursor_put_bytes(out, command->link_create.code_hash, STORE_TOKEN_HASH_BYTES);
}

void
link_create_get(struct cursor_in *in, struct command *out)
{
    out->link_create.user = cursor_get_u64(in);
    out->link_create.device = cursor_get_u16(in);
    out->link_create.lifetime_ms = cursor_get_u32(in);
    out->link_create.tries = cursor_get_u8(in);
    cursor_get_copy(in, out->link_create.code_hash, STORE_TOKEN_HASH_BYTES);
    if (out->link_create.tries == 0) {
        cursor_in_fail(in);
    }
}

void
link_redeem_put(struct cursor_out *out, const struct command *command)
{
    const struct command_link_redeem *redeem = &command->link_redeem;
    cursor_put_u64(out, redeem->add.user);
    cursor_put_bytes(out, redeem->code_hash, STORE_TOKEN_HASH_BYTES);
    cursor_put_bytes(out, redeem->add.token_hash, STORE_TOKEN_HASH_BYTES);
    record_put_name(out, &redeem->add.name);
}

void
link_redeem_get(struct cursor_in *in, struct command *command)
{
    struct command_link_redeem *out = &command->link_redeem;
    out->add.user = cursor_get_u64(in);
    cursor_get_copy(in, out->code_hash, STORE_TOKEN_HASH_BYTES);
    cursor_get_copy(in, out->add.token_hash, STORE_TOKEN_HASH_BYTES);
    record_get_name(in, &out->add.name);
}

void
device_unseen_put(struct cursor_out *out, const struct command *command)
{
    cursor_put_u64(out, command->unseen.user);
    cursor_put_u16(out, command->unseen.device);
    cursor_put_u8(out, command->unseen.verdict);
    cursor_put_u64(out, command->unseen.seen_at_ms);
    cursor_put_u64(out, command->unseen.unlink_at_ms);
}

void
device_unseen_get(struct cursor_in *in, struct command *out)
{
    out->unseen.user = cursor_get_u64(in);
    out->unseen.device = cursor_get_u16(in);
    out->unseen.verdict = cursor_get_u8(in);
    out->unseen.seen_at_ms = cursor_get_u64(in);
    out->unseen.unlink_at_ms = cursor_get_u64(in);
    if (out->unseen.verdict < UNSEEN_ANEW || out->unseen.verdict > UNSEEN_UNLINK) {
        cursor_in_fail(in);
    }
}
