/* SPDX-License-Identifier: Apache-2.0 */
#include "store/group_ledger.h"

#include "store/outbox.h"

/* --------------------------------------------------------------------- in the group's partition */

bool
group_get(const struct ledger *ledger, uint64_t group, struct record_group *out)
{
    struct store_key key = record_key(ledger->partition, RECORD_GROUP, group, 0);
    struct store_value value;
    if (!ledger_get(ledger, &key, &value)) {
        *out = (struct record_group){.deleted = true};
        return false;
    }
    int error = record_group_decode(value, out);
    ASSERT(error == 0);
    return !out->deleted;
}

void
group_put(struct ledger *ledger, struct effects *effects, uint64_t group,
          const struct record_group *record)
{
    struct store_key key = record_key(ledger->partition, RECORD_GROUP, group, 0);
    unsigned char *bytes = effects_scratch(effects, RECORD_GROUP_BYTES_MAX);
    ledger_put(ledger, &key, bytes, record_group_encode(record, bytes));
}

void
group_spread_get(const struct ledger *ledger, uint64_t group, struct record_spread *out)
{
    struct store_key key = record_key(ledger->partition, RECORD_SPREAD, group, 0);
    struct store_value value;
    bool present = ledger_get(ledger, &key, &value);
    ASSERT(present);
    int error = record_spread_decode(value, out);
    ASSERT(error == 0);
}

void
group_spread_put(struct ledger *ledger, struct effects *effects, uint64_t group,
                 const struct record_spread *spread)
{
    struct store_key key = record_key(ledger->partition, RECORD_SPREAD, group, 0);
    unsigned char *bytes = effects_scratch(effects, RECORD_SPREAD_BYTES_MAX);
    ledger_put(ledger, &key, bytes, record_spread_encode(spread, bytes));
}

bool
group_member_get(const struct ledger *ledger, uint64_t group, uint64_t user,
                 struct record_member *out)
{
    struct store_key key = record_key(ledger->partition, RECORD_MEMBER, group, user);
    struct store_value value;
    if (!ledger_get(ledger, &key, &value)) {
        *out = (struct record_member){0};
        return false;
    }
    int error = record_member_decode(value, out);
    ASSERT(error == 0);
    return true;
}

void
group_member_put(struct ledger *ledger, uint64_t group, uint64_t user,
                 const struct record_member *member)
{
    struct store_key key = record_key(ledger->partition, RECORD_MEMBER, group, user);
    unsigned char record[RECORD_BYTES_MAX];
    ledger_put(ledger, &key, record, record_member_encode(member, record));
}

void
group_spread_mark(const struct record_spread *spread, uint64_t partitions[4])
{
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        if (spread->members[i] > 0) {
            partitions[i / 64] |= UINT64_C(1) << i % 64;
        }
    }
}

void
group_send_update(struct ledger *ledger, struct effects *effects, const uint64_t partitions[4],
                  const struct payload_group_update *update)
{
    struct payload payload = {.kind = PAYLOAD_GROUP_UPDATE, .group_update = *update};
    outbox_put_all(ledger, effects, partitions, &payload);
}

/* ---------------------------------------------------------------------- in a member's partition */

bool
roster_get(const struct ledger *ledger, uint64_t group, struct record_roster *out)
{
    struct store_key key = record_key(ledger->partition, RECORD_ROSTER, group, 0);
    struct store_value value;
    if (!ledger_get(ledger, &key, &value)) {
        *out = (struct record_roster){0};
        return false;
    }
    int error = record_roster_decode(value, out);
    ASSERT(error == 0);
    return true;
}

/* The roster without `user`, and with him at its end if he is to be there. */
static void
roster_write(struct ledger *ledger, struct effects *effects, uint64_t group, uint64_t user,
             bool there)
{
    struct store_key key = record_key(ledger->partition, RECORD_ROSTER, group, 0);
    struct record_roster roster;
    uint32_t count = 0;
    (void)roster_get(ledger, group, &roster);
    /* The ids, then their record. */
    size_t ids_bytes = ((size_t)roster.count + 1) * sizeof(uint64_t);
    unsigned char *room =
        effects_scratch(effects, ids_bytes + record_roster_bytes(roster.count + 1));
    uint64_t *ids = (uint64_t *)(void *)room;
    for (uint32_t i = 0; i < roster.count; i++) {
        uint64_t id = record_roster_at(&roster, i);
        if (id != user) {
            ids[count++] = id;
        }
    }
    if (there) {
        ids[count++] = user;
    }
    if (count == 0) {
        ledger_delete(ledger, &key);
    } else if (count != roster.count) {
        unsigned char *record = room + ids_bytes;
        ledger_put(ledger, &key, record, record_roster_encode(ids, count, record));
    }
}

void
roster_add(struct ledger *ledger, struct effects *effects, uint64_t group, uint64_t user)
{
    roster_write(ledger, effects, group, user, true);
}

void
roster_remove(struct ledger *ledger, struct effects *effects, uint64_t group, uint64_t user)
{
    roster_write(ledger, effects, group, user, false);
}

bool
membership_get(const struct ledger *ledger, uint64_t user, uint64_t group,
               struct record_membership *out)
{
    struct store_key key = record_key(ledger->partition, RECORD_MEMBERSHIP, user, group);
    struct store_value value;
    if (!ledger_get(ledger, &key, &value)) {
        *out = (struct record_membership){0};
        return false;
    }
    int error = record_membership_decode(value, out);
    ASSERT(error == 0);
    return true;
}

void
membership_put(struct ledger *ledger, uint64_t user, uint64_t group,
               const struct record_membership *membership)
{
    struct store_key key = record_key(ledger->partition, RECORD_MEMBERSHIP, user, group);
    unsigned char record[RECORD_BYTES_MAX];
    ledger_put(ledger, &key, record, record_membership_encode(membership, record));
}

void
membership_mark(struct ledger *ledger, struct effects *effects, uint64_t user, uint64_t group,
                struct record_head *head, struct record_membership *membership,
                enum membership_news news)
{
    if (membership->mark > head->low.number) {
        inbox_take_out(ledger, user, membership->mark);
    } else {
        membership->mark_own = false;
        membership->mark_gap = false;
    }
    membership->mark_own = membership->mark_own || news == MEMBERSHIP_OWN;
    membership->mark_gap = membership->mark_gap || news == MEMBERSHIP_GAP;
    struct store_entry entry = {
        .kind = STORE_ENTRY_GROUP_CURSORS,
        .peer = group,
        .group_cursors =
            {
                .own_moved = membership->mark_own,
                .gap_moved = membership->mark_gap,
                .delivered = membership->delivered,
                .read = membership->read,
                .gap_from = membership->gap_from,
                .gap_to = membership->gap_to,
            },
    };
    inbox_append(ledger, effects, user, head, &entry);
    membership->mark = entry.number;
}
