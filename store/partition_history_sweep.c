/* SPDX-License-Identifier: Apache-2.0 */
/* Histories are looked through for what is kept no longer. */
#include "store/history_ledger.h"
#include "store/partition_history.h"
#include "store/store_priv.h"

enum {
    LOOK_MAX = 1000, /* rows, at one tick */
    TICK_MS = 10000,
    TICK_OFF_MS = 1000, /* while there is more of what is kept no longer */
};

/* Goes round over all histories of the partition, slowly, for as long as there are any that may
 * grow too old. Where none is kept, what there is of earlier times goes; that is over once there
 * is nothing. */
void
partition_history_watch(struct partition *partition)
{
    bool off = partition->store->options.history_ms == STORE_HISTORY_OFF;
    if (!off || !partition->history_none) {
        struct ln_msg *msg = ln_msg_new(ASK_HISTORY_TICK, LN_REPLY, 0);
        bool soon = off && partition->history_removed;
        (void)ln_send_after(soon ? TICK_OFF_MS : TICK_MS, ln_self(), &msg);
    }
}

void
partition_history_tick(struct partition *partition)
{
    if (!partition->history_looking) {
        partition->history_looking = true;
        ask_queue_push(&partition->waiting, ask_new(partition, ASK_HISTORY_LOOK, "", 0));
    }
    partition_history_watch(partition);
}

static struct store_range
sweep_range(const struct partition *partition)
{
    struct store_range range = key_range_table(partition->ledger.partition, RECORD_HISTORY);
    if (partition->history_at.owner != 0) {
        range.low = partition->history_at;
        range.low.b++; /* numbers end long before they turn over */
    }
    return range;
}

static void
sweep_add(struct command_history *out, unsigned char *rows, const struct store_key *key,
          const struct store_entry *entry)
{
    struct command_history_row row = {.user = key->owner, .chat = key->a};
    history_place(key->owner, key->a, entry, &row.chat_number, &row.own);
    command_history_put(rows, out->count++, &row);
}

/* What a look needs to know of the chat that it is at. */
struct looking {
    struct partition *partition;
    uint64_t user, chat;
    struct history_cursors cursors;
    uint32_t missing; /* chats whose cursors are in the fetch */
};

/* Whether a row goes; also false while that is not known. */
static bool
is_over(struct looking *looking, const struct store_key *key, const struct store_entry *entry)
{
    if (history_has_expired(looking->partition, entry)) {
        return true;
    }
    if (!looking->partition->store->options.history_until_read) {
        return false;
    }
    if (key->owner != looking->user || key->a != looking->chat) {
        looking->user = key->owner;
        looking->chat = key->a;
        bool known = history_cursors_get(looking->partition, key->owner, key->a, &looking->cursors);
        looking->missing += !known;
    }
    return history_is_read(looking->partition, key->owner, key->a, entry, &looking->cursors);
}

static enum ask_outcome
run_look(struct partition *partition, struct ask *ask, bool act)
{
    unsigned char *rows = partition->journal->pairs;
    struct command command = {.kind = COMMAND_HISTORY, .history = {.rows = rows}};
    struct fetch_range wanted = {
        .range = sweep_range(partition), .rows_max = LOOK_MAX, .bytes_max = STORE_PAGE_BYTES_MAX};
    struct looking looking = {.partition = partition};
    struct page page;
    struct store_key key;
    struct store_key last = partition->history_at;
    struct store_value value;
    uint32_t looked = 0;
    if (!partition_has_read(&ask->ranges[0], partition, &wanted)) {
        return ASK_MISSING;
    }
    page_start(&page, partition->ledger.delta, &wanted.range, &ask->ranges[0].rows);
    bool left = page_next(&page, &key, &value);
    while (left && looked < LOOK_MAX && command.history.count < COMMAND_HISTORY_ROWS_MAX &&
           looking.missing < HISTORY_CHATS_MAX) {
        struct store_entry entry;
        int error = entry_decode(key.b, value.bytes, value.count, &entry);
        ASSERT(error == 0);
        if (is_over(&looking, &key, &entry)) {
            sweep_add(&command.history, rows, &key, &entry);
        }
        last = key;
        looked++;
        left = page_next(&page, &key, &value);
    }
    if (looking.missing > 0) {
        return ASK_MISSING;
    }
    enum ask_outcome outcome = act ? ASK_DONE : ASK_READY;
    if (command.history.count > 0) {
        outcome = partition_log(partition, ask, &command, act);
    }
    if (act && (outcome == ASK_DONE || outcome == ASK_TAKEN)) {
        bool whole = partition->history_at.owner == 0;
        partition->history_none = whole && looked == 0 && !page.cut;
        partition->history_removed = command.history.count > 0;
        last = page.cut && !left ? page.row_key : last;
        partition->history_at = left || page.cut ? last : (struct store_key){0};
        partition->history_looking = false;
    }
    return outcome;
}

const struct ask_kind ask_of_history_look = {.run = run_look};
