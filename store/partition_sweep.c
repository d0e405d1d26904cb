/* SPDX-License-Identifier: Apache-2.0 */
/* When something is due (expiry.h) the partition looks what it is, and logs its removal.
 *
 *     applied: due at t  --partition_expiry-->  ASK_EXPIRY  -->  a timer for the earliest
 *     the timer  --ASK_ALARM-->  ASK_SWEEP in the queue: reads the beginning of the table
 *                                  | nothing is due             | some is
 *                                  v                            v
 *                             a timer for the next        COMMAND_SWEEP, then a timer for the rest
 *
 * After a start, what somebody waits for (a call rings) does not wait for that first look's turn.
 *
 * When the next is due is known from the look at the table; what is applied between that look and
 * the removal only makes it earlier. After a start nothing is known, and the first look comes by
 * itself. A look may find what a removal on its way removes: to remove it twice does no harm. */
#include "store/expiry.h"
#include "store/gather.h"
#include "store/partition_priv.h"
#include "store/store_priv.h"

#include <string.h>

static_assert(EXPIRY_ROWS_MAX * EXPIRY_ROW_BYTES <= GATHER_PAIRS_BYTES,
              "a sweep fits into the scratch");

static uint64_t
wall_ms(void)
{
    int64_t wall = ln_wall_ms();
    return wall > 0 ? (uint64_t)wall : 0;
}

static void
alarm_in(struct partition *partition, uint64_t ms, uint64_t at_ms)
{
    struct ln_msg *msg = ln_msg_new(ASK_ALARM, LN_REPLY, 0);
    partition->alarm_at_ms = at_ms;
    partition->alarm = ln_send_after(ms, ln_self(), &msg);
}

/* A later alarm gives way to an earlier one; what it would have looked for the earlier one
 * finds. */
static void
alarm_set(struct partition *partition)
{
    uint64_t now_ms = wall_ms();
    uint64_t at_ms = now_ms + PARTITION_SWEEP_MS;
    uint64_t due_ms =
        partition->expiry_at_ms != 0 ? partition->expiry_at_ms : partition->expiry_awaited_ms;
    if (due_ms == UINT64_MAX) {
        return;
    }
    at_ms = due_ms > at_ms ? due_ms : at_ms;
    if (partition->alarm != 0) {
        if (partition->alarm_at_ms <= at_ms) {
            return;
        }
        (void)ln_cancel_timer(partition->alarm);
    }
    alarm_in(partition, at_ms - now_ms, at_ms);
}

void
partition_sweep_begin(struct partition *partition)
{
    uint64_t turn_ms = PARTITION_SWEEP_FIRST_MS + (uint64_t)partition->ledger.partition *
                                                      PARTITION_SWEEP_FIRST_MS / STORE_PARTITIONS;
    partition->expiry_at_ms = 0;
    partition->expiry_awaited_ms = UINT64_MAX;
    alarm_in(partition, turn_ms, wall_ms() + turn_ms);
}

void
partition_expiry(struct partition *partition, uint64_t at_ms, bool awaited)
{
    bool unknown = partition->expiry_at_ms == 0;
    uint64_t *at = unknown ? &partition->expiry_awaited_ms : &partition->expiry_at_ms;
    if (at_ms < *at && (awaited || !unknown)) {
        struct ln_msg *msg = ln_msg_new(ASK_EXPIRY, LN_REPLY, 0);
        *at = at_ms;
        ln_send(store_pid_get(&partition->pid), &msg);
    }
}

void
partition_expiry_told(struct partition *partition)
{
    alarm_set(partition);
}

void
partition_alarmed(struct partition *partition)
{
    struct ask_sweep sweep = {.now_ms = wall_ms()};
    partition->alarm = 0;
    if (partition->expiry_at_ms <= sweep.now_ms) {
        ask_queue_push(&partition->waiting, ask_new(partition, ASK_SWEEP, &sweep, sizeof(sweep)));
    } else {
        alarm_set(partition);
    }
}

/* What is due, as the rows of a command in the journal's scratch, and when the next will be. False:
 * the table's beginning is in LMDB and has not been read. */
static bool
gather(struct partition *partition, struct ask *ask, struct command_sweep *out,
       uint64_t *out_next_ms)
{
    uint64_t now_ms = ASK_DATA(ask_sweep, ask)->now_ms;
    struct fetch_range wanted = {
        .range = expiry_range(partition->ledger.partition),
        .rows_max = EXPIRY_ROWS_MAX + 1,
        .bytes_max = STORE_PAGE_BYTES_MAX,
    };
    struct page page;
    struct store_key key;
    struct store_value value;
    wanted.range.low.a = ask->after;
    wanted.range.low.b = ask->place.number;
    if (!partition_has_read(&ask->ranges[0], partition, &wanted)) {
        return false;
    }
    unsigned char *rows = partition->journal->pairs;
    *out = (struct command_sweep){.rows = rows};
    *out_next_ms = UINT64_MAX;
    page_start(&page, partition->ledger.delta, &wanted.range, &ask->ranges[0].rows);
    while (page_next(&page, &key, &value)) {
        if (key.a > now_ms || out->count == EXPIRY_ROWS_MAX) {
            *out_next_ms = key.a;
            return true;
        }
        struct expiry_row row = {.at_ms = key.a, .number = key.b, .record = value};
        expiry_row_put(rows, out->count++, &row);
    }
    if (page.cut && out->count == 0) {
        /* All that was read is gone already, but for LMDB: on behind it. */
        ask->after = page.row_key.a;
        ask->place.number = page.row_key.b + 1;
        wanted.range.low.a = ask->after;
        wanted.range.low.b = ask->place.number;
        partition_read_again(&ask->ranges[0]);
        (void)partition_has_read(&ask->ranges[0], partition, &wanted); /* into the fetch */
        return false;
    }
    if (page.cut) {
        *out_next_ms = page.row_key.a;
    }
    return true;
}

static enum ask_outcome
run_sweep(struct partition *partition, struct ask *ask, bool act)
{
    struct command command = {.kind = COMMAND_SWEEP};
    uint64_t next_ms;
    if (!gather(partition, ask, &command.sweep, &next_ms)) {
        return ASK_MISSING;
    }
    enum ask_outcome outcome = ASK_DONE;
    if (command.sweep.count > 0) {
        outcome = partition_log(partition, ask, &command, act);
    }
    if (act && (outcome == ASK_TAKEN || outcome == ASK_DONE)) {
        partition->expiry_at_ms = next_ms;
        alarm_set(partition);
    }
    return act ? outcome : ASK_READY;
}

const struct ask_kind ask_sweep = {.run = run_sweep};
