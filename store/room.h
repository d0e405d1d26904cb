/* SPDX-License-Identifier: Apache-2.0 */
/* room.h - how a cell takes in less and less as what is not folded yet gets to its bounds.
 *
 *     bytes in memory     of all cells together; of one alone twice its part, so that where
 *                         everybody writes to it the others keep theirs, and just its part where
 *                         its folds fail                                      store_delta_bytes
 *     bytes of the log    that a start would read again                       store_replay_bytes
 *     commands            that it would apply again to the cell               store_replay_commands
 *
 * The last two only where folds succeed: else what is accepted is worth more than a quick start.
 *
 * While more than a quarter of each bound is free nothing happens. With less, what needs room is
 * let in for a share of the time only:
 *
 *     share = what is free / that quarter
 *
 * After a batch that took t the cell is closed for t * (1 - share) / share: what waits and what
 * comes meanwhile stalls (stalled.h), and the processors are the folds'. So what is taken in and
 * what is folded meet somewhere on the way; else everybody would wait for a fold, seconds maybe,
 * each time that the last byte is gone. Where nothing is free the cell is closed, too, and looks
 * again a little later.
 *
 * On the scheduler of the journal that is the cell's home: its actor closes the cell, and its timer
 * opens it.
 */
#pragma once

#include "store/stalled.h"

#include <stdbool.h>
#include <stdint.h>

struct cell;
struct journal;
struct ln_msg;

enum { ROOM_PAUSE_MS_MAX = 50 /* nobody notices more than a slow answer */ };

struct room {
    bool closed;            /* until the timer */
    uint64_t owed_ns;       /* pauses so far that were too short for one */
    struct stalled stalled; /* they wait for it */
};

/* Whether there is none for more, as of the last batch of the cell's journal; and whether memory is
 * what there is none of. */
bool room_full(const struct cell *cell);
bool room_memory_full(const struct cell *cell);

/* For the journal's actor: a batch is through, after so long. Closes its cells as it has to. */
void room_measure(struct journal *journal, uint64_t took_ns);
/* Its timer rang (ASK_ROOM), whose message this borrows. */
void room_timer(struct journal *journal, const struct ln_msg *msg);
/* The actor is another one, and no timer of the one before will ring. */
void room_restart(struct journal *journal);

/* The pause after work that took so long, where so much of a bound is used. Pure. */
uint64_t room_pause_ns(uint64_t took_ns, uint64_t used, uint64_t bound);
