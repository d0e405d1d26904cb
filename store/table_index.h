/* SPDX-License-Identifier: Apache-2.0 */
/* table_index.h - where the record of a key lies, by a hash of the key.
 *
 * A way down the tree meets a cold node at each level; the index finds a record with two accesses
 * to memory, and with one that there is none, which each generation of a delta but one has to say
 * of most keys. Open addressing: a place is a record's address with 16 bits of the hash above it,
 * so a record that is looked at is nearly always the one. Places are tried around a cache line
 * before the next.
 *
 * For table*.c alone. index_find may be called by any reader, the rest by whoever changes the
 * table.
 */
#pragma once
#include "runtime/prefetch.h"
#include "store/span.h"
#include "store/table_record.h"

struct table;

enum { INDEX_LINE = 8 }; /* places in a cache line */

/* Embedded. */
struct table_index {
    struct span span; /* that they are */
    uint64_t *places; /* 0: none, nor behind it; INDEX_GONE: one was here. NULL: no record yet */
    unsigned shift;   /* 64 less the logarithm of how many there are */
    uint64_t used;    /* of records, and gone */
    uint64_t added;   /* records, since it was made */
    uint64_t secrets[4];
};
#define INDEX_GONE UINT64_C(1)

static inline uint64_t
index_fold(uint64_t x, uint64_t y)
{
    unsigned __int128 product = (unsigned __int128)x * y;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of a key but its partition, which all of a table's have in common. Clients choose numbers that
 * stand in keys, so without a secret they could choose keys that all begin at one place. (Products
 * folded, as in wyhash.) */
static inline uint64_t
index_hash(const struct table_index *index, const struct store_key *key)
{
    uint64_t sum = index_fold(key->owner ^ index->secrets[0], key->a ^ index->secrets[1]);
    sum = index_fold(key->b ^ index->secrets[2], sum ^ key->table);
    return index_fold(sum ^ index->secrets[3], UINT64_C(0x9e3779b97f4a7c15));
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
            /* The line after the key's, where values go on. */
            // NOLINTNEXTLINE(performance-no-int-to-ptr)
            __builtin_prefetch((const void *)((uintptr_t)record + PREFETCH_LINE_BYTES));
            if (table_record_is(record, key)) {
                return record;
            }
        }
        at = index_next(index, at, tried);
    }
}

/* `seed` is a secret. */
void index_init(struct table_index *index, uint64_t seed);
/* The table has a record more, which it did not have; it counts it already, and has it in its
 * tree. */
void index_add(struct table *table, struct table_record *record, uint64_t hash);
/* The table will have the record, which it has, no longer. */
void index_remove(struct table_index *index, const struct table_record *record);
void index_free(struct table_index *index);
uint64_t index_bytes(const struct table_index *index);
/* Whether it has so many records and nothing else. For tests. */
bool index_valid(const struct table_index *index, uint64_t records);
