/* SPDX-License-Identifier: Apache-2.0 */
#include "store/turn.h"

#include "store/store_priv.h"

enum {
    /* Of the store: one that is folded, two that wait bring the other thread (worker.h), and one
     * that it finds when it is through. */
    FOLDS_AT_ONCE = 4,
    /* As good as the oldest: what others' are is a little old. */
    OLDEST_PARTS = 16,
};

/* The ages of cells at equal distances, the oldest at its bound. */
static uint64_t
ladder(uint64_t cells)
{
    return CELL_FOLD_AGE * (cells + 1) / 2;
}

/* The oldest that is urgent, or has gone half of its way at least: where those that should be
 * folded can't be now, the youngest is no help. */
static struct cell *
oldest_of(const struct journal *journal, uint64_t *out_age)
{
    struct store *store = journal->store;
    struct cell *oldest = NULL;
    *out_age = CELL_FOLD_AGE / 2;
    for (unsigned i = journal->index; i < store->cells_count; i += store->journals_count) {
        struct cell *cell = &store->cells[i];
        uint64_t age = cell->fold_age + (cell_fold_urgent(cell) ? CELL_FOLD_AGE : 0);
        if (age >= *out_age && cell_freezable(cell)) {
            oldest = cell;
            *out_age = age;
        }
    }
    return oldest;
}

struct cell *
turn_next(const struct journal *journal, bool *out_waits)
{
    const struct whole *whole = &journal->whole;
    uint64_t age;
    struct cell *oldest = oldest_of(journal, &age);
    bool its_turn = whole->ages > ladder(whole->cells) &&
                    age >= whole->age_max / OLDEST_PARTS * (OLDEST_PARTS - 1);
    bool due = oldest != NULL && (age >= CELL_FOLD_AGE || its_turn);
    *out_waits = due && whole->folding >= FOLDS_AT_ONCE;
    return due && !*out_waits ? oldest : NULL;
}
