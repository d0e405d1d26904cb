/* SPDX-License-Identifier: Apache-2.0 */
#include "store/partition.h"

#include "runtime/text.h"
#include "store/inbox.h"
#include "store/partition_priv.h"
#include "store/store_priv.h"
#include "store/tag.h"

#include <errno.h>
#include <string.h>

/* The actor's state. */
struct partition_actor {
    struct partition *partition;
};

void
partition_init(struct partition *partition, struct store *store, uint8_t index)
{
    memset(partition, 0, sizeof(*partition));
    partition->store = store;
    partition->cell = &store->cells[store_cell_of(store, index)];
    partition->journal = &store->journals[store_journal_of(store, partition->cell->index)];
    ledger_init(&partition->ledger, index, store->seed);
    attached_init(&partition->attached);
    ask_queue_init(&partition->waiting);
    ask_queue_init(&partition->awaiting);
}

void
partition_fini(struct partition *partition)
{
    ask_queue_fini(&partition->waiting);
    ask_queue_fini(&partition->awaiting);
    attached_fini(&partition->attached);
    ledger_fini(&partition->ledger);
}

/* -------------------------------------------------------------------------------- what is known */

bool
partition_knows(struct partition *partition, const struct store_key *key)
{
    if (delta_know(partition->ledger.delta, key)) {
        return true;
    }
    fetch_want_key(&partition->journal->fetch, key);
    return false;
}

bool
partition_knows_record(struct partition *partition, enum record_table table, uint64_t owner,
                       uint64_t a)
{
    struct store_key key = record_key(partition->ledger.partition, table, owner, a);
    return partition_knows(partition, &key);
}

bool
partition_has_read(struct ask_range *range, struct partition *partition,
                   const struct fetch_range *wanted)
{
    if (range->read) {
        return true;
    }
    range->wanted = true;
    range->index = fetch_want_range(&partition->journal->fetch, wanted);
    return false;
}

void
partition_read_again(struct ask_range *range)
{
    ln_buffer_put(&range->buffer);
    *range = (struct ask_range){0};
}

bool
partition_head(struct partition *partition, struct ask *ask, uint64_t user, struct record_head *out)
{
    if (inbox_head_get(&partition->ledger, user, out)) {
        return true;
    }
    ask_answer_error(ask, -ENOENT);
    return false;
}

enum ask_outcome
partition_refuse(struct ask *ask, int error)
{
    ask_answer_error(ask, error);
    return ASK_DONE;
}

/* ------------------------------------------------------------------------------------ the queue */

static void
fetch(struct partition *partition)
{
    struct journal *journal = partition->journal;
    struct ln_msg *request = fetch_message(&journal->fetch, ASK_FETCH, partition->cell);
    partition->fetching = true;
    partition->ranges_asked = journal->fetch.ranges_count;
    fetch_clear(&journal->fetch);
    partition->fetch_ticket = delta_enter(partition->ledger.delta);
    partition->fetch_ref = ln_request(store_pid_get(&journal->reader), &request);
    counter_add(&journal->fetches, 1);
}

static void
let_go_of(struct ask *ask)
{
    for (unsigned i = 0; i < ASK_RANGES; i++) {
        partition_read_again(&ask->ranges[i]);
    }
    ask_leave(ask);
}

/* Those that wait for room hold on to nothing meanwhile: what makes room, a fold, waits for
 * tickets. The first may hold something of its own. Of the others, thousands maybe, none does that
 * was not handed any: then they are not looked at, for each batch of the log comes by here. */
static void
let_go(struct partition *partition)
{
    let_go_of(partition->waiting.first);
    if (!partition->ranges_held) {
        return;
    }
    partition->ranges_held = false;
    for (struct ask *ask = partition->waiting.first; ask != NULL; ask = ask->next) {
        let_go_of(ask);
    }
}

/* Whether the disk and the cell have room for what the ask would add; if not it is refused, or
 * waits (room.h). */
static enum ask_outcome
make_sure_of_space(struct partition *partition, struct ask *ask)
{
    struct cell *cell = partition->cell;
    if (store_disk_full(partition->store) || (room_memory_full(cell) && cell->fold_error != 0)) {
        counter_add(&partition->journal->refused_full, 1);
        return partition_refuse(ask, -ENOSPC);
    }
    if (!cell->room.closed) {
        return ASK_READY;
    }
    stalled_add(&cell->room.stalled, partition);
    return ASK_STALLED;
}

static enum ask_outcome
serve(struct partition *partition, struct ask *ask, bool act)
{
    const struct ask_kind *kind = partition_kind(ask->tag);
    if (act && kind->needs_space) {
        enum ask_outcome outcome = make_sure_of_space(partition, ask);
        if (outcome != ASK_READY) {
            return outcome;
        }
    }
    return kind->run(partition, ask, act);
}

/* The first that can't be served stops those behind it; they are only asked what they lack. */
void
partition_pump(struct partition *partition)
{
    struct fetch *wanted = &partition->journal->fetch;
    ASSERT(fetch_empty(wanted));
    if (partition->fetching || partition->stalled) {
        return;
    }
    while (partition->waiting.first != NULL) {
        /* Out of this queue first: serving it may put it into another. */
        struct ask *ask = ask_queue_pop(&partition->waiting);
        enum ask_outcome outcome = serve(partition, ask, true);
        if (outcome == ASK_STALLED) {
            ask_queue_put_back(&partition->waiting, ask);
            let_go(partition);
            fetch_clear(wanted);
            return;
        }
        if (outcome == ASK_MISSING) {
            ask_queue_put_back(&partition->waiting, ask);
            break;
        }
        ASSERT(outcome != ASK_READY);
        if (outcome == ASK_DONE) {
            ask_free(ask);
        }
    }
    partition_streams_send(partition, true);
    if (partition->waiting.first != NULL) {
        struct ask *ask = partition->waiting.first->next;
        for (; ask != NULL && !fetch_enough(wanted); ask = ask->next) {
            (void)serve(partition, ask, false);
        }
    }
    counter_set(&partition->waiting_count, partition->waiting.count);
    if (!fetch_empty(wanted)) {
        fetch(partition);
    }
}

/* -------------------------------------------------------------------------- the reader's answer */

static void
learn(struct partition *partition, struct page_rows rows)
{
    struct store_key key;
    struct store_value value;
    bool present;
    size_t at = 0;
    while (rows_next(rows.bytes, rows.count, &at, &key, &present, &value)) {
        delta_learn(partition->ledger.delta, &key, present ? &value : NULL);
        counter_add(&partition->journal->fetched_records, 1);
    }
}

static void
hand_out_ranges(struct partition *partition, const struct ln_msg *answer)
{
    uint32_t left = partition->ranges_asked;
    partition->ranges_held = partition->ranges_held || left > 0;
    for (struct ask *ask = partition->waiting.first; ask != NULL && left > 0; ask = ask->next) {
        for (unsigned i = 0; i < ASK_RANGES; i++) {
            struct ask_range *range = &ask->ranges[i];
            if (range->wanted) {
                ASSERT(left > 0);
                left--;
                range->wanted = false;
                range->read = true;
                range->rows = fetched_section(answer, 1 + range->index);
                range->buffer = answer->buffer != NULL ? ln_buffer_get(answer->buffer) : NULL;
                ask_enter_with(ask, partition->fetch_ticket);
            }
        }
    }
}

/* LMDB could not be read: whoever waits for it is told so. What the partition itself needs is tried
 * again later. */
static void
fail_waiting(struct partition *partition, int error)
{
    struct ask *ask = ask_queue_take(&partition->waiting);
    while (ask != NULL) {
        struct ask *next = ask->next;
        if (ask->tag >= STORE_TAG_INTERNAL || ask->tag == STORE_DETACH) {
            let_go_of(ask); /* what it wants is asked for anew */
            ask_queue_push(&partition->waiting, ask);
        } else {
            ask_answer_error(ask, error == -ESRCH ? -EAGAIN : error);
            ask_free(ask);
        }
        ask = next;
    }
}

static void
fetched(struct partition *partition, const struct ln_msg *answer)
{
    if (!partition->fetching || answer->ref != partition->fetch_ref) {
        return; /* asked for by an actor before this one */
    }
    partition->fetching = false;
    if (answer->error == 0) {
        learn(partition, fetched_section(answer, 0));
        hand_out_ranges(partition, answer);
        delta_leave(partition->ledger.delta, partition->fetch_ticket);
        partition_measure(partition);
        partition_pump(partition);
        return;
    }
    delta_leave(partition->ledger.delta, partition->fetch_ticket);
    fail_waiting(partition, answer->error);
    struct ln_msg *later = ln_msg_new(ASK_PUMP, LN_REPLY, 0);
    (void)ln_send_after(PARTITION_TICK_MS, ln_self(), &later);
}

/* ------------------------------------------------------------------------------------- requests */

static void
take(struct partition *partition, struct ln_msg *msg)
{
    const struct ask_kind *kind = partition_kind(msg->tag);
    bool request = (msg->flags & LN_MSG_REQUEST) != 0;
    counter_add(&partition->journal->requests, 1);
    if (kind == NULL || msg->bytes != kind->bytes || msg->tag >= STORE_TAG_INTERNAL) {
        if (request) {
            ln_reply_error(ln_caller(msg), kind == NULL ? -ENOSYS : -EINVAL);
        }
        return;
    }
    /* Nobody repeats that a session has ended. */
    uint32_t room = PARTITION_WAITING_MAX / 4 * (4U - kind->yields);
    if (partition->waiting.count >= room && msg->tag != STORE_DETACH) {
        counter_add(&partition->journal->refused_overload, 1);
        if (request) {
            ln_reply_error(ln_caller(msg), -EAGAIN);
        }
        return;
    }
    struct ask *ask = ask_of_message(partition, msg);
    if (kind->valid != NULL && !kind->valid(ask)) {
        ask_answer_error(ask, -EINVAL);
        ask_free(ask);
        return;
    }
    ask_queue_push(&partition->waiting, ask);
    partition_pump(partition);
}

/* Whether the tag asks for one of the actor's timers, for those who act for it in another. */
static bool
set_timer(const struct partition *partition, uint32_t tag)
{
    if (tag == ASK_WATCH) {
        partition_watch();
    } else if (tag == ASK_GROUP_WATCH) {
        partition_groups_watch();
    } else if (tag == ASK_FAN_WATCH) {
        partition_fan_watch(partition);
    } else {
        return false;
    }
    return true;
}

static void
partition_handle(void *state, struct ln_msg **msg_in)
{
    struct partition *partition = ((struct partition_actor *)state)->partition;
    struct ln_msg *msg = *msg_in;
    if ((msg->flags & LN_MSG_ANSWER) != 0) {
        fetched(partition, msg);
        return;
    }
    switch (msg->tag) {
    case ASK_STREAM:
        partition_stream_arrived(partition, msg);
        partition_pump(partition);
        break;
    case ASK_STREAM_ACK:
        partition_stream_acked(partition, (const struct ask_stream_ack *)(const void *)msg->data);
        partition_pump(partition);
        break;
    case ASK_STARTED:
        if (partition_stream_again(partition,
                                   (const struct ask_started *)(const void *)msg->data)) {
            partition_pump(partition);
        }
        break;
    case ASK_ROUND:
        partition_round_due(partition);
        partition_pump(partition);
        break;
    case ASK_PUMP:
        partition_pump(partition);
        break;
    case LN_TAG_DOWN:
        partition_session_ended(partition, ((const struct ln_down *)(const void *)msg->data)->pid);
        break;
    case ASK_HISTORY_TICK:
        partition_history_tick(partition);
        partition_pump(partition);
        break;
    case ASK_FAN:
        partition_fan_tick(partition);
        partition_pump(partition);
        break;
    case ASK_GROUP_TICK:
        partition_groups_tick(partition);
        partition_pump(partition);
        break;
    case ASK_CALL_RELAY:
        partition_call_relayed(partition, msg);
        partition_pump(partition);
        break;
    case ASK_EXPIRY:
        partition_expiry_told(partition);
        break;
    case ASK_ALARM:
        partition_alarmed(partition);
        partition_pump(partition);
        break;
    case ASK_TICK:
        partition_tick(partition);
        partition_pump(partition);
        break;
    default:
        if (!set_timer(partition, msg->tag)) {
            take(partition, msg);
        }
        break;
    }
}

/* ------------------------------------------------------------------------------------ the actor */

/* What an earlier actor had not brought as far as the journal goes: its callers know. */
static int
partition_start(void *state, const void *argument)
{
    struct partition *partition = *(struct partition *const *)argument;
    ((struct partition_actor *)state)->partition = partition;
    ask_queue_fini(&partition->waiting);
    ask_queue_init(&partition->waiting);
    if (partition->fetching) {
        partition->fetching = false;
        delta_leave(partition->ledger.delta, partition->fetch_ticket);
    }
    store_partition_started(partition->store, partition, ln_self());
    partition_streams_resume(partition);
    partition_sweep_begin(partition);
    partition_watch_sessions(partition);
    partition_round_start(partition);
    partition_wake(partition);
    return 0;
}

void
partition_wake(struct partition *partition)
{
    ln_pid pid = store_pid_get(&partition->pid);
    if (pid != 0) { /* else it looks by itself when it starts */
        struct ln_msg *msg = ln_msg_new(ASK_PUMP, LN_REPLY, 0);
        ln_send(pid, &msg);
    }
}

void
partition_measure(struct partition *partition)
{
    struct cell *cell = partition->cell;
    struct journal *journal = partition->journal;
    struct delta_size size;
    delta_size(partition->ledger.delta, &size);
    cell->live_bytes += size.live_bytes - partition->size_live;
    cell->delta_bytes += size.bytes - partition->size_bytes;
    cell->delta_entries += size.entries - partition->size_entries;
    counter_add(&journal->delta_bytes, size.bytes - partition->size_bytes);
    counter_add(&journal->delta_entries, size.entries - partition->size_entries);
    partition->size_live = size.live_bytes;
    partition->size_bytes = size.bytes;
    partition->size_entries = size.entries;
    counter_set(&partition->delta_bytes, size.bytes);
    counter_set(&partition->delta_entries, size.entries);
    counter_set(&partition->last_number, partition->ledger.last_number);
}

static void
partition_print(const void *state, struct ln_text *out)
{
    const struct partition *partition = ((const struct partition_actor *)state)->partition;
    ln_text_print(out,
                  "partition %u of cell %u: %u waiting%s%s, %u sessions, delta %llu bytes in %llu "
                  "entries, last number %llu",
                  partition->ledger.partition, partition->cell->index, partition->waiting.count,
                  partition->fetching ? " for records" : "", partition->stalled ? " for room" : "",
                  partition->attached.count, (unsigned long long)partition->size_bytes,
                  (unsigned long long)partition->size_entries,
                  (unsigned long long)partition->ledger.last_number);
}

const struct ln_behaviour partition_behaviour = {
    .name = "partition",
    .tag_name = store_tag_name,
    .state_bytes = sizeof(struct partition_actor),
    .init = partition_start,
    .handle = partition_handle,
    .print = partition_print,
};
