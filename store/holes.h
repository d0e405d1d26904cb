/* SPDX-License-Identifier: Apache-2.0 */
/* holes.h - the last few holes in a row of numbers: what cursors pass over without it having
 * happened. They rise and lie apart; those that touch or overlap are one. Plain values; zeros are
 * none.
 *
 * There is room for some. When there are more the lowest goes, and whoever keeps them stops saying
 * anything about numbers up to its end: what lay between two holes is never made part of one.
 */
#pragma once

#include "store/cursor.h"
#include "store/hole.h"

enum { HOLES_MAX = 8, HOLES_BYTES_MAX = 1 + HOLES_MAX * 16 };

struct holes {
    uint8_t count;
    struct hole at[HOLES_MAX];
};

/* Adds numbers above `after`, up to `to`. Returns the end of the hole that had to go for it; 0:
 * none had to. */
uint64_t holes_add(struct holes *holes, uint64_t after, uint64_t to);
/* The hole that has the number; NULL: none has. */
static inline const struct hole *
holes_find(const struct holes *holes, uint64_t number)
{
    for (unsigned i = 0; i < holes->count; i++) {
        if (hole_has(&holes->at[i], number)) {
            return &holes->at[i];
        }
    }
    return NULL;
}

static inline bool
holes_have(const struct holes *holes, uint64_t number)
{
    return holes_find(holes, number) != NULL;
}

/* In a record. Reading fails the cursor where they don't rise. */
void holes_put(struct cursor_out *out, const struct holes *holes);
void holes_get(struct cursor_in *in, struct holes *out);
