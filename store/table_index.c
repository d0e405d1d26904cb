/* SPDX-License-Identifier: Apache-2.0 */
/* Made with the first record, and anew, from the tree, for as many records as there are then and a
 * quarter more at least: when three of four places are used, or when as many have come as there are
 * places, most of which are gone. */
#include "store/table_index.h"

#include "store/table_priv.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINE_BYTES = INDEX_LINE * sizeof(uint64_t),
    PLACES_BITS_MIN = 4,
    SPARSE = 16, /* so many places for each record are too many */
};

static uint64_t
places_count(const struct table_index *index)
{
    return index->places == NULL ? 0 : UINT64_C(1) << (64 - index->shift);
}

static void
put(struct table_index *index, struct table_record *record, uint64_t hash)
{
    uint64_t address = (uintptr_t)record;
    uint64_t at = hash >> index->shift;
    ASSERT(address >> RECORD_ADDRESS_BITS == 0);
    for (unsigned tried = 1; index->places[at] > INDEX_GONE; tried++) {
        at = index_next(index, at, tried);
    }
    index->used += index->places[at] == 0;
    index->places[at] = index_tag(hash) | address;
}

/* It goes through the whole table, which is a millisecond or two for a hundred thousand records,
 * and more than one partition has as a rule before they are folded. */
static void
make(struct table *table)
{
    struct table_index *index = &table->index;
    unsigned bits = PLACES_BITS_MIN;
    while ((UINT64_C(1) << bits) * 3 / 4 < table->entries + table->entries / 4) {
        bits++;
    }
    free(index->places);
    size_t bytes = sizeof(uint64_t) << bits;
    *index = (struct table_index){.places = aligned_alloc(LINE_BYTES, bytes), .shift = 64 - bits};
    if (index->places == NULL) {
        check_failed("out of memory", __FILE__, __LINE__);
    }
    memset(index->places, 0, bytes);
    for (const struct table_leaf *leaf = leaf_first(table->root, table->height); leaf != NULL;
         leaf = leaf->next) {
        for (unsigned i = 0; i < leaf->count; i++) {
            struct store_key key = slot_key(&leaf->slots[i]);
            put(index, slot_record(&leaf->slots[i]), key_hash(&key));
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
        make(table);
    } else {
        put(index, record, hash);
    }
}

/* Where no search goes on behind it, nothing has to say that one was here. (A line that was once
 * full stays without a 0, so whoever went from it to the next one finds the way again.) */
void
index_remove(struct table_index *index, const struct table_record *record)
{
    struct store_key key = table_record_key(record);
    uint64_t hash = key_hash(&key);
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
    free(index->places);
    *index = (struct table_index){0};
}

uint64_t
index_bytes(const struct table_index *index)
{
    return places_count(index) * sizeof(*index->places);
}
