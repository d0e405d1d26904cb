/* SPDX-License-Identifier: Apache-2.0 */
/* table_node.h - the nodes of a table's tree, and what can be done to one node or two neighbours.
 *
 * A slot is a key and where its record lies: 32 bytes, since an address leaves 16 bits, which are
 * the key's partition and table. Inner nodes keep slots too, of which only the keys count: keys[i]
 * is at most the lowest key under children[i + 1] and above every key under children[i].
 *
 * For table*.c alone.
 */
#pragma once
#include "store/table_record.h"

#include <assert.h>

enum {
    LEAF_SLOTS = 31,     /* 1,008 bytes, just within one of the pool's sizes */
    INNER_CHILDREN = 32, /* 1,256 bytes, likewise */
    NODE_FEW = 8, /* with fewer, a node joins or takes from a neighbour when something is removed */
    HEIGHT_MAX = 24, /* 8 to the power of 24 nodes are beyond any memory */
};

struct table_slot {
    uint64_t owner;
    uint64_t a;
    uint64_t b;
    uint64_t where; /* partition and table (key_place), above the record's address */
};
static_assert(sizeof(struct table_slot) == 32, "two to a cache line");

struct table_leaf {
    struct table_leaf *next;
    uint32_t count;
    struct table_slot slots[LEAF_SLOTS];
};

struct table_inner {
    uint64_t count; /* of children */
    struct table_slot keys[INNER_CHILDREN - 1];
    void *children[INNER_CHILDREN];
};
static_assert(sizeof(struct table_leaf) <= 1024 && sizeof(struct table_inner) <= 1280,
              "within the pool's sizes");

static inline struct table_slot
slot_new(const struct store_key *key, const struct table_record *record)
{
    uint64_t where = (uint64_t)key_place(key) << RECORD_ADDRESS_BITS | (uintptr_t)record;
    return (struct table_slot){key->owner, key->a, key->b, where};
}

static inline struct table_record *
slot_record(const struct table_slot *slot)
{
    return table_record_at(slot->where);
}

static inline struct store_key
slot_key(const struct table_slot *slot)
{
    uint64_t place = slot->where >> RECORD_ADDRESS_BITS; /* key_place */
    return (struct store_key){(uint8_t)(place >> 8), (uint8_t)place, slot->owner, slot->a, slot->b};
}

/* A key as two integers of 128 bits: a comparison is a few instructions without a branch. */
struct table_rank {
    unsigned __int128 high;
    unsigned __int128 low;
};

static inline struct table_rank
slot_rank(const struct table_slot *slot)
{
    return (struct table_rank){
        (unsigned __int128)(slot->where >> RECORD_ADDRESS_BITS) << 64 | slot->owner,
        (unsigned __int128)slot->a << 64 | slot->b,
    };
}

static inline struct table_rank
key_rank(const struct store_key *key)
{
    return (struct table_rank){
        (unsigned __int128)key_place(key) << 64 | key->owner,
        (unsigned __int128)key->a << 64 | key->b,
    };
}

static inline bool
rank_less(const struct table_rank *x, const struct table_rank *y)
{
    return x->high < y->high || (x->high == y->high && x->low < y->low);
}

static inline bool
rank_equal(const struct table_rank *x, const struct table_rank *y)
{
    return x->high == y->high && x->low == y->low;
}

/* The first slot at or after the rank; leaf->count when none is. */
unsigned leaf_find(const struct table_leaf *leaf, const struct table_rank *rank);
/* Whether the rank's slot is at `index`, as leaf_find has told it. */
static inline bool
leaf_has(const struct table_leaf *leaf, unsigned index, const struct table_rank *rank)
{
    if (index >= leaf->count) {
        return false;
    }
    struct table_rank there = slot_rank(&leaf->slots[index]);
    return rank_equal(&there, rank);
}
/* The child under which the rank belongs. */
unsigned inner_find(const struct table_inner *inner, const struct table_rank *rank);

/* Makes room at `index` of a leaf that is not full; the slot there is the caller's to fill. */
void leaf_open(struct table_leaf *leaf, unsigned index);
/* Takes slot `index` out. */
void leaf_close(struct table_leaf *leaf, unsigned index);
/* Puts a child and the key before it at `index` (above 0) of a node that is not full. */
void inner_open(struct table_inner *inner, unsigned index, const struct table_slot *key,
                void *child);
/* Takes child `index` (above 0) and the key before it out. */
void inner_close(struct table_inner *inner, unsigned index);

/* Moves the upper part of a full leaf into the empty `right`. `index` is where the next slot will
 * go: at the very end nothing moves, so that rising keys leave full leaves behind. */
void leaf_split(struct table_leaf *leaf, struct table_leaf *right, unsigned index);
/* Likewise, leaving at least NODE_FEW children in each; *out_key is the key between the two. */
void inner_split(struct table_inner *inner, struct table_inner *right, unsigned index,
                 struct table_slot *out_key);

/* Evens out two neighbours of which one has few: true when all is in `left` now and `right` is
 * empty; else *key is the key between them from now on. */
bool leaf_join(struct table_leaf *left, struct table_leaf *right, struct table_slot *key);
/* Likewise; *key is the one between them before, too. */
bool inner_join(struct table_inner *left, struct table_inner *right, struct table_slot *key);
