/* SPDX-License-Identifier: Apache-2.0 */
/* table_priv.h - a table as its own files see it:
 *
 *     table.c         its life; finding and putting
 *     table_remove.c  removing
 *     table_cursor.c  going through it in order
 *     table_valid.c   whether its invariants hold
 *     table_hint.h    where keys were lately found
 *     table_filter.c  which keys are not there
 *     table_node.h    the nodes of its tree
 */
#pragma once
#include "store/pool.h"
#include "store/table_filter.h"
#include "store/table_hint.h"

struct table {
    void *root;      /* a leaf when height is 0; NULL: nothing was ever put */
    unsigned height; /* inner levels above the leaves */
    uint64_t entries;
    uint64_t dirty_entries;
    struct pool pool;
    struct hints hints;
    struct filter filter;
};

/* The way from the root to a leaf: at each inner level the node and the child that was taken. */
struct path {
    struct {
        struct table_inner *inner;
        unsigned index;
    } steps[HEIGHT_MAX];
    struct table_leaf *leaf;
};

/* Asks for all of a node as soon as it is known: its lines arrive together while a search that met
 * them one by one would wait for each (at a million entries this takes a lookup from 1,000 to 650
 * ns where a miss costs 200). */
static inline void
node_prefetch(const void *node)
{
    const char *bytes = node;
    for (size_t at = 0; at < NODE_BYTES; at += 64) {
        __builtin_prefetch(bytes + at);
    }
}

static inline struct table_leaf *
leaf_of(const struct table *table, const struct table_rank *rank)
{
    void *node = table->root;
    for (unsigned level = 0; level < table->height; level++) {
        const struct table_inner *inner = node;
        node = inner->children[inner_find(inner, rank)];
        node_prefetch(node);
    }
    return node;
}

/* The way to the leaf under which the rank belongs, of a table that has a root. */
void path_find(const struct table *table, const struct table_rank *rank, struct path *out);

/* The leftmost leaf below a node that has so many levels below it. */
static inline const struct table_leaf *
leaf_first(const void *node, unsigned levels)
{
    for (; levels > 0; levels--) {
        node = ((const struct table_inner *)node)->children[0];
    }
    return node;
}

static inline struct store_key
slot_key(const struct table_slot *slot)
{
    return (struct store_key){slot->partition, slot->table, slot->owner, slot->a, slot->b};
}

static inline void
entry_read(const struct table_leaf *leaf, unsigned index, struct table_entry *out)
{
    const struct table_slot *slot = &leaf->slots[index];
    out->key = slot_key(slot);
    out->value = (struct store_value){leaf->values[index], slot->value_bytes};
    out->state = slot->state;
}

/* What a fold has to carry to LMDB. */
static inline bool
state_dirty(enum table_state state)
{
    return state == TABLE_WRITTEN || state == TABLE_DELETED;
}
