/* SPDX-License-Identifier: Apache-2.0 */
/* table_index.h - where the record of a key lies, by a hash of the key.
 *
 * A way down the tree meets a cold node at each level; the index finds a record with two accesses
 * to memory, and with one that there is none, which each generation of a delta but one has to say
 * of most keys. Open addressing: a place is a record's address with 16 bits of the hash above it,
 * so a record that is looked at is nearly always the one. Places are tried around a cache line
 * before the next.
 *
 * For table*.c alone; of whoever changes the table, but index_find, which any reader may call.
 */
#pragma once
#include "runtime/prefetch.h"
#include "store/table_record.h"

struct table;

enum { INDEX_LINE = 8 }; /* places in a cache line */

/* Embedded; zeros are one that has not been made. */
struct table_index {
    uint64_t *places; /* 0: none, nor behind it; INDEX_GONE: one was here */
    unsigned shift;   /* 64 less the logarithm of how many there are */
    uint64_t used;    /* of records, and gone */
    uint64_t added;   /* records, since it was made */
};
#define INDEX_GONE UINT64_C(1)

/* Of a key but its partition, which all of a table's have in common. Its upper bits are the good
 * ones: numbers of owners mostly follow one another. */
static inline uint64_t
key_hash(const struct store_key *key)
{
    uint64_t sum = key->owner ^ key->a * UINT64_C(0xbf58476d1ce4e5b9) ^
                   key->b * UINT64_C(0x94d049bb133111eb) ^
                   key->table * UINT64_C(0xd6e8feb86659fd93);
    return sum * UINT64_C(0x9e3779b97f4a7c15);
}

/* Bits of the hash that choose no place, where they stand in one. */
static inline uint64_t
index_tag(uint64_t hash)
{
    return hash << 24 >> RECORD_ADDRESS_BITS << RECORD_ADDRESS_BITS;
}

static inline uint64_t
index_beside(uint64_t at)
{
    return (at & ~(uint64_t)(INDEX_LINE - 1)) | ((at + 1) & (INDEX_LINE - 1));
}

/* The place to try after `at`, which was the `tried`th: around the line, then at the start of the
 * next. */
static inline uint64_t
index_next(const struct table_index *index, uint64_t at, unsigned tried)
{
    if (tried % INDEX_LINE != 0) {
        return index_beside(at);
    }
    uint64_t line = (at | (INDEX_LINE - 1)) + 1;
    return line & ((UINT64_C(1) << (64 - index->shift)) - 1);
}

/* NULL: the table does not have the key. */
static inline struct table_record *
index_find(const struct table_index *index, const struct store_key *key, uint64_t hash)
{
    if (index->places == NULL) {
        return NULL;
    }
    uint64_t tag = index_tag(hash);
    uint64_t at = hash >> index->shift;
    for (unsigned tried = 1;; tried++) {
        uint64_t place = index->places[at];
        if (place == 0) {
            return NULL;
        }
        if (((place ^ tag) >> RECORD_ADDRESS_BITS) == 0 && place != INDEX_GONE) {
            struct table_record *record = table_record_at(place);
            lines_prefetch(record + 2, 1); /* the line after the key's, where values go on */
            if (table_record_is(record, key)) {
                return record;
            }
        }
        at = index_next(index, at, tried);
    }
}

/* The table has a record more, which it did not have; it counts it already, and has it in its
 * tree. */
void index_add(struct table *table, struct table_record *record, uint64_t hash);
/* The table will have the record, which it has, no longer. */
void index_remove(struct table_index *index, const struct table_record *record);
void index_free(struct table_index *index);
uint64_t index_bytes(const struct table_index *index);
