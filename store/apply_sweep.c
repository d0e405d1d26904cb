/* SPDX-License-Identifier: Apache-2.0 */
/* What was due when the partition looked (expiry.h) is removed, with what it means. */
#include "store/apply_priv.h"
#include "store/expiry.h"
#include "store/inbox.h"

static void
row_get(const struct command_sweep *sweep, uint32_t index, struct expiry_row *out_row,
        struct expiry *out_due)
{
    expiry_row_get(sweep->rows, index, out_row);
    int error = expiry_decode(out_row->record, out_due);
    ASSERT(error == 0);
}

static void
need_sweep(const struct needs *needs, const struct command *command)
{
    for (uint32_t i = 0; i < command->sweep.count; i++) {
        struct expiry_row row;
        struct expiry expiry;
        row_get(&command->sweep, i, &row, &expiry);
        if (expiry.kind == EXPIRY_ENTRY) {
            need(needs, RECORD_HEAD, expiry.user, 0);
        }
    }
}

/* Devices that have not fetched it pass it by. It goes on to count towards their limits until they
 * acknowledge what lies behind it. */
static void
expire(const struct apply *apply, const struct expiry *expiry)
{
    struct record_head head;
    if (inbox_head_find(apply->ledger, expiry->user, &head) && expiry->a > head.low.number) {
        inbox_take_out(apply->ledger, expiry->user, expiry->a);
    }
}

static void
run_sweep(const struct apply *apply, const struct command *command)
{
    struct ledger *ledger = apply->ledger;
    for (uint32_t i = 0; i < command->sweep.count; i++) {
        struct expiry_row row;
        struct expiry expiry;
        row_get(&command->sweep, i, &row, &expiry);
        expiry_remove(ledger, row.at_ms, row.number);
        if (expiry.kind == EXPIRY_ENTRY) {
            expire(apply, &expiry);
        } else {
            struct store_key key =
                tombstone_key(ledger->partition, expiry.user, expiry.a, expiry.b);
            ledger_delete(ledger, &key);
        }
    }
}

const struct apply_command_kind apply_sweep = {need_sweep, run_sweep};
