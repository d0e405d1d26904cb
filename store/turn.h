/* SPDX-License-Identifier: Apache-2.0 */
/* turn.h - which of a journal's cells is folded next, and when.
 *
 * The larger a fold, the more of its records share a page; so each cell should get as far as its
 * bounds let it (its fold_age). But cells that are filled alike would all get there at once. So
 * they take turns: when their ages together are what those of cells are that stand at equal
 * distances, the oldest at its bound, then the oldest is folded. Wherever they begin, they end up
 * at such distances.
 *
 *     age |          x          the oldest: folded when the sum is that of a ladder
 *         |       x
 *         |    x
 *         | x                   the youngest: was folded last
 *
 * At most two of them are folded at once, for there are two threads for it: what is frozen early
 * waits, and is smaller than it could have been.
 */
#pragma once

#include "store/cell.h"

/* A cell to freeze, or NULL. Between two batches. */
struct cell *turn_next(const struct journal *journal);
