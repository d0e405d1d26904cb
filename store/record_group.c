/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_group.h"

#include <errno.h>
#include <string.h>

bool
record_group_implies(const struct table_entry *entry, unsigned index, struct store_range *out)
{
    static const enum record_table tables[] = {RECORD_MEMBER, RECORD_GROUP_LOG};
    struct record_group group;
    if (entry->key.table != RECORD_GROUP || index >= sizeof(tables) / sizeof(tables[0]) ||
        record_group_decode(entry->value, &group) != 0 || !group.deleted) {
        return false;
    }
    *out = key_range_owner(entry->key.partition, (uint8_t)tables[index], entry->key.owner);
    return true;
}

static void
put_text(struct cursor_out *out, const struct record_text *text)
{
    cursor_put_u16(out, text->bytes);
    cursor_put_bytes(out, text->text, text->bytes);
}

static void
get_text(struct cursor_in *in, size_t bytes_max, struct record_text *out)
{
    out->bytes = cursor_get_u16(in);
    if (out->bytes > bytes_max) {
        cursor_in_fail(in);
    }
    out->text = (const char *)cursor_get_bytes(in, out->bytes);
}

size_t
record_group_encode(const struct record_group *group, unsigned char out[RECORD_GROUP_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_GROUP_BYTES_MAX);
    record_begin(&cursor, RECORD_GROUP);
    cursor_put_u8(&cursor, group->deleted);
    cursor_put_u8(&cursor, group->invited);
    cursor_put_u8(&cursor, group->rights);
    cursor_put_u64(&cursor, group->created_at_ms);
    cursor_put_u64(&cursor, group->creator);
    cursor_put_u64(&cursor, group->last);
    cursor_put_u64(&cursor, group->log_low);
    cursor_put_u64(&cursor, group->update);
    cursor_put_u64(&cursor, group->ttl_ms);
    cursor_put_u64(&cursor, group->receipts);
    cursor_put_u64(&cursor, group->delivered_all);
    cursor_put_u64(&cursor, group->read_all);
    cursor_put_u32(&cursor, group->members);
    cursor_put_bytes(&cursor, group->invite, sizeof(group->invite));
    put_text(&cursor, &group->name);
    put_text(&cursor, &group->description);
    put_text(&cursor, &group->picture);
    cursor_put_u16(&cursor, group->owners_count);
    cursor_put_u16(&cursor, group->admins_count);
    for (unsigned i = 0; i < group->admins_count; i++) {
        cursor_put_u64(&cursor, group->admins[i]);
    }
    return cursor_out_end(&cursor);
}

int
record_group_decode(struct store_value value, struct record_group *out)
{
    struct record_group group;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_GROUP);
    group.deleted = record_get_flag(&in);
    group.invited = record_get_flag(&in);
    group.rights = cursor_get_u8(&in);
    group.created_at_ms = cursor_get_u64(&in);
    group.creator = cursor_get_u64(&in);
    group.last = cursor_get_u64(&in);
    group.log_low = cursor_get_u64(&in);
    group.update = cursor_get_u64(&in);
    group.ttl_ms = cursor_get_u64(&in);
    group.receipts = cursor_get_u64(&in);
    group.delivered_all = cursor_get_u64(&in);
    group.read_all = cursor_get_u64(&in);
    group.members = cursor_get_u32(&in);
    cursor_get_copy(&in, group.invite, sizeof(group.invite));
    get_text(&in, STORE_GROUP_NAME_BYTES_MAX, &group.name);
    get_text(&in, STORE_GROUP_DESCRIPTION_BYTES_MAX, &group.description);
    get_text(&in, STORE_GROUP_PICTURE_BYTES_MAX, &group.picture);
    group.owners_count = cursor_get_u16(&in);
    group.admins_count = cursor_get_u16(&in);
    if (group.admins_count > STORE_GROUP_ADMINS_MAX || group.owners_count > group.admins_count) {
        return -EBADMSG;
    }
    for (unsigned i = 0; i < group.admins_count; i++) {
        group.admins[i] = cursor_get_u64(&in);
    }
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = group;
    }
    return error;
}

static bool
is_spread_to(const struct record_spread *spread, unsigned partition)
{
    return spread->members[partition] > 0 ||
           (spread->left[partition / 64] & UINT64_C(1) << partition % 64) != 0;
}

/* Only partitions that have members, or had some: most groups are small. */
size_t
record_spread_encode(const struct record_spread *spread, unsigned char out[RECORD_SPREAD_BYTES_MAX])
{
    struct cursor_out cursor;
    unsigned count = 0;
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        count += is_spread_to(spread, i);
    }
    cursor_out_init(&cursor, out, RECORD_SPREAD_BYTES_MAX);
    record_begin(&cursor, RECORD_SPREAD);
    cursor_put_u16(&cursor, (uint16_t)count);
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        if (is_spread_to(spread, i)) {
            cursor_put_u8(&cursor, (uint8_t)i);
            cursor_put_u16(&cursor, spread->members[i]);
        }
    }
    return cursor_out_end(&cursor);
}

int
record_spread_decode(struct store_value value, struct record_spread *out)
{
    struct record_spread spread = {0};
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_SPREAD);
    uint16_t count = cursor_get_u16(&in);
    for (unsigned i = 0; i < count && !in.failed; i++) {
        uint8_t partition = cursor_get_u8(&in);
        spread.members[partition] = cursor_get_u16(&in);
        if (spread.members[partition] == 0) {
            spread.left[partition / 64] |= UINT64_C(1) << partition % 64;
        }
    }
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = spread;
    }
    return error;
}

size_t
record_member_encode(const struct record_member *member, unsigned char out[RECORD_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_BYTES_MAX);
    record_begin(&cursor, RECORD_MEMBER);
    cursor_put_u8(&cursor, member->role);
    cursor_put_u64(&cursor, member->joined);
    cursor_put_u64(&cursor, member->left);
    cursor_put_u64(&cursor, member->since);
    cursor_put_u64(&cursor, member->delivered);
    cursor_put_u64(&cursor, member->read);
    holes_put(&cursor, &member->gaps);
    holes_put(&cursor, &member->expired);
    return cursor_out_end(&cursor);
}

int
record_member_decode(struct store_value value, struct record_member *out)
{
    struct record_member member;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_MEMBER);
    member.role = cursor_get_u8(&in);
    member.joined = cursor_get_u64(&in);
    member.left = cursor_get_u64(&in);
    member.since = cursor_get_u64(&in);
    member.delivered = cursor_get_u64(&in);
    member.read = cursor_get_u64(&in);
    holes_get(&in, &member.gaps);
    holes_get(&in, &member.expired);
    if (member.role > STORE_GROUP_OWNER) {
        return -EBADMSG;
    }
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = member;
    }
    return error;
}

size_t
record_group_log_encode(const struct record_group_log *row, unsigned char out[RECORD_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_BYTES_MAX);
    record_begin(&cursor, RECORD_GROUP_LOG);
    cursor_put_u64(&cursor, row->sender);
    cursor_put_u64(&cursor, row->sender_number);
    cursor_put_u64(&cursor, row->time_ms);
    cursor_put_u64(&cursor, row->expires_at_ms);
    cursor_put_u16(&cursor, row->sender_device);
    cursor_put_u8(&cursor, row->deleted);
    return cursor_out_end(&cursor);
}

int
record_group_log_decode(struct store_value value, struct record_group_log *out)
{
    struct record_group_log row;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_GROUP_LOG);
    row.sender = cursor_get_u64(&in);
    row.sender_number = cursor_get_u64(&in);
    row.time_ms = cursor_get_u64(&in);
    row.expires_at_ms = cursor_get_u64(&in);
    row.sender_device = cursor_get_u16(&in);
    row.deleted = record_get_flag(&in);
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = row;
    }
    return error;
}

size_t
record_roster_encode(const uint64_t *ids, uint32_t count, unsigned char *out)
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, record_roster_bytes(count));
    record_begin(&cursor, RECORD_ROSTER);
    cursor_put_u32(&cursor, count);
    for (uint32_t i = 0; i < count; i++) {
        cursor_put_u64(&cursor, ids[i]);
    }
    return cursor_out_end(&cursor);
}

int
record_roster_decode(struct store_value value, struct record_roster *out)
{
    struct cursor_in in;
    struct record_roster roster;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_ROSTER);
    roster.count = cursor_get_u32(&in);
    if (roster.count > STORE_GROUP_MEMBERS_LIMIT) {
        return -EBADMSG;
    }
    roster.ids = cursor_get_bytes(&in, (size_t)roster.count * sizeof(uint64_t));
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = roster;
    }
    return error;
}

uint64_t
record_roster_at(const struct record_roster *roster, uint32_t index)
{
    uint64_t id;
    ASSERT(index < roster->count);
    memcpy(&id, roster->ids + (size_t)index * sizeof(id), sizeof(id));
    return id;
}

size_t
record_membership_encode(const struct record_membership *membership,
                         unsigned char out[RECORD_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_BYTES_MAX);
    record_begin(&cursor, RECORD_MEMBERSHIP);
    cursor_put_u8(&cursor, membership->role);
    cursor_put_u8(&cursor, membership->gone);
    cursor_put_u64(&cursor, membership->joined);
    cursor_put_u64(&cursor, membership->last);
    cursor_put_u64(&cursor, membership->delivered);
    cursor_put_u64(&cursor, membership->read);
    cursor_put_u8(&cursor, membership->own_unread);
    for (unsigned i = 0; i < membership->own_unread; i++) {
        cursor_put_u64(&cursor, membership->own[i]);
    }
    cursor_put_u64(&cursor, membership->told_delivered);
    cursor_put_u64(&cursor, membership->told_read);
    cursor_put_u64(&cursor, membership->gap_from);
    cursor_put_u64(&cursor, membership->gap_to);
    cursor_put_u64(&cursor, membership->mark);
    cursor_put_u64(&cursor, membership->counts);
    cursor_put_u8(&cursor, membership->mark_own);
    cursor_put_u8(&cursor, membership->mark_gap);
    cursor_put_u64(&cursor, membership->away.after);
    cursor_put_u64(&cursor, membership->away.to);
    cursor_put_u64(&cursor, membership->expired.after);
    cursor_put_u64(&cursor, membership->expired.to);
    cursor_put_u64(&cursor, membership->entry);
    cursor_put_u64(&cursor, membership->post);
    cursor_put_u64(&cursor, membership->post_number);
    cursor_put_u64(&cursor, membership->muted_until_ms);
    if (membership->all_delivered != 0 ||
        membership->all_read != 0) { /* it takes no room where no history is kept */
        cursor_put_u64(&cursor, membership->all_delivered);
        cursor_put_u64(&cursor, membership->all_read);
    }
    return cursor_out_end(&cursor);
}

int
record_membership_decode(struct store_value value, struct record_membership *out)
{
    struct record_membership membership = {0};
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_MEMBERSHIP);
    membership.role = cursor_get_u8(&in);
    membership.gone = record_get_flag(&in);
    membership.joined = cursor_get_u64(&in);
    membership.last = cursor_get_u64(&in);
    membership.delivered = cursor_get_u64(&in);
    membership.read = cursor_get_u64(&in);
    membership.own_unread = cursor_get_u8(&in);
    if (membership.own_unread > RECORD_OWN_MAX) {
        return -EBADMSG;
    }
    for (unsigned i = 0; i < membership.own_unread; i++) {
        membership.own[i] = cursor_get_u64(&in);
    }
    membership.told_delivered = cursor_get_u64(&in);
    membership.told_read = cursor_get_u64(&in);
    membership.gap_from = cursor_get_u64(&in);
    membership.gap_to = cursor_get_u64(&in);
    membership.mark = cursor_get_u64(&in);
    membership.counts = cursor_get_u64(&in);
    membership.mark_own = record_get_flag(&in);
    membership.mark_gap = record_get_flag(&in);
    membership.away.after = cursor_get_u64(&in);
    membership.away.to = cursor_get_u64(&in);
    membership.expired.after = cursor_get_u64(&in);
    membership.expired.to = cursor_get_u64(&in);
    membership.entry = cursor_get_u64(&in);
    membership.post = cursor_get_u64(&in);
    membership.post_number = cursor_get_u64(&in);
    membership.muted_until_ms = cursor_get_u64(&in);
    if (cursor_in_left(&in) > 0) {
        membership.all_delivered = cursor_get_u64(&in);
        membership.all_read = cursor_get_u64(&in);
    }
    if (membership.role > STORE_GROUP_OWNER) {
        return -EBADMSG;
    }
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = membership;
    }
    return error;
}

void
membership_own_add(struct record_membership *membership, uint64_t chat_number)
{
    if (membership->own_unread == RECORD_OWN_MAX) {
        memmove(membership->own, membership->own + 1,
                (RECORD_OWN_MAX - 1) * sizeof(membership->own[0]));
        membership->own_unread--;
    }
    membership->own[membership->own_unread++] = chat_number;
}

void
membership_own_read(struct record_membership *membership)
{
    uint8_t kept = 0;
    for (unsigned i = 0; i < membership->own_unread; i++) {
        if (membership->own[i] > membership->read) {
            membership->own[kept++] = membership->own[i];
        }
    }
    membership->own_unread = kept;
}
