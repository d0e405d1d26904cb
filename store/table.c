/* SPDX-License-Identifier: Apache-2.0 */
/* A B+tree. All leaves have the same depth and are linked in order of their keys; entries are in
 * leaves only. A node is full at 31 entries or 32 children. It splits in the middle, unless the new
 * key goes to its very end: then the new node begins with that key alone, since one owner's records
 * are mostly put with rising numbers. When a removal leaves a node with fewer than NODE_FEW it
 * joins a neighbour under the same parent or evens out with it, so that memory follows what is
 * stored. Nothing recurs: the way down is kept in a path. Who looks for one key doesn't go down the
 * tree, but finds its record through the index.
 *
 * Weighed against the tree: a hash table alone (folds and inboxes need the order), a radix tree
 * (long keys with long equal parts), a skip list (a cache miss per level). */
#include "store/table.h"

#include "store/table_priv.h"

#include <stdlib.h>

/* A key that was not there is mostly given a value next. */
enum { ROOM_OF_MISSING = 64 };

/* ----------------------------------------------------------------------------------------- life */

struct table *
table_new(uint64_t seed)
{
    struct table *table = calloc(1, sizeof(*table));
    if (table == NULL) {
        check_failed("out of memory", __FILE__, __LINE__);
    }
    index_init(&table->index, seed);
    return table;
}

bool
table_free_slice(struct table **table, unsigned chunks_max)
{
    if (*table == NULL) {
        return true;
    }
    if (!pool_free_slice(&(*table)->pool, chunks_max)) {
        return false;
    }
    index_free(&(*table)->index);
    free(*table);
    *table = NULL;
    return true;
}

void
table_free(struct table **table)
{
    while (!table_free_slice(table, 1024)) {
    }
}

/* -------------------------------------------------------------------------------------- finding */

void
path_find(const struct table *table, const struct table_rank *rank, struct path *out)
{
    void *node = table->root;
    for (unsigned level = 0; level < table->height; level++) {
        struct table_inner *inner = node;
        unsigned index = inner_find(inner, rank);
        out->steps[level].inner = inner;
        out->steps[level].index = index;
        node = inner->children[index];
        node_prefetch(node, level + 1 < table->height ? sizeof(*inner) : sizeof(*out->leaf));
    }
    out->leaf = node;
}

uint64_t
table_hash(const struct table *table, const struct store_key *key)
{
    return index_hash(&table->index, key);
}

bool
table_get_hashed(const struct table *table, const struct store_key *key, uint64_t hash,
                 struct table_entry *out)
{
    const struct table_record *record = index_find(&table->index, key, hash);
    if (record == NULL) {
        return false;
    }
    table_record_read(record, out);
    return true;
}

bool
table_get(const struct table *table, const struct store_key *key, struct table_entry *out)
{
    return table_get_hashed(table, key, table_hash(table, key), out);
}

void
table_prefetch(const struct table *table, uint64_t hash)
{
    if (table->index.places != NULL) {
        __builtin_prefetch(&table->index.places[hash >> table->index.shift]);
    }
}

/* -------------------------------------------------------------------------------------- putting */

/* A node below `level` has split, `right` being its new upper half that begins at `key`: its parent
 * learns of it, and splits in turn when it is full, up to a new root. */
static void
path_insert(struct table *table, struct path *path, struct table_slot key, void *right)
{
    for (unsigned level = table->height; level-- > 0;) {
        struct table_inner *inner = path->steps[level].inner;
        unsigned index = path->steps[level].index + 1;
        if (inner->count < INNER_CHILDREN) {
            inner_open(inner, index, &key, right);
            return;
        }
        struct table_inner *upper = pool_take(&table->pool, sizeof(*upper));
        struct table_slot between;
        inner_split(inner, upper, index, &between);
        if (index <= inner->count) {
            inner_open(inner, index, &key, right);
        } else {
            inner_open(upper, index - (unsigned)inner->count, &key, right);
        }
        key = between;
        right = upper;
    }
    struct table_inner *root = pool_take(&table->pool, sizeof(*root));
    root->count = 2;
    root->children[0] = table->root;
    root->children[1] = right;
    root->keys[0] = key;
    table->root = root;
    table->height++;
    ASSERT(table->height < HEIGHT_MAX);
}

/* Room for one slot of the key at or after *leaf's `index`, splitting it when it is full. */
static void
leaf_make_room(struct table *table, struct path *path, unsigned *index, const struct store_key *key)
{
    struct table_leaf *leaf = path->leaf;
    if (leaf->count == LEAF_SLOTS) {
        struct table_leaf *right = pool_take(&table->pool, sizeof(*right));
        leaf_split(leaf, right, *index);
        path_insert(table, path, right->count > 0 ? right->slots[0] : slot_new(key, NULL), right);
        if (*index > leaf->count || right->count == 0) {
            *index -= leaf->count;
            path->leaf = right;
        }
    }
    leaf_open(path->leaf, *index);
}

static void
table_begin(struct table *table)
{
    struct table_leaf *leaf = pool_take(&table->pool, sizeof(*leaf));
    leaf->next = NULL;
    leaf->count = 0;
    table->root = leaf;
}

/* Whether the rank, which is new, belongs right behind what was new last, in a leaf that has room.
 * Not behind a leaf's end: what its parent has between it and the next may be lower. */
static bool
follows_latest(const struct table *table, const struct table_rank *rank)
{
    const struct table_leaf *leaf = table->latest.leaf;
    unsigned index = table->latest.index;
    if (leaf == NULL || leaf->count == LEAF_SLOTS || index + 1 >= leaf->count) {
        return false;
    }
    struct table_rank before = slot_rank(&leaf->slots[index]);
    struct table_rank behind = slot_rank(&leaf->slots[index + 1]);
    return rank_less(&before, rank) && rank_less(rank, &behind);
}

/* Where the rank, which is new, is to be. */
static unsigned
path_find_place(const struct table *table, const struct table_rank *rank, struct path *out)
{
    if (follows_latest(table, rank)) {
        /* The way there is not asked for: nothing will split. */
        out->leaf = table->latest.leaf;
        return table->latest.index + 1U;
    }
    path_find(table, rank, out);
    return leaf_find(out->leaf, rank);
}

static struct table_record *
insert(struct table *table, const struct store_key *key, uint64_t hash, size_t bytes)
{
    struct path path;
    if (table->root == NULL) {
        table_begin(table);
    }
    struct table_rank rank = key_rank(key);
    unsigned index = path_find_place(table, &rank, &path);
    struct table_record *record = table_record_new(&table->pool, key, bytes);
    leaf_make_room(table, &path, &index, key);
    path.leaf->slots[index] = slot_new(key, record);
    table->latest = (struct latest){path.leaf, index};
    table->entries++;
    index_add(table, record, hash);
    return record;
}

/* The value is copied from there if it is not NULL. Gives out where it lies. */
static unsigned char *
put(struct table *table, const struct store_key *key, enum table_state state, const void *from,
    size_t bytes)
{
    ASSERT(bytes <= TABLE_VALUE_BYTES_MAX && state < TABLE_STATES);
    ASSERT(bytes == 0 || state == TABLE_WRITTEN || state == TABLE_FETCHED);
    uint64_t hash = index_hash(&table->index, key);
    struct table_record *record = index_find(&table->index, key, hash);
    if (record == NULL) {
        record = insert(table, key, hash, state == TABLE_MISSING ? ROOM_OF_MISSING : bytes);
    } else {
        table->dirty_entries -= state_dirty(record->state);
    }
    table->dirty_entries += state_dirty(state);
    record->state = (uint8_t)state;
    return table_record_set(&table->pool, record, from, bytes);
}

void
table_put(struct table *table, const struct store_key *key, enum table_state state,
          struct store_value value)
{
    ASSERT(value.bytes != NULL || value.count == 0);
    (void)put(table, key, state, value.bytes, value.count);
}

unsigned char *
table_put_room(struct table *table, const struct store_key *key, size_t bytes)
{
    ASSERT(bytes > 0);
    return put(table, key, TABLE_WRITTEN, NULL, bytes);
}

/* ---------------------------------------------------------------------------------------- facts */

uint64_t
table_entries(const struct table *table)
{
    return table->entries;
}

uint64_t
table_dirty_entries(const struct table *table)
{
    return table->dirty_entries;
}

uint64_t
table_bytes(const struct table *table)
{
    return sizeof(*table) + pool_bytes(&table->pool) + index_bytes(&table->index);
}
