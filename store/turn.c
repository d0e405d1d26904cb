/* SPDX-License-Identifier: Apache-2.0 */
#include "store/turn.h"

#include "store/store_priv.h"

enum { FOLDS_AT_ONCE = 2 };

/* One whose folds fail keeps nobody waiting. */
static bool
is_folding(const struct cell *cell)
{
    return cell->state == CELL_FROZEN && cell->fold_error == 0;
}

static bool
is_failing(const struct cell *cell)
{
    return cell->state == CELL_FROZEN && cell->fold_error != 0;
}

/* The ages of cells at equal distances, the oldest at its bound. */
static uint64_t
ladder(unsigned cells)
{
    return (uint64_t)CELL_FOLD_AGE * (cells + 1) / 2;
}

/* What says whether one is to be folded. */
struct turns {
    uint64_t ages;
    unsigned cells;
    unsigned folding;
    bool due; /* one of them, whatever the others do */
};

static struct turns
turns_of(const struct journal *journal)
{
    struct store *store = journal->store;
    struct turns turns = {0};
    for (unsigned i = journal->index; i < store->cells_count; i += store->journals_count) {
        const struct cell *cell = &store->cells[i];
        if (is_failing(cell)) {
            continue;
        }
        turns.ages += cell->fold_age;
        turns.cells++;
        turns.folding += is_folding(cell);
        turns.due = turns.due || cell->fold_age >= CELL_FOLD_AGE || cell_fold_due(cell);
    }
    return turns;
}

/* One that is due, or has gone half of its way at least: where the others can't be folded now, the
 * youngest is no help. */
static struct cell *
oldest_of(const struct journal *journal)
{
    struct store *store = journal->store;
    struct cell *oldest = NULL;
    uint64_t age_of_oldest = CELL_FOLD_AGE / 2;
    for (unsigned i = journal->index; i < store->cells_count; i += store->journals_count) {
        struct cell *cell = &store->cells[i];
        uint64_t age = cell->fold_age + (cell_fold_due(cell) ? CELL_FOLD_AGE : 0);
        if (age >= age_of_oldest && cell_freezable(cell)) {
            oldest = cell;
            age_of_oldest = age;
        }
    }
    return oldest;
}

struct cell *
turn_next(const struct journal *journal)
{
    struct turns turns = turns_of(journal);
    bool due = turns.due || turns.ages > ladder(turns.cells);
    return due && turns.folding < FOLDS_AT_ONCE ? oldest_of(journal) : NULL;
}
