/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer of messages to a group is told of how far its members have them: counts, as a
 * mark in his inbox, of which the newest takes the place of the one before it. What is told once,
 * that a message expired for somebody, stays in it. */
#include "runtime/larger.h"
#include "store/apply_group.h"
#include "store/history_ledger.h"

/* The number of the user's mark of counts; 0: it is not there any more, or not known yet. */
static __attribute__((noinline)) uint64_t
counts_mark(const struct ledger *ledger, uint64_t user, uint64_t group)
{
    struct store_key head_key = record_key(ledger->partition, RECORD_HEAD, user, 0);
    struct store_key key = record_key(ledger->partition, RECORD_MEMBERSHIP, user, group);
    struct record_head head;
    struct record_membership membership;
    struct store_value value;
    if (delta_get(ledger->delta, &head_key, &value) != DELTA_PRESENT ||
        delta_get(ledger->delta, &key, &value) != DELTA_PRESENT ||
        !inbox_head_get(ledger, user, &head) || !membership_get(ledger, user, group, &membership) ||
        membership.counts <= head.low.number) {
        return 0;
    }
    return membership.counts;
}

static void
need_counts(const struct needs *needs, const struct payload *payload)
{
    const struct payload_group_counts *told = &payload->group_counts;
    need(needs, RECORD_HEAD, told->user, 0);
    need(needs, RECORD_MEMBERSHIP, told->user, told->group);
    uint64_t mark = counts_mark(needs->ledger, told->user, told->group);
    if (mark != 0) {
        need(needs, RECORD_INBOX, told->user, mark);
    }
    for (unsigned i = 0; history_is_on(needs->ledger) && i < told->counts.count; i++) {
        struct store_group_count count = entry_group_count(&told->counts, i);
        struct store_key at = history_key_at(needs->ledger->partition, told->user, told->group,
                                             count.chat_number, false);
        need_key(needs, &at);
    }
}

/* A device that comes later is told the same by the history. */
static void
counts_keep(const struct apply *apply, const struct payload_group_counts *told,
            struct record_membership *membership)
{
    if (!history_is_on(apply->ledger)) {
        return;
    }
    membership->all_delivered = larger(membership->all_delivered, told->counts.delivered_all);
    membership->all_read = larger(membership->all_read, told->counts.read_all);
    for (unsigned i = 0; i < told->counts.count; i++) {
        struct store_group_count count = entry_group_count(&told->counts, i);
        history_count(apply->ledger, told->user, told->group, &count,
                      count.chat_number <= told->counts.delivered_all);
    }
}

static bool
counts_have(const struct store_entry_group_counts *counts, uint64_t chat_number)
{
    for (unsigned i = 0; i < counts->count; i++) {
        if (entry_group_count(counts, i).chat_number == chat_number) {
            return true;
        }
    }
    return false;
}

/* Puts both into `rows`, in the order of numbers: the new counts, and the old ones that are not
 * told again, of what expired among messages that all others have. False: there is no room. */
static bool
counts_join(const struct store_entry_group_counts *old, const struct store_entry_group_counts *told,
            unsigned char rows[STORE_GROUP_COUNTS_MAX * STORE_GROUP_COUNT_BYTES],
            uint8_t *out_count)
{
    unsigned used = 0;
    unsigned next = 0;
    for (unsigned i = 0; i < old->count; i++) {
        struct store_group_count count = entry_group_count(old, i);
        if (count.expired == 0 || count.chat_number > old->delivered_all ||
            counts_have(told, count.chat_number)) {
            continue;
        }
        for (; next < told->count; next++) {
            struct store_group_count other = entry_group_count(told, next);
            if (other.chat_number > count.chat_number) {
                break;
            }
            entry_set_group_count(rows, used++, &other);
        }
        if (used + told->count - next == STORE_GROUP_COUNTS_MAX) {
            return false;
        }
        entry_set_group_count(rows, used++, &count);
    }
    for (; next < told->count; next++) {
        struct store_group_count other = entry_group_count(told, next);
        entry_set_group_count(rows, used++, &other);
    }
    *out_count = (uint8_t)used;
    return true;
}

/* The mark before this one goes, and what it alone tells is told by this one; where there is no
 * room for that it stays. A frame of its own: an entry is large. */
static __attribute__((noinline)) void
counts_replace(const struct apply *apply, uint64_t user, uint64_t mark,
               struct store_entry_group_counts *counts,
               unsigned char rows[STORE_GROUP_COUNTS_MAX * STORE_GROUP_COUNT_BYTES])
{
    struct store_key key = record_key(apply->ledger->partition, RECORD_INBOX, user, mark);
    struct store_value value;
    struct store_entry old;
    if (delta_get(apply->ledger->delta, &key, &value) != DELTA_PRESENT) {
        return;
    }
    int error = entry_decode(mark, value.bytes, value.count, &old);
    ASSERT(error == 0 && old.kind == STORE_ENTRY_GROUP_COUNTS);
    if (counts_join(&old.group_counts, counts, rows, &counts->count)) {
        counts->counts = rows;
        inbox_take_out(apply->ledger, user, mark);
    }
}

/* A frame of its own: records are large. */
static __attribute__((noinline)) void
counts_append(const struct apply *apply, const struct payload_group_counts *counts,
              uint64_t mark_before, struct record_head *head, uint64_t *out_mark)
{
    struct store_entry entry = {
        .kind = STORE_ENTRY_GROUP_COUNTS, .peer = counts->group, .group_counts = counts->counts};
    unsigned char rows[STORE_GROUP_COUNTS_MAX * STORE_GROUP_COUNT_BYTES];
    if (mark_before > head->low.number) {
        counts_replace(apply, counts->user, mark_before, &entry.group_counts, rows);
    }
    inbox_append(apply->ledger, apply->effects, counts->user, head, &entry);
    *out_mark = entry.number;
}

static void
run_counts(const struct apply *apply, const struct payload *payload)
{
    const struct payload_group_counts *counts = &payload->group_counts;
    struct record_head head;
    struct record_membership membership;
    if (!inbox_head_get(apply->ledger, counts->user, &head) ||
        !membership_get(apply->ledger, counts->user, counts->group, &membership) ||
        membership.gone) {
        return;
    }
    counts_append(apply, counts, membership.counts, &head, &membership.counts);
    counts_keep(apply, counts, &membership);
    inbox_head_put(apply->ledger, counts->user, &head);
    membership_put(apply->ledger, counts->user, counts->group, &membership);
}

const struct apply_payload_kind apply_group_counts = {need_counts, run_counts};
