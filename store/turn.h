/* SPDX-License-Identifier: Apache-2.0 */
/* turn.h - which cell is folded next, and when.
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
 * A cell that is older than its bound, or urgent, is folded whatever the others' ages are. Only a
 * few are folded at once in the whole store: what is frozen early waits for a thread, and is
 * smaller than it could have been.
 */
#pragma once

#include "store/cell.h"

/* One of the journal's cells, to be frozen, or NULL. *out_waits: there is one, but enough are being
 * folded. Between two batches, after whole_look. */
struct cell *turn_next(const struct journal *journal, bool *out_waits);
