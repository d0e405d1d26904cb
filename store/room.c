/* SPDX-License-Identifier: Apache-2.0 */
#include "store/room.h"

#include "runtime/larger.h"
#include "store/store_priv.h"

enum {
    NARROW = 4,   /* where less than one in so many is free, the cell slows down */
    ALONE = 2,    /* so many times its part a cell may have */
    PARTS = 1024, /* what is free is told in such parts of the quarter: no product overflows */
    FULL_MS = 10, /* between two looks of one that is full */
};
static const uint64_t MS_NS = 1000000;

/* --------------------------------------------------------------------------------- how it fills */

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
    uint64_t most = cell->journal->whole.failing > 0 ? part : part * ALONE;
    return most < bound ? most : bound;
}

/* Of all together; there is none of its own while each has just its part. */
static uint64_t
bytes_max_of_all(const struct cell *cell)
{
    return cell->journal->whole.failing > 0 ? UINT64_MAX : cell->store->options.delta_bytes_max;
}

bool
room_memory_full(const struct cell *cell)
{
    return cell->journal->whole.delta_bytes >= bytes_max_of_all(cell) ||
           cell->delta_bytes >= bytes_max_alone(cell);
}

static bool
log_full(const struct cell *cell)
{
    const struct store_options *options = &cell->store->options;
    return !folds_fail(cell) && (cell->tail_bytes >= options->replay_bytes_max ||
                                 cell_tail_commands(cell) >= options->replay_commands_max);
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
    if (free == 0) {
        return longest_ns;
    }
    uint64_t parts = free * PARTS / narrow;
    parts = parts > 0 ? parts : 1; /* little is something: who has done nothing does not pause */
    took_ns = took_ns < longest_ns ? took_ns : longest_ns;
    uint64_t pause_ns = took_ns * (PARTS - parts) / parts;
    return pause_ns < longest_ns ? pause_ns : longest_ns;
}

static uint64_t
pause_of_cell(const struct cell *cell, uint64_t took_ns)
{
    const struct store_options *options = &cell->store->options;
    uint64_t all = room_pause_ns(took_ns, cell->journal->whole.delta_bytes, bytes_max_of_all(cell));
    uint64_t alone = room_pause_ns(took_ns, cell->delta_bytes, bytes_max_alone(cell));
    uint64_t pause_ns = larger(all, alone);
    if (folds_fail(cell)) {
        return pause_ns;
    }
    uint64_t commands = cell_tail_commands(cell);
    return larger(pause_ns,
                  larger(room_pause_ns(took_ns, cell->tail_bytes, options->replay_bytes_max),
                         room_pause_ns(took_ns, commands, options->replay_commands_max)));
}

static void
close_for(struct cell *cell, uint64_t now_ns, uint64_t ms)
{
    cell->room.closed = true;
    cell->room.opens_at_ns = now_ns + ms * MS_NS;
    cell->room.owed_ns = 0;
    counter_add(&cell->journal->held_ns, ms * MS_NS);
}

static void
slow_down(struct cell *cell, uint64_t now_ns)
{
    struct room *room = &cell->room;
    uint64_t since_ns = larger(room->open_since_ns, cell->journal->busy_since_ns);
    uint64_t pause_ns = pause_of_cell(cell, now_ns - since_ns);
    room->open_since_ns = now_ns;
    room->owed_ns = pause_ns > 0 ? room->owed_ns + pause_ns : 0;
    if (room->owed_ns >= MS_NS) {
        close_for(cell, now_ns, room->owed_ns / MS_NS);
    }
}

static void
open_again(struct cell *cell, uint64_t now_ns)
{
    cell->room.closed = false;
    cell->room.open_since_ns = now_ns;
    stalled_wake(&cell->room.stalled);
}

/* Far from all bounds, as nearly always: this is asked at each look. */
static bool
has_plenty(const struct cell *cell)
{
    const struct store_options *options = &cell->store->options;
    uint64_t bytes_max = options->delta_bytes_max;
    return cell->journal->whole.delta_bytes < bytes_max / 2 &&
           cell->delta_bytes < bytes_max / cell->store->cells_count / 2 &&
           cell->tail_bytes < options->replay_bytes_max / 2 &&
           cell_tail_commands(cell) < options->replay_commands_max / 2;
}

static void
open_or_close(struct cell *cell, uint64_t now_ns)
{
    struct room *room = &cell->room;
    if (room->closed ? now_ns < room->opens_at_ns : has_plenty(cell)) {
        return;
    }
    if (!room_full(cell)) {
        if (room->closed) {
            open_again(cell, now_ns);
        }
        slow_down(cell, now_ns);
        return;
    }
    if (folds_fail(cell)) {
        stalled_wake(&room->stalled); /* who waits is refused now */
    }
    close_for(cell, now_ns, FULL_MS);
}

uint64_t
room_look(struct journal *journal)
{
    struct store *store = journal->store;
    uint64_t now_ns = io_now_ns(ln_io());
    uint64_t next_ns = UINT64_MAX;
    for (unsigned i = journal->index; i < store->cells_count; i += store->journals_count) {
        struct cell *cell = &store->cells[i];
        open_or_close(cell, now_ns);
        if (cell->room.closed && cell->room.opens_at_ns < next_ns) {
            next_ns = cell->room.opens_at_ns;
        }
    }
    return next_ns;
}
