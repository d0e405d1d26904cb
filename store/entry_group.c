/* SPDX-License-Identifier: Apache-2.0 */
/* The entries that groups leave in their members' inboxes. */
#include "store/entry.h"

#include "store/cursor.h"
#include "store/group.h"

enum {
    UPDATE_BYTES = 5 * 8 + 4 + 2 + 2 + 1,
    CURSORS_BYTES = 2 + 4 * 8,
    COUNTS_BYTES = 2 * 8 + 4 + 1,
};

size_t
entry_update_bytes(const struct store_entry_update *update)
{
    return (size_t)UPDATE_BYTES + update->text_bytes + update->subjects * sizeof(uint64_t);
}

void
entry_put_update(struct cursor_out *out, const struct store_entry_update *update)
{
    cursor_put_u64(out, update->update);
    cursor_put_u64(out, update->chat_number);
    cursor_put_u64(out, update->time_ms);
    cursor_put_u64(out, update->author);
    cursor_put_u64(out, update->value);
    cursor_put_u32(out, update->members);
    cursor_put_u16(out, update->subjects);
    cursor_put_u16(out, update->text_bytes);
    cursor_put_u8(out, update->kind);
    cursor_put_bytes(out, update->subject_ids, update->subjects * sizeof(uint64_t));
    cursor_put_bytes(out, update->text, update->text_bytes);
}

void
entry_get_update(struct cursor_in *in, struct store_entry_update *out)
{
    out->update = cursor_get_u64(in);
    out->chat_number = cursor_get_u64(in);
    out->time_ms = cursor_get_u64(in);
    out->author = cursor_get_u64(in);
    out->value = cursor_get_u64(in);
    out->members = cursor_get_u32(in);
    out->subjects = cursor_get_u16(in);
    out->text_bytes = cursor_get_u16(in);
    out->kind = cursor_get_u8(in);
    out->subject_ids = cursor_get_bytes(in, out->subjects * sizeof(uint64_t));
    out->text = (const char *)cursor_get_bytes(in, out->text_bytes);
    if (out->kind == 0 || out->kind >= STORE_GROUP_CHANGE_KINDS ||
        out->subjects > STORE_GROUP_MEMBERS_LIMIT) {
        cursor_in_fail(in);
    }
}

size_t
entry_group_cursors_bytes(const struct store_entry_group_cursors *cursors)
{
    (void)cursors;
    return CURSORS_BYTES;
}

void
entry_put_group_cursors(struct cursor_out *out, const struct store_entry_group_cursors *cursors)
{
    cursor_put_u8(out, cursors->own_moved);
    cursor_put_u8(out, cursors->gap_moved);
    cursor_put_u64(out, cursors->delivered);
    cursor_put_u64(out, cursors->read);
    cursor_put_u64(out, cursors->gap_from);
    cursor_put_u64(out, cursors->gap_to);
}

void
entry_get_group_cursors(struct cursor_in *in, struct store_entry_group_cursors *out)
{
    uint8_t own = cursor_get_u8(in);
    uint8_t gap = cursor_get_u8(in);
    out->delivered = cursor_get_u64(in);
    out->read = cursor_get_u64(in);
    out->gap_from = cursor_get_u64(in);
    out->gap_to = cursor_get_u64(in);
    if (own > 1 || gap > 1) {
        cursor_in_fail(in);
    }
    out->own_moved = own == 1;
    out->gap_moved = gap == 1;
}

size_t
entry_group_counts_bytes(const struct store_entry_group_counts *counts)
{
    return (size_t)COUNTS_BYTES + (size_t)counts->count * STORE_GROUP_COUNT_BYTES;
}

void
entry_put_group_counts(struct cursor_out *out, const struct store_entry_group_counts *counts)
{
    ASSERT(counts->count <= STORE_GROUP_COUNTS_MAX);
    cursor_put_u64(out, counts->delivered_all);
    cursor_put_u64(out, counts->read_all);
    cursor_put_u32(out, counts->members);
    cursor_put_u8(out, counts->count);
    cursor_put_bytes(out, counts->counts, (size_t)counts->count * STORE_GROUP_COUNT_BYTES);
}

void
entry_get_group_counts(struct cursor_in *in, struct store_entry_group_counts *out)
{
    out->delivered_all = cursor_get_u64(in);
    out->read_all = cursor_get_u64(in);
    out->members = cursor_get_u32(in);
    out->count = cursor_get_u8(in);
    if (out->count > STORE_GROUP_COUNTS_MAX) {
        cursor_in_fail(in);
        out->count = 0;
    }
    out->counts = cursor_get_bytes(in, (size_t)out->count * STORE_GROUP_COUNT_BYTES);
}

void
entry_set_group_count(unsigned char *counts, unsigned index, const struct store_group_count *count)
{
    struct cursor_out out;
    cursor_out_init(&out, counts + (size_t)index * STORE_GROUP_COUNT_BYTES,
                    STORE_GROUP_COUNT_BYTES);
    cursor_put_u64(&out, count->chat_number);
    cursor_put_u32(&out, count->delivered);
    cursor_put_u32(&out, count->read);
    cursor_put_u32(&out, count->expired);
    ASSERT(!out.failed);
}

struct store_group_count
entry_group_count(const struct store_entry_group_counts *counts, unsigned index)
{
    struct store_group_count count;
    struct cursor_in in;
    ASSERT(index < counts->count);
    cursor_in_init(&in, counts->counts + (size_t)index * STORE_GROUP_COUNT_BYTES,
                   STORE_GROUP_COUNT_BYTES);
    count.chat_number = cursor_get_u64(&in);
    count.delivered = cursor_get_u32(&in);
    count.read = cursor_get_u32(&in);
    count.expired = cursor_get_u32(&in);
    return count;
}
