/* SPDX-License-Identifier: Apache-2.0 */
#include "store/command_group.h"

#include "store/command_priv.h"

uint64_t
command_id_at(const struct command_ids *ids, uint32_t index)
{
    uint64_t id;
    ASSERT(index < ids->count);
    memcpy(&id, ids->bytes + (size_t)index * sizeof(id), sizeof(id));
    return id;
}

static void
put_ids(struct cursor_out *out, const struct command_ids *ids)
{
    cursor_put_u32(out, ids->count);
    cursor_put_bytes(out, ids->bytes, (size_t)ids->count * sizeof(uint64_t));
}

static void
get_ids(struct cursor_in *in, uint32_t max, struct command_ids *out)
{
    out->count = cursor_get_u32(in);
    if (out->count > max) {
        cursor_in_fail(in);
        out->count = 0;
    }
    out->bytes = cursor_get_bytes(in, (size_t)out->count * sizeof(uint64_t));
}

void
command_put_user_remove(struct cursor_out *out, const struct command *command)
{
    cursor_put_u64(out, command->user_remove.user);
    put_ids(out, &command->user_remove.groups);
    put_ids(out, &command->user_remove.waiting);
}

void
command_get_user_remove(struct cursor_in *in, struct command *command)
{
    command->user_remove.user = cursor_get_u64(in);
    get_ids(in, COMMAND_LEFT_MAX, &command->user_remove.groups);
    command->user_remove.waiting = (struct command_ids){.bytes = NULL};
    if (cursor_in_left(in) > 0) { /* logs of before there was a second list have none */
        get_ids(in, COMMAND_LEFT_MAX, &command->user_remove.waiting);
    }
}

void
command_put_group_create(struct cursor_out *out, const struct command *command)
{
    const struct command_group_create *create = &command->group_create;
    cursor_put_u64(out, create->user);
    cursor_put_u64(out, create->number);
    cursor_put_u64(out, create->ttl_ms);
    cursor_put_u16(out, create->device);
    cursor_put_u8(out, create->rights);
    cursor_put_u8(out, create->name_bytes);
    cursor_put_bytes(out, create->name, create->name_bytes);
    put_ids(out, &create->members);
}

void
command_get_group_create(struct cursor_in *in, struct command *command)
{
    struct command_group_create *out = &command->group_create;
    out->user = cursor_get_u64(in);
    out->number = cursor_get_u64(in);
    out->ttl_ms = cursor_get_u64(in);
    out->device = cursor_get_u16(in);
    out->rights = cursor_get_u8(in);
    out->name_bytes = cursor_get_u8(in);
    if (out->name_bytes > STORE_GROUP_NAME_BYTES_MAX) {
        cursor_in_fail(in);
    }
    out->name = (const char *)cursor_get_bytes(in, out->name_bytes);
    get_ids(in, STORE_GROUP_MEMBERS_LIMIT, &out->members);
}

void
command_put_group_change(struct cursor_out *out, const struct command *command)
{
    const struct command_group_change *change = &command->group_change;
    cursor_put_u64(out, change->group);
    cursor_put_u64(out, change->user);
    cursor_put_u64(out, change->number);
    cursor_put_u64(out, change->value);
    cursor_put_u32(out, change->members_max);
    cursor_put_u16(out, change->device);
    cursor_put_u8(out, change->kind);
    cursor_put_bytes(out, change->invite, sizeof(change->invite));
    cursor_put_u16(out, change->text_bytes);
    cursor_put_bytes(out, change->text, change->text_bytes);
    put_ids(out, &change->subjects);
}

void
command_get_group_change(struct cursor_in *in, struct command *command)
{
    struct command_group_change *out = &command->group_change;
    out->group = cursor_get_u64(in);
    out->user = cursor_get_u64(in);
    out->number = cursor_get_u64(in);
    out->value = cursor_get_u64(in);
    out->members_max = cursor_get_u32(in);
    out->device = cursor_get_u16(in);
    out->kind = cursor_get_u8(in);
    cursor_get_copy(in, out->invite, sizeof(out->invite));
    out->text_bytes = cursor_get_u16(in);
    if (out->kind <= STORE_GROUP_CREATED || out->kind >= STORE_GROUP_CHANGE_KINDS ||
        out->text_bytes > STORE_GROUP_DESCRIPTION_BYTES_MAX) {
        cursor_in_fail(in);
    }
    out->text = (const char *)cursor_get_bytes(in, out->text_bytes);
    get_ids(in, STORE_GROUP_SUBJECTS_MAX, &out->subjects);
}

void
command_tell_put(unsigned char *rows, uint32_t index, const struct command_tell_row *row)
{
    struct cursor_out out;
    cursor_out_init(&out, rows + (size_t)index * COMMAND_TELL_BYTES, COMMAND_TELL_BYTES);
    cursor_put_u64(&out, row->user);
    cursor_put_u64(&out, row->chat_number);
    cursor_put_u32(&out, row->delivered);
    cursor_put_u32(&out, row->read);
    cursor_put_u32(&out, row->expired);
    ASSERT(!out.failed);
}

void
command_tell_get(const struct command_group_tell *tell, uint32_t index,
                 struct command_tell_row *out)
{
    struct cursor_in in;
    ASSERT(index < tell->count);
    cursor_in_init(&in, tell->rows + (size_t)index * COMMAND_TELL_BYTES, COMMAND_TELL_BYTES);
    out->user = cursor_get_u64(&in);
    out->chat_number = cursor_get_u64(&in);
    out->delivered = cursor_get_u32(&in);
    out->read = cursor_get_u32(&in);
    out->expired = cursor_get_u32(&in);
}

void
command_put_group_tell(struct cursor_out *out, const struct command *command)
{
    const struct command_group_tell *tell = &command->group_tell;
    cursor_put_u64(out, tell->group);
    cursor_put_u64(out, tell->receipts);
    cursor_put_u64(out, tell->delivered_all);
    cursor_put_u64(out, tell->read_all);
    cursor_put_u64(out, tell->log_low);
    cursor_put_u8(out, tell->more);
    cursor_put_u32(out, tell->count);
    cursor_put_bytes(out, tell->rows, (size_t)tell->count * COMMAND_TELL_BYTES);
    put_ids(out, &tell->forgotten);
}

void
command_get_group_tell(struct cursor_in *in, struct command *command)
{
    struct command_group_tell *out = &command->group_tell;
    out->group = cursor_get_u64(in);
    out->receipts = cursor_get_u64(in);
    out->delivered_all = cursor_get_u64(in);
    out->read_all = cursor_get_u64(in);
    out->log_low = cursor_get_u64(in);
    out->more = command_get_flag(in);
    out->count = cursor_get_u32(in);
    if (out->count > COMMAND_TELL_MAX) {
        cursor_in_fail(in);
        out->count = 0;
    }
    out->rows = cursor_get_bytes(in, (size_t)out->count * COMMAND_TELL_BYTES);
    get_ids(in, COMMAND_FORGET_MAX, &out->forgotten);
}

void
command_put_group_report(struct cursor_out *out, const struct command *command)
{
    cursor_put_u64(out, command->group_report);
}

void
command_get_group_report(struct cursor_in *in, struct command *command)
{
    command->group_report = cursor_get_u64(in);
}
