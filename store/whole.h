/* SPDX-License-Identifier: Apache-2.0 */
/* whole.h - the store as a whole, as one journal sees it: its own cells as they are, and those of
 * other schedulers as their journals looked at them last: less than a millisecond ago where they
 * are at work, and at the end of it where they rest.
 *
 * room.h and turn.h decide by it.
 */
#pragma once

#include "store/counter.h"

struct journal;

struct whole {
    uint64_t delta_bytes; /* of all cells */
    uint64_t ages;        /* fold_age of all whose folds don't fail, added up */
    uint64_t age_max;     /* the oldest of them that is not being folded */
    uint64_t cells;       /* so many they are */
    uint64_t folding;     /* cells that are being folded */
    uint64_t failing;     /* cells whose folds fail */
};

/* What a journal tells the others of its cells. On a line of its own: they read it all the time. */
struct whole_part {
    struct counter delta_bytes, ages, age_max, cells, folding, failing;
} __attribute__((aligned(64)));

/* Measures the journal's cells (cell_measure), tells the others, and sets journal->whole. Between
 * two batches, by its actor. */
void whole_look(struct journal *journal);
