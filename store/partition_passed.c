/* SPDX-License-Identifier: Apache-2.0 */
/* What has expired and lies in an inbox still is given to nobody, and a cursor is about to pass
 * over it: it is swept before, in the log, too. So a sender never hears that it was delivered,
 * however late the partition's own look comes (partition_sweep.c). */
#include "store/expiry.h"
#include "store/gather.h"
#include "store/inbox.h"
#include "store/partition_priv.h"

enum ask_outcome
partition_log_passed(struct partition *partition, const struct ask_range *range,
                     const struct gather *gather, bool act)
{
    struct command command = {.partition = partition->ledger.partition, .kind = COMMAND_SWEEP};
    struct ask_sweep sweep = {.now_ms = gather->now_ms};
    struct page page;
    page_start(&page, partition->ledger.delta, &gather->range, range->read ? &range->rows : NULL);
    command.sweep.rows = partition->journal->pairs;
    command.sweep.count = gather_expired(gather, &page, partition->journal->pairs);
    if (!partition_knows_needs(partition, &command)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    struct ask *part = ask_new(partition, ASK_SWEEP, &sweep, sizeof(sweep));
    enum ask_outcome outcome = partition_log_known(partition, part, &command);
    if (outcome == ASK_STALLED) {
        ask_free(part);
    }
    return outcome;
}

/* What no device has acknowledged. False: nothing, or nothing that may have expired: what has is
 * due in the partition, or its removal is in the log already. */
static __attribute__((noinline)) bool
unseen(const struct partition *partition, uint64_t user, struct gather *out)
{
    struct command_ack all = {.user = user};
    struct record_head head;
    uint64_t now_ms = (uint64_t)ln_wall_ms();
    bool none = partition->expiry_at_ms > now_ms; /* 0: that is not known yet */
    if (none || !inbox_head_get(&partition->ledger, user, &head)) {
        return false;
    }
    const struct record_place *most = &head.low;
    for (unsigned i = 0; i < head.devices; i++) {
        most = head.cursors[i].acked.number > most->number ? &head.cursors[i].acked : most;
    }
    all.number = head.last.number;
    gather_start(out, &all, most, partition->journal->pairs);
    out->now_ms = now_ms;
    out->range.low.partition = partition->ledger.partition;
    out->range.high.partition = partition->ledger.partition;
    return most->number < head.last.number;
}

enum ask_outcome
partition_log_unseen(struct partition *partition, struct ask_range *range, uint64_t user, bool act)
{
    struct gather gather;
    struct page page;
    struct store_key key;
    struct store_value value;
    if (!unseen(partition, user, &gather)) {
        return ASK_READY;
    }
    if (gather.reached < delta_folded_number(partition->ledger.delta)) {
        struct fetch_range wanted = {
            .range = gather.range,
            .rows_max = COMMAND_PAIRS_MAX,
            .bytes_max = STORE_PAGE_BYTES_MAX,
        };
        if (!partition_has_read(range, partition, &wanted)) {
            return ASK_MISSING;
        }
    }
    page_start(&page, partition->ledger.delta, &gather.range, range->read ? &range->rows : NULL);
    while (page_next(&page, &key, &value) && gather_add(&gather, key.a, value)) {
    }
    return gather.expired > 0 ? partition_log_passed(partition, range, &gather, act) : ASK_READY;
}
