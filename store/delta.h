/* SPDX-License-Identifier: Apache-2.0 */
/* delta.h - what a partition knows that LMDB does not know yet, and what it has lately read or
 * written there.
 *
 *        puts, deletes,
 *        what was fetched
 *              |
 *              v    freeze            folded           retire
 *     -->    live  --------> folding -------->  clean ------->  given back, to be freed
 *     lookup   |                |                 |   (waits as `retired` for commands that
 *              +---- the newest that knows a key wins ---->    may still look into it, and so does
 *                                                              `folding` where less of it is kept)
 *
 * Generations of one table. A key that none of them knows is UNKNOWN: ask LMDB on a worker and call
 * delta_learn. `folding` and `clean` never change. After a fold the frozen table stays as a read
 * cache for the time of one more, or a smaller one of what of it is worth its memory (keep.h).
 *
 * Whoever looks up (or fetches) now and relies on finding it later, after a wait, holds a ticket in
 * between:
 *
 *     ticket = delta_enter(delta);
 *     if (!delta_know(delta, &key)) {
 *         ... a worker reads LMDB; we wait ...
 *         delta_learn(delta, &key, found);
 *     }
 *     ... the command is appended, becomes durable, is applied: delta_get finds the key ...
 *     delta_leave(delta, ticket);
 *
 * A ticket taken before the read transaction began also makes sure that the transaction's answer,
 * however late, never covers something newer: what was folded meanwhile is still here, and what is
 * known is not learned again.
 *
 * Owned by its partition's scheduler, all calls from that thread, none yields. What delta_get and a
 * range give out is borrowed until the next change of the delta (put, delete, learn, drop, folded,
 * retire).
 */
#pragma once
#include "runtime/check.h"
#include "store/table.h"

struct delta;

enum delta_found {
    DELTA_UNKNOWN, /* only LMDB can tell */
    DELTA_ABSENT,
    DELTA_PRESENT,
};

struct delta_size {
    uint64_t entries;      /* of all generations */
    uint64_t bytes;        /* of memory, of all generations */
    uint64_t live_entries; /* what the next fold will freeze: dirty and cached ones */
    uint64_t live_bytes;
    uint64_t dirty_entries; /* live's entries that the next fold must write */
    uint64_t folding_entries;
    uint64_t folding_bytes;
};

/* `seed` as of table_new. */
struct delta *delta_new(uint64_t seed);
void delta_free(struct delta **delta);

/* *out is untouched unless PRESENT. */
enum delta_found delta_get(const struct delta *delta, const struct store_key *key,
                           struct store_value *out);

/* Asks the caches for what finding the key begins with. */
void delta_prefetch(const struct delta *delta, const struct store_key *key);

/* Whether the key is known, and stays known while a ticket is held that has been taken. (delta_get
 * tells of retired tables, too, which wait for older tickets only: what nothing newer knows is
 * brought over from there.) */
bool delta_know(struct delta *delta, const struct store_key *key);

/* Copies the value in. */
void delta_put(struct delta *delta, const struct store_key *key, struct store_value value);
/* As table_put_room. */
unsigned char *delta_put_room(struct delta *delta, const struct store_key *key, size_t bytes);
void delta_delete(struct delta *delta, const struct store_key *key);

/* What LMDB said about the key: its value, or NULL for none. Ignored when the key is known by
 * now. */
void delta_learn(struct delta *delta, const struct store_key *key,
                 const struct store_value *value_or_null);

/* Forgets what was put into `live` within the range, so that it never touches LMDB, and tells how
 * many that were. Only for keys that are put once and never again (inbox numbers): where an older
 * generation or LMDB had one too, it would come to light again. Entries of the range that are
 * folding, folded or fetched stay; readers pass them by because of the same watermark for which
 * they are dropped, and the fold deletes their range. */
uint64_t delta_drop(struct delta *delta, const struct store_range *range);

/* All that the generations know about a range, merged, in order of keys:
 *
 *     delta_range_start(delta, &range, &each);
 *     while (delta_range_next(&each, &key, &found, &value)) { ... }        found: PRESENT or ABSENT
 *
 * ABSENT is told too: whoever merges with a page read from LMDB must take such keys out of it. */
enum { DELTA_GENERATIONS = 5 };
struct delta_range {
    struct store_key high;
    unsigned count;                            /* generations that have something there */
    struct table_cursor at[DELTA_GENERATIONS]; /* theirs, the newest first */
};
void delta_range_start(const struct delta *delta, const struct store_range *range,
                       struct delta_range *out);
/* False at the end. *out_value is empty when ABSENT. */
bool delta_range_next(struct delta_range *each, struct store_key *out_key,
                      enum delta_found *out_found, struct store_value *out_value);

/* -------------------------------------------------------------------------------------- tickets */

/* What is known now stays known until the ticket is left. Tickets are plain counts: leave each
 * exactly once. */
MUST_CHECK uint64_t delta_enter(struct delta *delta);
/* One more like this one, which somebody holds: for what was read under it. */
MUST_CHECK uint64_t delta_enter_with(struct delta *delta, uint64_t ticket);
void delta_leave(struct delta *delta, uint64_t ticket);

/* ---------------------------------------------------------------------------------------- folds */

/* Whether delta_freeze may be called: no fold runs, no ticket from before the last one completed is
 * held, and what retired then has been given back. */
bool delta_freezable(const struct delta *delta);

/* live becomes folding, and an empty live begins: O(1). Must be freezable. `number` is the
 * partition's highest inbox number so far. Gives out the frozen table, borrowed until delta_folded,
 * for a worker to read; a fold that failed is tried again with the same table. */
const struct table *delta_freeze(struct delta *delta, uint64_t number);
/* The table being folded, NULL when there is none. */
const struct table *delta_folding(const struct delta *delta);

/* The fold is durable: folding becomes clean, the old clean retires. Must be folding. Where
 * `kept` is not NULL it is taken and becomes clean, and folding retires, too: it holds those of its
 * entries that are to stay, FETCHED or MISSING. */
void delta_folded(struct delta *delta, struct table *kept);

/* A retired table, now yours to free (table_free, on a worker when large), as soon as all tickets
 * from before delta_folded have been left. NULL: there is none any more, or not yet. Ask after
 * delta_folded and after each leave. */
struct table *delta_retire(struct delta *delta);

/* The number given with the last fold that completed: every inbox entry above it is in the delta;
 * those at or below it may be in LMDB. 0 before the first. */
uint64_t delta_folded_number(const struct delta *delta);
/* For recovery: what LMDB is known to hold at the start. */
void delta_set_folded_number(struct delta *delta, uint64_t number);

void delta_size(const struct delta *delta, struct delta_size *out);
