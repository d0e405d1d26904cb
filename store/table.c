/* SPDX-License-Identifier: Apache-2.0 */
/* A B+tree. All leaves have the same depth and are linked in order of their keys; entries are in
 * leaves only. A node is full at 31 entries or 32 children. It splits in the middle, unless the new
 * key goes to its very end: then the new node begins with that key alone, since one owner's records
 * are mostly put with rising numbers. When a removal leaves a node with fewer than NODE_FEW it
 * joins a neighbour under the same parent or evens out with it, so that memory follows what is
 * stored. Nothing recurs: the way down is kept in a path.
 *
 * Weighed against it: a hash table (faster lookups, but folds and inboxes need the order), a radix
 * tree (long keys with long equal parts), a skip list (a cache miss per level). */
#include "store/table.h"

#include "store/table_priv.h"

#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------------------------------- life */

struct table *
table_new(void)
{
    struct table *table = calloc(1, sizeof(*table));
    if (table == NULL) {
        check_failed("out of memory", __FILE__, __LINE__);
    }
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
    filter_free(&(*table)->filter);
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
        node_prefetch(node);
    }
    out->leaf = node;
}

bool
table_get(const struct table *table, const struct store_key *key, struct table_entry *out)
{
    if (table->root == NULL || !filter_may(&table->filter, key_hash(key))) {
        return false;
    }
    struct table_rank rank = key_rank(key);
    const struct table_leaf *leaf = leaf_of(table, &rank);
    unsigned index = leaf_find(leaf, &rank);
    if (!leaf_has(leaf, index, &rank)) {
        return false;
    }
    entry_read(leaf, index, out);
    return true;
}

bool
table_find(struct table *table, const struct store_key *key, struct table_entry *out)
{
    if (table->root == NULL) {
        return false;
    }
    uint64_t hash = key_hash(key);
    struct table_rank rank = key_rank(key);
    struct hint *hint = hints_of(&table->hints, hash);
    if (!hint_good(hint, hash, &rank)) {
        if (!filter_may(&table->filter, hash)) {
            return false;
        }
        struct table_leaf *leaf = table->hints.latest.leaf;
        unsigned index = table->hints.latest.index + 1U;
        if (!hints_next(&table->hints, key->table, &rank)) {
            leaf = leaf_of(table, &rank);
            index = leaf_find(leaf, &rank);
        }
        if (!leaf_has(leaf, index, &rank)) {
            return false;
        }
        *hint = hint_new(leaf, index, key, hash);
    }
    table->hints.latest = *hint;
    entry_read(hint->leaf, hint->index, out);
    return true;
}

/* -------------------------------------------------------------------------------------- putting */

static unsigned char *
value_copy(struct table *table, struct store_value value)
{
    if (value.count == 0) {
        return NULL;
    }
    unsigned char *copy = pool_take(&table->pool, value.count);
    memcpy(copy, value.bytes, value.count);
    return copy;
}

/* The new value may lie in the old one: the old is given back last. */
static void
slot_replace(struct table *table, struct table_leaf *leaf, unsigned index, enum table_state state,
             struct store_value value)
{
    struct table_slot *slot = &leaf->slots[index];
    unsigned char *old = leaf->values[index];
    if (pool_fits(slot->value_bytes, value.count)) {
        if (value.count > 0) {
            memmove(old, value.bytes, value.count);
        }
    } else {
        leaf->values[index] = value_copy(table, value);
        if (old != NULL) {
            pool_give(&table->pool, old, slot->value_bytes);
        }
    }
    table->dirty_entries += state_dirty(state);
    table->dirty_entries -= state_dirty(slot->state);
    slot->state = (uint8_t)state;
    slot->value_bytes = (uint32_t)value.count;
}

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

/* Room for one slot at or after *leaf's `index`, splitting it when it is full. */
static void
leaf_make_room(struct table *table, struct path *path, unsigned *index,
               const struct table_slot *slot)
{
    struct table_leaf *leaf = path->leaf;
    if (leaf->count == LEAF_SLOTS) {
        struct table_leaf *right = pool_take(&table->pool, sizeof(*right));
        leaf_split(leaf, right, *index);
        path_insert(table, path, right->count > 0 ? right->slots[0] : *slot, right);
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

/* The place of the key, or where it is to be. Whether it is there. */
static bool
path_find_place(const struct table *table, uint8_t key_table, const struct table_rank *rank,
                struct path *out, unsigned *out_index)
{
    if (hints_follow(&table->hints, key_table, rank)) {
        /* The way there is not asked for: nothing will split. */
        out->leaf = table->hints.latest.leaf;
        *out_index = table->hints.latest.index + 1U;
        return false;
    }
    path_find(table, rank, out);
    *out_index = leaf_find(out->leaf, rank);
    return leaf_has(out->leaf, *out_index, rank);
}

/* Gives out where the key's slot is now. */
static struct hint
put(struct table *table, const struct store_key *key, enum table_state state,
    struct store_value value)
{
    ASSERT(value.count <= TABLE_VALUE_BYTES_MAX && state < TABLE_STATES);
    ASSERT(value.count == 0 || state == TABLE_WRITTEN || state == TABLE_FETCHED);
    if (table->root == NULL) {
        table_begin(table);
    }
    uint64_t hash = key_hash(key);
    struct table_rank rank = key_rank(key);
    struct hint *hint = hints_of(&table->hints, hash);
    struct path path;
    unsigned index;
    bool there = hint_good(hint, hash, &rank);
    if (!there) {
        there = path_find_place(table, key->table, &rank, &path, &index);
        *hint = hint_new(path.leaf, index, key, hash);
    }
    if (there) {
        slot_replace(table, hint->leaf, hint->index, state, value);
        table->hints.latest = *hint;
        return *hint;
    }
    struct table_slot slot = {
        .partition = key->partition,
        .table = key->table,
        .state = (uint8_t)state,
        .value_bytes = (uint32_t)value.count,
        .owner = key->owner,
        .a = key->a,
        .b = key->b,
    };
    leaf_make_room(table, &path, &index, &slot);
    path.leaf->slots[index] = slot;
    path.leaf->values[index] = value_copy(table, value);
    *hint = hint_new(path.leaf, index, key, hash);
    table->hints.latest = *hint;
    table->entries++;
    table->dirty_entries += state_dirty(state);
    filter_add(table, hash);
    return *hint;
}

void
table_put(struct table *table, const struct store_key *key, enum table_state state,
          struct store_value value)
{
    (void)put(table, key, state, value);
}

unsigned char *
table_put_room(struct table *table, const struct store_key *key, size_t bytes)
{
    ASSERT(bytes > 0 && bytes <= TABLE_VALUE_BYTES_MAX);
    struct hint place = put(table, key, TABLE_WRITTEN, (struct store_value){0});
    unsigned char *room = pool_take(&table->pool, bytes);
    place.leaf->slots[place.index].value_bytes = (uint32_t)bytes;
    place.leaf->values[place.index] = room;
    return room;
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
    return sizeof(*table) + pool_bytes(&table->pool) + filter_bytes(&table->filter);
}
