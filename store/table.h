/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - an ordered map from keys to small values, in memory: one generation of a partition's
 * delta.
 *
 * A B+tree for the order and a hash index for single keys, over records that come, as the tree's
 * nodes do, from the table's own pool, so that freeing a table of a million entries means freeing a
 * few hundred chunks. An entry says what is known about its key:
 * written or deleted since the last fold (dirty: a fold must carry it to LMDB), or fetched from
 * LMDB and found or missed there (clean: a cache).
 *
 *     table = table_new(seed);
 *     table_put(table, &key, TABLE_WRITTEN, value);
 *     if (table_get(table, &key, &entry)) { ... entry.state, entry.value ... }
 *     for (table_seek(table, &low, &at); table_at(&at, &entry) && ...; table_next(&at)) { ... }
 *     table_free(&table);
 *
 * One thread changes it; while nobody changes it any number may read (a frozen table is read by its
 * fold on a worker and by its scheduler). Values given out are borrowed until the table's next
 * change. Memory is never refused: where the machine has none left, the node ends.
 */
#pragma once
#include "store/key.h"

struct table;
struct table_leaf;

enum table_state {
    TABLE_WRITTEN, /* dirty: has this value */
    TABLE_DELETED, /* dirty: has none */
    TABLE_FETCHED, /* clean: LMDB had this value */
    TABLE_MISSING, /* clean: LMDB had none */
    TABLE_STATES,
};

enum {
    TABLE_VALUE_BYTES_MAX = 1 << 20, /* far above any record; keeps lengths and sums in 32 bits */
};

struct table_entry {
    struct store_key key;
    struct store_value value; /* empty when DELETED or MISSING */
    enum table_state state;
};

/* A place in the order. Good until the table's next change. */
struct table_cursor {
    const struct table_leaf *leaf; /* NULL: past the end */
    unsigned index;
};

/* Empty; takes no further memory until the first put. `seed` is a secret of the data directory's,
 * so that nobody can choose keys that are slow to find. */
struct table *table_new(uint64_t seed);

/* Takes the table, NULL is allowed. Any thread, so that a worker can do it. */
void table_free(struct table **table);

/* Frees at most `chunks_max` chunks of memory and tells whether the table is gone, *table being
 * NULL then. Between the calls it may only be freed further. A chunk is 256 KiB at most; with the
 * last goes the index (table_index.h), whole. */
bool table_free_slice(struct table **table, unsigned chunks_max);

/* Copies the value in (which may be one the table gave out); replaces what the key had. */
void table_put(struct table *table, const struct store_key *key, enum table_state state,
               struct store_value value);

/* As table_put of a WRITTEN value of `bytes` (above 0), which the caller writes into the room that
 * is given out, before anything else is asked of the table. What the key had is gone by then. */
unsigned char *table_put_room(struct table *table, const struct store_key *key, size_t bytes);

/* Whether the key has an entry; *out is untouched when not. */
bool table_get(const struct table *table, const struct store_key *key, struct table_entry *out);

/* The same in two steps, for who asks several tables of one seed: the key's hash is theirs all. */
uint64_t table_hash(const struct table *table, const struct store_key *key);
bool table_get_hashed(const struct table *table, const struct store_key *key, uint64_t hash,
                      struct table_entry *out);
/* Asks the caches for what table_get_hashed begins with. */
void table_prefetch(const struct table *table, uint64_t hash);

/* Forgets the key, as if it had never been put. Whether it had an entry. */
bool table_remove(struct table *table, const struct store_key *key);

/* Forgets all keys of the range that were WRITTEN. How many. */
uint64_t table_drop(struct table *table, const struct store_range *range);

/* The first entry at or after the key. */
void table_seek(const struct table *table, const struct store_key *key, struct table_cursor *out);
/* Whether the cursor stands on an entry; *out is untouched when not. */
bool table_at(const struct table_cursor *at, struct table_entry *out);
void table_next(struct table_cursor *at);

uint64_t table_entries(const struct table *table);
/* Of these, the WRITTEN and DELETED ones: a fold's work. */
uint64_t table_dirty_entries(const struct table *table);
/* All memory that the table holds, its own waste included. */
uint64_t table_bytes(const struct table *table);

/* Walks the whole tree and tells whether its invariants hold. For tests; slow. */
bool table_valid(const struct table *table);
