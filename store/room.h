/* SPDX-License-Identifier: Apache-2.0 */
/* room.h - how a cell takes in less and less as what is not folded yet gets to its bounds.
 *
 *     bytes in memory     of all cells together, of which one may have twice its part; just its
 *                         part while folds of any cell fail, so that those keep to themselves
 *                                                                         store_delta_bytes
 *     bytes of the log    that a start would read again                   store_replay_bytes
 *     commands            that it would apply again to the cell           store_replay_commands
 *
 * The last two only where the cell's folds succeed: else what is accepted is worth more than a
 * quick start.
 *
 * While more than a quarter of each bound is free nothing happens. With less, what needs room is
 * let in for a share of the time only:
 *
 *     share = what is free / that quarter
 *
 * After t of work the cell is closed for t * (1 - share) / share: what waits and what comes
 * meanwhile stalls (stalled.h), and the processors are the folds'. So what is taken in and
 * what is folded meet somewhere on the way; else everybody would wait for a fold, seconds maybe,
 * each time that the last byte is gone. Where nothing is free the cell is closed, too, and looks
 * again a little later.
 *
 * On the scheduler of the journal that is the cell's home: its actor closes the cell and opens it,
 * between two batches or, when it rests, because of a timer.
 */
#pragma once

#include "store/stalled.h"

#include <stdbool.h>
#include <stdint.h>

struct cell;
struct journal;

enum { ROOM_PAUSE_MS_MAX = 50 /* nobody notices more than a slow answer */ };

struct room {
    bool closed;
    uint64_t opens_at_ns;   /* while it is closed */
    uint64_t open_since_ns; /* else: what was taken in since then has not been paused for yet */
    uint64_t owed_ns;       /* pauses so far that were too short for one */
    struct stalled stalled; /* they wait until it opens */
};

/* Whether there is no memory for more, as of the journal's last look (whole.h). */
bool room_memory_full(const struct cell *cell);
/* Whether there is none, or a start would have more to do than it may. */
bool room_full(const struct cell *cell);

/* Opens the journal's cells whose pause is over, and closes those that have to slow down, or are
 * full. Tells when to look again; UINT64_MAX: none is closed. By its actor, after whole_look. */
uint64_t room_look(struct journal *journal);

/* The pause after so much work where so much of a bound, below 2^54, is used. Pure. */
uint64_t room_pause_ns(uint64_t took_ns, uint64_t used, uint64_t bound);
