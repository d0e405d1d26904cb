/* SPDX-License-Identifier: Apache-2.0 */
/* Made with the first record, and anew, from the tree, for as many records as there are then and a
 * quarter more at least: when three of four places are used, or when as many have come as there are
 * places, most of which are gone.
 *
 * Weighed against it: ConcurrencyKit's ck_hs, which has no tags in Debian's build and calls a
 * function for each comparison; a record of a million took it nearly twice as long to find. */
#include "store/table_index.h"

#include "store/checksum.h"
#include "store/table_priv.h"

#include <string.h>

enum {
    PLACES_BITS_MIN = 4,
    SPARSE = 16, /* so many places for each record are too many */
};

static uint64_t
places_count(const struct table_index *index)
{
    return index->places == NULL ? 0 : UINT64_C(1) << (64 - index->shift);
}

void
index_init(struct table_index *index, uint64_t seed)
{
    *index = (struct table_index){0};
    for (uint64_t i = 0; i < sizeof(index->secrets) / sizeof(index->secrets[0]); i++) {
        index->secrets[i] = checksum_bytes(seed, &i, sizeof(i));
    }
}

static void
place_record(struct table_index *index, struct table_record *record, uint64_t hash)
{
    uint64_t at = hash >> index->shift;
    for (unsigned tried = 1; index->places[at] > INDEX_GONE; tried++) {
        at = index_next(index, at, tried);
    }
    index->used += index->places[at] == 0;
    index->places[at] = index_tag(hash) | (uintptr_t)record;
}

/* It goes through the whole table: 3 to 4 ms for a hundred thousand records, 12 for four times as
 * many, on a machine whose pages are dear when they are new (bench/store_table). Folds keep a
 * partition below the first, unless it has most of what its cell has. */
static void
rebuild(struct table *table)
{
    struct table_index *index = &table->index;
    unsigned bits = PLACES_BITS_MIN;
    while ((UINT64_C(1) << bits) * 3 / 4 < table->entries + table->entries / 4) {
        bits++;
    }
    size_t bytes = sizeof(uint64_t) << bits;
    span_give(&index->span);
    index->span = span_take(bytes);
    index->places = index->span.memory;
    memset(index->places, 0, bytes);
    index->shift = 64 - bits;
    index->used = 0;
    index->added = 0;
    for (const struct table_leaf *leaf = leaf_first(table->root, table->height); leaf != NULL;
         leaf = leaf->next) {
        node_prefetch(leaf->next, sizeof(*leaf));
        for (unsigned i = 0; i < leaf->count; i++) {
            struct store_key key = slot_key(&leaf->slots[i]);
            place_record(index, slot_record(&leaf->slots[i]), index_hash(index, &key));
        }
    }
}

void
index_add(struct table *table, struct table_record *record, uint64_t hash)
{
    struct table_index *index = &table->index;
    uint64_t places = places_count(index);
    bool full = 4 * (index->used + 1) > 3 * places;
    bool sparse = ++index->added > places && places > SPARSE * table->entries;
    if (full || sparse) {
        rebuild(table);
    } else {
        place_record(index, record, hash);
    }
}

/* Where no search goes on behind it, nothing has to say that one was here. (A line that was once
 * full stays without a 0, so whoever went from it to the next one finds the way again.) */
void
index_remove(struct table_index *index, const struct table_record *record)
{
    struct store_key key = table_record_key(record);
    uint64_t hash = index_hash(index, &key);
    uint64_t at = hash >> index->shift;
    for (unsigned tried = 1; table_record_at(index->places[at]) != record; tried++) {
        ASSERT(index->places[at] != 0);
        at = index_next(index, at, tried);
    }
    bool last = index->places[index_beside(at)] == 0;
    index->places[at] = last ? 0 : INDEX_GONE;
    index->used -= last;
}

void
index_free(struct table_index *index)
{
    span_give(&index->span);
    index->places = NULL;
}

uint64_t
index_bytes(const struct table_index *index)
{
    return places_count(index) * sizeof(*index->places);
}

bool
index_valid(const struct table_index *index, uint64_t records)
{
    uint64_t there = 0;
    uint64_t used = 0;
    for (uint64_t at = 0; at < places_count(index); at++) {
        there += index->places[at] > INDEX_GONE;
        used += index->places[at] != 0;
    }
    return there == records && used == index->used && 4 * used <= 3 * places_count(index);
}
