/* SPDX-License-Identifier: Apache-2.0 */
#include "store/room.h"

#include "store/store_priv.h"

#include <string.h>

enum {
    NARROW = 4,   /* where less than one in so many is free, the cell slows down */
    ALONE = 2,    /* so many times its part a cell may have */
    PARTS = 1024, /* what is free is told in such parts of the quarter: no product overflows */
    FULL_MS = 10, /* between two looks of one that is full */
};
static const uint64_t MS_NS = 1000000;

/* --------------------------------------------------------------------------------- how it fills */

/* Of all cells; what other schedulers' have is a little old. */
static uint64_t
bytes_of_all(const struct store *store)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < store->journals_count; i++) {
        bytes += counter_get(&store->journals[i].delta_bytes);
    }
    return bytes;
}

static bool
folds_fail(const struct cell *cell)
{
    return cell->fold_error != 0;
}

static uint64_t
bytes_max_alone(const struct cell *cell)
{
    uint64_t bound = cell->store->options.delta_bytes_max;
    uint64_t part = bound / cell->store->cells_count;
    uint64_t most = folds_fail(cell) ? part : part * ALONE;
    return most < bound ? most : bound;
}

bool
room_memory_full(const struct cell *cell)
{
    return cell->journal->delta_bytes_of_all > cell->store->options.delta_bytes_max ||
           cell->delta_bytes > bytes_max_alone(cell);
}

static bool
log_full(const struct cell *cell)
{
    const struct store_options *options = &cell->store->options;
    return !folds_fail(cell) && (cell->tail_bytes > options->replay_bytes_max ||
                                 cell_tail_commands(cell) > options->replay_commands_max);
}

bool
room_full(const struct cell *cell)
{
    return room_memory_full(cell) || log_full(cell);
}

/* -------------------------------------------------------------------------------------- closing */

uint64_t
room_pause_ns(uint64_t took_ns, uint64_t used, uint64_t bound)
{
    static const uint64_t longest_ns = ROOM_PAUSE_MS_MAX * MS_NS;
    uint64_t narrow = bound / NARROW;
    uint64_t free = used < bound ? bound - used : 0;
    if (free >= narrow) {
        return 0;
    }
    uint64_t parts = free * PARTS / narrow;
    took_ns = took_ns < longest_ns ? took_ns : longest_ns;
    uint64_t pause_ns = parts > 0 ? took_ns * (PARTS - parts) / parts : longest_ns;
    return pause_ns < longest_ns ? pause_ns : longest_ns;
}

static uint64_t
larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t
pause_of_cell(const struct cell *cell, uint64_t took_ns)
{
    const struct store_options *options = &cell->store->options;
    uint64_t all = cell->journal->delta_bytes_of_all;
    uint64_t pause_ns = larger(room_pause_ns(took_ns, all, options->delta_bytes_max),
                               room_pause_ns(took_ns, cell->delta_bytes, bytes_max_alone(cell)));
    if (folds_fail(cell)) {
        return pause_ns;
    }
    uint64_t commands = cell_tail_commands(cell);
    return larger(pause_ns,
                  larger(room_pause_ns(took_ns, cell->tail_bytes, options->replay_bytes_max),
                         room_pause_ns(took_ns, commands, options->replay_commands_max)));
}

static void
close_for(struct cell *cell, uint64_t ms)
{
    struct ln_msg *msg = ln_msg_new(ASK_ROOM, LN_REPLY, sizeof(cell->index));
    memcpy(msg->data, &cell->index, sizeof(cell->index));
    cell->room.closed = true;
    cell->room.owed_ns = 0;
    counter_add(&cell->journal->held_ns, ms * MS_NS);
    (void)ln_send_after(ms, ln_self(), &msg);
}

static void
slow_down(struct cell *cell, uint64_t took_ns)
{
    struct room *room = &cell->room;
    uint64_t pause_ns = pause_of_cell(cell, took_ns);
    room->owed_ns = pause_ns > 0 ? room->owed_ns + pause_ns : 0;
    if (room->owed_ns >= MS_NS) {
        close_for(cell, room->owed_ns / MS_NS);
    }
}

void
room_measure(struct journal *journal, uint64_t took_ns)
{
    struct store *store = journal->store;
    journal->delta_bytes_of_all = bytes_of_all(store);
    for (unsigned i = journal->index; i < store->cells_count; i += store->journals_count) {
        struct cell *cell = &store->cells[i];
        if (cell->room.closed) {
            continue;
        }
        if (room_full(cell)) {
            close_for(cell, FULL_MS);
        } else {
            slow_down(cell, took_ns);
        }
    }
}

/* -------------------------------------------------------------------------------------- opening */

static void
reopen(struct cell *cell)
{
    bool full = room_full(cell);
    cell->room.closed = false;
    if (full) {
        close_for(cell, FULL_MS);
        journal_kick(cell->journal); /* even an empty fold may make room */
    }
    if (!full || folds_fail(cell)) { /* where its folds fail who waits is refused now */
        stalled_wake(&cell->room.stalled);
    }
}

void
room_timer(struct journal *journal, const struct ln_msg *msg)
{
    unsigned index;
    ASSERT(msg->bytes == sizeof(index));
    memcpy(&index, msg->data, sizeof(index));
    ASSERT(index < journal->store->cells_count);
    journal->delta_bytes_of_all = bytes_of_all(journal->store);
    reopen(&journal->store->cells[index]);
}

void
room_restart(struct journal *journal)
{
    struct store *store = journal->store;
    journal->delta_bytes_of_all = bytes_of_all(store);
    for (unsigned i = journal->index; i < store->cells_count; i += store->journals_count) {
        reopen(&store->cells[i]);
    }
}
