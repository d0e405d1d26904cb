/* SPDX-License-Identifier: Apache-2.0 */
#include "store/whole.h"

#include "runtime/larger.h"
#include "store/store_priv.h"

static void
count_cell(const struct cell *cell, struct whole *part)
{
    part->delta_bytes += cell->delta_bytes;
    if (cell->fold_error != 0) {
        part->failing++;
        return;
    }
    part->cells++;
    part->ages += cell->fold_age;
    if (cell->state == CELL_FROZEN) {
        part->folding++;
    } else {
        part->age_max = larger(part->age_max, cell->fold_age);
    }
}

static void
part_set(struct whole_part *out, const struct whole *part)
{
    counter_set(&out->delta_bytes, part->delta_bytes);
    counter_set(&out->ages, part->ages);
    counter_set(&out->age_max, part->age_max);
    counter_set(&out->cells, part->cells);
    counter_set(&out->folding, part->folding);
    counter_set(&out->failing, part->failing);
}

static void
part_add(struct whole *whole, const struct whole_part *part)
{
    whole->delta_bytes += counter_get(&part->delta_bytes);
    whole->ages += counter_get(&part->ages);
    whole->age_max = larger(whole->age_max, counter_get(&part->age_max));
    whole->cells += counter_get(&part->cells);
    whole->folding += counter_get(&part->folding);
    whole->failing += counter_get(&part->failing);
}

void
whole_look(struct journal *journal)
{
    struct store *store = journal->store;
    struct whole own = {0};
    struct whole whole = {0};
    uint64_t longest = 0;
    for (unsigned i = journal->index; i < store->cells_count; i += store->journals_count) {
        struct cell *cell = &store->cells[i];
        cell_measure(cell);
        longest = larger(longest, cell->tail_bytes);
        count_cell(cell, &own);
    }
    counter_set(&journal->log_bytes, longest);
    part_set(&journal->part, &own);
    for (unsigned i = 0; i < store->journals_count; i++) {
        part_add(&whole, &store->journals[i].part);
    }
    journal->whole = whole;
}
