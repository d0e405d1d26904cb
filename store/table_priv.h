/* SPDX-License-Identifier: Apache-2.0 */
/* table_priv.h - a table as its own files see it:
 *
 *     table.c         its life; finding and putting
 *     table_remove.c  removing
 *     table_cursor.c  going through it in order
 *     table_valid.c   whether its invariants hold
 *     table_index.c   where a key's record lies
 *     table_record.c  what the table has of a key
 *     table_node.h    the nodes of its tree
 */
#pragma once
#include "store/pool.h"
#include "store/table_index.h"
#include "store/table_node.h"

/* Where the record that was new last was put. Others may have moved there since. */
struct latest {
    struct table_leaf *leaf; /* NULL: it does not count */
    unsigned index;
};

struct table {
    void *root;      /* a leaf when height is 0; NULL: nothing was ever put */
    unsigned height; /* inner levels above the leaves */
    uint64_t entries;
    uint64_t dirty_entries;
    struct pool pool;
    struct table_index index;
    struct latest latest;
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
 * them one by one would wait for each (at a million entries this took a search from 1,000 to 650 ns
 * where a miss cost 200). NULL is allowed. */
static inline void
node_prefetch(const void *node, size_t node_bytes)
{
    for (uintptr_t at = 0; at < node_bytes; at += PREFETCH_LINE_BYTES) {
        // NOLINTNEXTLINE(performance-no-int-to-ptr)
        __builtin_prefetch((const void *)((uintptr_t)node + at));
    }
}

static inline struct table_leaf *
leaf_of(const struct table *table, const struct table_rank *rank)
{
    void *node = table->root;
    for (unsigned level = 0; level < table->height; level++) {
        const struct table_inner *inner = node;
        node = inner->children[inner_find(inner, rank)];
        node_prefetch(node, level + 1 < table->height ? sizeof(*inner) : sizeof(struct table_leaf));
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

/* What a fold has to carry to LMDB. */
static inline bool
state_dirty(enum table_state state)
{
    return state == TABLE_WRITTEN || state == TABLE_DELETED;
}
