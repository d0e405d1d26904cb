/* SPDX-License-Identifier: Apache-2.0 */
/* table_hint.h - where a table's keys were lately found or put.
 *
 * A command's records are looked up once to know that they are there, again when it is applied,
 * and then put; and what follows one of them is often asked for next. Entries may have moved since:
 * what stands there now tells whether a hint is good. A leaf that is given back has to be
 * forgotten.
 *
 * For table*.c alone; of whoever changes the table.
 */
#pragma once
#include "store/table_node.h"

enum { HINTS_BITS = 5, HINTS = 1 << HINTS_BITS };

/* Tag and table say of most other keys that it is not theirs, without a look at the leaf, which may
 * be in no cache. */
struct hint {
    struct table_leaf *leaf; /* one of the table's; NULL: none */
    uint32_t tag;            /* hint_tag */
    uint8_t index;
    uint8_t table; /* the key's */
};
static_assert(LEAF_SLOTS <= UINT8_MAX, "an index is a byte");

/* Embedded; zeroed at first. */
struct hints {
    struct hint places[HINTS]; /* by hints_of */
    struct hint latest;        /* of all */
};

/* That of the key whose key_hash it is. */
static inline struct hint *
hints_of(struct hints *hints, uint64_t hash)
{
    return &hints->places[hash >> (64 - HINTS_BITS)];
}

static inline uint32_t
hint_tag(uint64_t hash)
{
    return (uint32_t)(hash >> (32 - HINTS_BITS));
}

static inline struct hint
hint_new(struct table_leaf *leaf, unsigned index, const struct store_key *key, uint64_t hash)
{
    return (struct hint){
        .leaf = leaf, .tag = hint_tag(hash), .index = (uint8_t)index, .table = key->table};
}

static inline bool
hint_good(const struct hint *hint, uint64_t hash, const struct table_rank *rank)
{
    return hint->tag == hint_tag(hash) && hint->leaf != NULL &&
           leaf_has(hint->leaf, hint->index, rank);
}

/* Whether the key is right behind the latest. */
static inline bool
hints_next(const struct hints *hints, uint8_t table, const struct table_rank *rank)
{
    const struct hint *latest = &hints->latest;
    return latest->leaf != NULL && latest->table == table &&
           leaf_has(latest->leaf, latest->index + 1U, rank);
}

/* Whether the key, which is new, belongs right behind what was found or put last, in a leaf that
 * has room. Not behind a leaf's end: what its parent has between it and the next may be lower. */
static inline bool
hints_follow(const struct hints *hints, uint8_t table, const struct table_rank *rank)
{
    const struct table_leaf *leaf = hints->latest.leaf;
    unsigned index = hints->latest.index;
    if (leaf == NULL || hints->latest.table != table || leaf->count == LEAF_SLOTS ||
        index + 1 >= leaf->count) {
        return false;
    }
    struct table_rank before = slot_rank(&leaf->slots[index]);
    struct table_rank behind = slot_rank(&leaf->slots[index + 1]);
    return rank_less(&before, rank) && rank_less(rank, &behind);
}

/* The leaf is given back. */
static inline void
hints_forget(struct hints *hints, const struct table_leaf *leaf)
{
    for (unsigned i = 0; i < HINTS; i++) {
        if (hints->places[i].leaf == leaf) {
            hints->places[i] = (struct hint){0};
        }
    }
    if (hints->latest.leaf == leaf) {
        hints->latest = (struct hint){0};
    }
}

/* How many lie in the leaf (NULL: in none). */
static inline unsigned
hints_count(const struct hints *hints, const struct table_leaf *leaf)
{
    unsigned count = hints->latest.leaf == leaf;
    for (unsigned i = 0; i < HINTS; i++) {
        count += hints->places[i].leaf == leaf;
    }
    return count;
}
