/* SPDX-License-Identifier: Apache-2.0 */
#include "store/cell.h"

#include "runtime/larger.h"
#include "store/store_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    /* A fold begins at half of what a cell's part of the memory has room for: while it runs the
     * next live table grows, and there is what was kept of the last. */
    LIVE_SHARE = 2,
    /* Where little of a fold is let go (keep.h) there is as much of the last one: then both of them
     * have five eighths. */
    BOTH_OF = 8,
    BOTH_PARTS = 5,
    /* And at half of what a start may have to apply again, since the log goes on while it runs. */
    TAIL_SHARE = 2,
    /* A cell with less than one in so many of its part does not fold for memory's sake. */
    URGENT_SHARE = 4,
    /* A cell is as good as quiet when what came since the last look is to what came since the last
     * fold, or to what is kept in memory, as one to these: so what was said in a busy hour does not
     * stay in memory because somebody says something now and then. */
    QUIET_COMMANDS = 16,
    QUIET_ENTRIES = 256,
    /* A fold for less is not worth its pages. */
    QUIET_COMMANDS_MIN = 1024,
    /* So many in all between two looks, and it disturbs hardly anybody that the heap is trimmed. */
    STORE_QUIET_COMMANDS_MAX = 128,
};

unsigned
cell_partitions_count(const struct cell *cell)
{
    return STORE_PARTITIONS / cell->store->cells_count;
}

struct partition *
cell_partition(const struct cell *cell, unsigned index)
{
    return &cell->store->partitions[cell->index + index * cell->store->cells_count];
}

/* Up to the log's durable position. */
static uint64_t
bytes_since(const struct cell *cell, const struct log_mark *mark, uint64_t durable)
{
    uint64_t from = mark->position;
    if (from < log_position_first()) {
        from = log_position_first(); /* it was never folded */
    }
    return log_position_distance(from, durable, log_place_of(cell->journal->log)->segment_bytes);
}

void
cell_measure(struct cell *cell)
{
    const struct store_options *options = &cell->store->options;
    uint64_t part = options->delta_bytes_max / cell->store->cells_count;
    uint64_t live = cell->live_bytes * LIVE_SHARE * CELL_FOLD_AGE / part;
    uint64_t commands = cell->commands * TAIL_SHARE * CELL_FOLD_AGE / options->replay_commands_max;
    uint64_t durable = log_durable_position(cell->journal->log);
    uint64_t bytes = bytes_since(cell, &cell->folded, durable);
    cell->tail_bytes = bytes;
    if (cell->state == CELL_FROZEN) {
        bytes = bytes_since(cell, &cell->frozen, durable);
    } else {
        live = larger(live, cell->delta_bytes * BOTH_OF * CELL_FOLD_AGE / (part * BOTH_PARTS));
    }
    bytes = bytes * TAIL_SHARE * CELL_FOLD_AGE / options->replay_bytes_max;
    cell->fold_age = larger(live, larger(commands, bytes));
}

bool
cell_fold_urgent(const struct cell *cell)
{
    /* When memory is full of what was folded before, even an empty fold makes room, but not one of
     * a cell that has hardly any. */
    uint64_t part = cell->store->options.delta_bytes_max / cell->store->cells_count;
    return cell->resting || (cell->delta_bytes > part / URGENT_SHARE && room_memory_full(cell));
}

static uint64_t
store_commands(const struct store *store)
{
    uint64_t commands = 0;
    for (unsigned i = 0; i < store->journals_count; i++) {
        commands += counter_get(&store->journals[i].commands);
    }
    return commands;
}

/* Little is going on, against what is in memory. */
static bool
is_quiet(const struct cell *cell, uint64_t commands)
{
    bool to_fold =
        cell->commands >= QUIET_COMMANDS_MIN && commands * QUIET_COMMANDS <= cell->commands;
    return commands == 0 || to_fold || commands * QUIET_ENTRIES <= cell->delta_entries;
}

bool
cell_look(struct cell *cell)
{
    uint64_t all = store_commands(cell->store);
    cell->store_quiet = all - cell->store_commands_seen <= STORE_QUIET_COMMANDS_MAX;
    cell->store_commands_seen = all;
    bool quiet = is_quiet(cell, cell->commands - cell->commands_seen);
    cell->commands_seen = cell->commands;
    cell->in_use = cell->reads != cell->reads_seen;
    cell->reads_seen = cell->reads;
    if (!quiet || cell->state != CELL_IDLE) {
        return false;
    }
    if (cell->delta_entries > 0) {
        cell->resting = true;
        journal_kick(cell->journal);
        return false;
    }
    return !cell->rested && !cell->in_use;
}

bool
cell_freezable(const struct cell *cell)
{
    if (cell->state != CELL_IDLE) {
        return false;
    }
    for (unsigned i = 0; i < cell_partitions_count(cell); i++) {
        if (!delta_freezable(cell_partition(cell, i)->ledger.delta)) {
            return false;
        }
    }
    return true;
}

void
cell_freeze(struct cell *cell)
{
    const struct log *log = cell->journal->log;
    ASSERT(cell_freezable(cell));
    for (unsigned i = 0; i < cell_partitions_count(cell); i++) {
        struct partition *partition = cell_partition(cell, i);
        cell->tables[i] = ledger_freeze(&partition->ledger);
        partition_measure(partition);
    }
    cell->frozen = (struct log_mark){
        .generation = log_place_of(log)->generation,
        .position = log_durable_position(log),
    };
    cell->rests_after = !cell->in_use && (cell->resting || cell->commands == 0);
    cell->rested = false;
    cell->commands_frozen = cell->commands;
    cell->commands = 0;
    cell->commands_seen = 0;
    cell->resting = false;
    cell->state = CELL_FROZEN;
    cell_measure(cell);
    struct ln_msg *msg = ln_msg_new(ASK_FOLD, LN_REPLY, 0);
    ln_send(store_pid_get(&cell->folder), &msg);
}

void
cell_folded(struct cell *cell)
{
    ASSERT(cell->state == CELL_FROZEN);
    for (unsigned i = 0; i < cell_partitions_count(cell); i++) {
        struct partition *partition = cell_partition(cell, i);
        delta_folded(partition->ledger.delta, cell->kept[i]);
        partition_measure(partition);
        cell->tables[i] = NULL;
        cell->kept[i] = NULL;
    }
    cell->folded = cell->frozen;
    cell->commands_frozen = 0;
    cell->state = CELL_RETIRING;
    cell_measure(cell);
}

bool
cell_retired_next(struct cell *cell, struct table **out, bool *out_left)
{
    ASSERT(cell->state == CELL_RETIRING);
    *out_left = false;
    for (unsigned i = 0; i < cell_partitions_count(cell); i++) {
        struct partition *partition = cell_partition(cell, i);
        struct table *retired = delta_retire(partition->ledger.delta);
        if (retired != NULL) {
            partition_measure(partition);
            *out = retired;
            return true;
        }
        *out_left = *out_left || !delta_freezable(partition->ledger.delta);
    }
    if (!*out_left) {
        cell->state = CELL_IDLE;
    }
    return false;
}

void
cell_expect_sound(const struct cell *cell, int error)
{
    if (error != -ENOTRECOVERABLE && error != -EUCLEAN) {
        return;
    }
    char what[128];
    (void)snprintf(what, sizeof(what),
                   "the LMDB environment of cell %u can't be used (%s): the node ends, and "
                   "recovers from its log",
                   cell->index, strerrorname_np(-error));
    check_failed(what, __FILE__, __LINE__);
}
