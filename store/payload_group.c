/* SPDX-License-Identifier: Apache-2.0 */
/* What the partitions of a group and of its members tell each other. */
#include "store/payload_group.h"

#include "store/payload_priv.h"

enum {
    BEGIN_BYTES = 4 * 8 + 1 + 1 + 4,
    RECEIPTS_BYTES = 8 + 4,
};

static size_t
begin_bytes(const struct payload *payload)
{
    const struct payload_group_begin *begin = &payload->group_begin;
    return (size_t)BEGIN_BYTES + begin->name_bytes + begin->members.count * sizeof(uint64_t);
}

static void
begin_put(struct cursor_out *out, const struct payload *payload)
{
    const struct payload_group_begin *begin = &payload->group_begin;
    cursor_put_u64(out, begin->group);
    cursor_put_u64(out, begin->creator);
    cursor_put_u64(out, begin->created_at_ms);
    cursor_put_u64(out, begin->ttl_ms);
    cursor_put_u8(out, begin->rights);
    cursor_put_u8(out, begin->name_bytes);
    cursor_put_bytes(out, begin->name, begin->name_bytes);
    cursor_put_u32(out, begin->members.count);
    cursor_put_bytes(out, begin->members.bytes, begin->members.count * sizeof(uint64_t));
}

static void
begin_get(struct cursor_in *in, struct payload *payload)
{
    struct payload_group_begin *out = &payload->group_begin;
    out->group = cursor_get_u64(in);
    out->creator = cursor_get_u64(in);
    out->created_at_ms = cursor_get_u64(in);
    out->ttl_ms = cursor_get_u64(in);
    out->rights = cursor_get_u8(in);
    out->name_bytes = cursor_get_u8(in);
    out->name = (const char *)cursor_get_bytes(in, out->name_bytes);
    out->members.count = cursor_get_u32(in);
    if (out->members.count > STORE_GROUP_MEMBERS_LIMIT ||
        out->name_bytes > STORE_GROUP_NAME_BYTES_MAX) {
        cursor_in_fail(in);
        out->members.count = 0;
    }
    out->members.bytes = cursor_get_bytes(in, out->members.count * sizeof(uint64_t));
}

static size_t
message_bytes(const struct payload *payload)
{
    return sizeof(uint64_t) + entry_message_bytes(&payload->group_message.message);
}

static void
message_put(struct cursor_out *out, const struct payload *payload)
{
    cursor_put_u64(out, payload->group_message.group);
    entry_put_message(out, &payload->group_message.message);
}

static void
message_get(struct cursor_in *in, struct payload *out)
{
    out->group_message.group = cursor_get_u64(in);
    entry_get_message(in, &out->group_message.message);
}

static size_t
update_bytes(const struct payload *payload)
{
    return 2 * sizeof(uint64_t) + entry_update_bytes(&payload->group_update.update);
}

static void
update_put(struct cursor_out *out, const struct payload *payload)
{
    cursor_put_u64(out, payload->group_update.group);
    cursor_put_u64(out, payload->group_update.log_low);
    entry_put_update(out, &payload->group_update.update);
}

static void
update_get(struct cursor_in *in, struct payload *out)
{
    out->group_update.group = cursor_get_u64(in);
    out->group_update.log_low = cursor_get_u64(in);
    entry_get_update(in, &out->group_update.update);
}

static size_t
changed_bytes(const struct payload *payload)
{
    return 2 * sizeof(uint64_t) + entry_change_bytes(&payload->group_changed.change);
}

static void
changed_put(struct cursor_out *out, const struct payload *payload)
{
    cursor_put_u64(out, payload->group_changed.group);
    cursor_put_u64(out, payload->group_changed.kept_until_ms);
    entry_put_change(out, &payload->group_changed.change);
}

static void
changed_get(struct cursor_in *in, struct payload *out)
{
    out->group_changed.group = cursor_get_u64(in);
    out->group_changed.kept_until_ms = cursor_get_u64(in);
    entry_get_change(in, &out->group_changed.change);
}

void
payload_receipt_put(unsigned char *rows, uint32_t index,
                    const struct payload_group_receipt *receipt)
{
    struct cursor_out out;
    cursor_out_init(&out, rows + (size_t)index * PAYLOAD_RECEIPT_BYTES, PAYLOAD_RECEIPT_BYTES);
    cursor_put_u64(&out, receipt->user);
    cursor_put_u64(&out, receipt->delivered);
    cursor_put_u64(&out, receipt->read);
    cursor_put_u64(&out, receipt->expired.after);
    cursor_put_u64(&out, receipt->expired.to);
    ASSERT(!out.failed);
}

void
payload_receipt_get(const struct payload_group_receipts *receipts, uint32_t index,
                    struct payload_group_receipt *out)
{
    struct cursor_in in;
    ASSERT(index < receipts->count);
    cursor_in_init(&in, receipts->rows + (size_t)index * PAYLOAD_RECEIPT_BYTES,
                   PAYLOAD_RECEIPT_BYTES);
    out->user = cursor_get_u64(&in);
    out->delivered = cursor_get_u64(&in);
    out->read = cursor_get_u64(&in);
    out->expired.after = cursor_get_u64(&in);
    out->expired.to = cursor_get_u64(&in);
}

static size_t
receipts_bytes(const struct payload *payload)
{
    return (size_t)RECEIPTS_BYTES + (size_t)payload->group_receipts.count * PAYLOAD_RECEIPT_BYTES;
}

static void
receipts_put(struct cursor_out *out, const struct payload *payload)
{
    const struct payload_group_receipts *receipts = &payload->group_receipts;
    cursor_put_u64(out, receipts->group);
    cursor_put_u32(out, receipts->count);
    cursor_put_bytes(out, receipts->rows, (size_t)receipts->count * PAYLOAD_RECEIPT_BYTES);
}

static void
receipts_get(struct cursor_in *in, struct payload *payload)
{
    struct payload_group_receipts *out = &payload->group_receipts;
    out->group = cursor_get_u64(in);
    out->count = cursor_get_u32(in);
    if (out->count > STORE_GROUP_MEMBERS_LIMIT) {
        cursor_in_fail(in);
        out->count = 0;
    }
    out->rows = cursor_get_bytes(in, (size_t)out->count * PAYLOAD_RECEIPT_BYTES);
}

static size_t
counts_bytes(const struct payload *payload)
{
    return 2 * sizeof(uint64_t) + entry_group_counts_bytes(&payload->group_counts.counts);
}

static void
counts_put(struct cursor_out *out, const struct payload *payload)
{
    cursor_put_u64(out, payload->group_counts.group);
    cursor_put_u64(out, payload->group_counts.user);
    entry_put_group_counts(out, &payload->group_counts.counts);
}

static void
counts_get(struct cursor_in *in, struct payload *out)
{
    out->group_counts.group = cursor_get_u64(in);
    out->group_counts.user = cursor_get_u64(in);
    entry_get_group_counts(in, &out->group_counts.counts);
}

static size_t
absent_bytes(const struct payload *payload)
{
    (void)payload;
    return 2 * sizeof(uint64_t);
}

static void
absent_put(struct cursor_out *out, const struct payload *payload)
{
    cursor_put_u64(out, payload->group_absent.group);
    cursor_put_u64(out, payload->group_absent.user);
}

static void
absent_get(struct cursor_in *in, struct payload *out)
{
    out->group_absent.group = cursor_get_u64(in);
    out->group_absent.user = cursor_get_u64(in);
}

const struct payload_coding payload_group_begin = {begin_bytes, begin_put, begin_get};
const struct payload_coding payload_group_message = {message_bytes, message_put, message_get};
const struct payload_coding payload_group_update = {update_bytes, update_put, update_get};
const struct payload_coding payload_group_changed = {changed_bytes, changed_put, changed_get};
const struct payload_coding payload_group_receipts = {receipts_bytes, receipts_put, receipts_get};
const struct payload_coding payload_group_counts = {counts_bytes, counts_put, counts_get};
const struct payload_coding payload_group_absent = {absent_bytes, absent_put, absent_get};
