/* SPDX-License-Identifier: Apache-2.0 */
#include "store/cell.h"

#include "store/store_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    /* Live, frozen and cached tables are three at most, and the next live one grows while a fold
     * runs. */
    LIVE_SHARE = 4,
    /* A fold begins at half of what a start may have to apply again, since the log goes on while it
     * runs. */
    TAIL_SHARE = 2,
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

uint64_t
cell_tail_bytes(const struct cell *cell)
{
    const struct log *log = cell->journal->log;
    uint64_t from = cell->folded.position;
    if (from < log_position_first()) {
        from = log_position_first(); /* it was never folded */
    }
    return log_position_distance(from, log_durable_position(log), log_place_of(log)->segment_bytes);
}

bool
cell_fold_due(const struct cell *cell)
{
    const struct store_options *options = &cell->store->options;
    /* Cells fold at different distances, so that they do not all fold at once. */
    uint64_t tail_max = options->replay_bytes_max / TAIL_SHARE;
    tail_max -= tail_max / 2 * cell->index / cell->store->cells_count;
    /* When it is full of what was folded before, even an empty fold makes room. */
    return cell_full(cell) || cell->resting ||
           cell->live_bytes > options->delta_bytes_max / cell->store->cells_count / LIVE_SHARE ||
           cell->commands > options->replay_commands_max / TAIL_SHARE ||
           cell_tail_bytes(cell) > tail_max;
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
    cell->commands = 0;
    cell->commands_seen = 0;
    cell->resting = false;
    cell->state = CELL_FROZEN;
    struct ln_msg *msg = ln_msg_new(ASK_FOLD, LN_REPLY, 0);
    ln_send(store_pid_get(&cell->folder), &msg);
}

void
cell_folded(struct cell *cell)
{
    ASSERT(cell->state == CELL_FROZEN);
    for (unsigned i = 0; i < cell_partitions_count(cell); i++) {
        struct partition *partition = cell_partition(cell, i);
        delta_folded(partition->ledger.delta);
        partition_measure(partition);
        cell->tables[i] = NULL;
    }
    cell->folded = cell->frozen;
    cell->state = CELL_RETIRING;
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

bool
cell_full(const struct cell *cell)
{
    return cell->delta_bytes > cell->store->options.delta_bytes_max / cell->store->cells_count;
}

void
cell_resume(struct cell *cell)
{
    stalled_wake(&cell->stalled);
}
