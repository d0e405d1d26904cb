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

#include "store/pool.h"
#include "store/table_node.h"

#include <stdlib.h>
#include <string.h>

enum { SEEK_AHEAD = 4, HINTS_BITS = 5, HINTS = 1 << HINTS_BITS };

/* Where a key was found or put the last time. A command's records are looked up once to know that
 * they are there, again when it is applied, and then put. Entries may have moved since: what stands
 * there now tells whether the hint is good. */
struct hint {
    struct table_leaf *leaf; /* one of the table's; NULL: none */
    unsigned index;
};

struct table {
    void *root;      /* a leaf when height is 0; NULL: nothing was ever put */
    unsigned height; /* inner levels above the leaves */
    uint64_t entries;
    uint64_t dirty_entries;
    struct pool pool;
    struct hint hints[HINTS]; /* by hint_of; of whoever changes the table */
    struct hint latest;       /* found or put, of all: what follows there is often asked for next */
};

/* The way from the root to a leaf: at each inner level the node and the child that was taken. */
struct path {
    struct {
        struct table_inner *inner;
        unsigned index;
    } steps[HEIGHT_MAX];
    struct table_leaf *leaf;
};

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

static struct table_leaf *
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

static void
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

static bool
leaf_has(const struct table_leaf *leaf, unsigned index, const struct table_rank *rank)
{
    if (index >= leaf->count) {
        return false;
    }
    struct table_rank there = slot_rank(&leaf->slots[index]);
    return rank_equal(&there, rank);
}

static void
entry_read(const struct table_leaf *leaf, unsigned index, struct table_entry *out)
{
    const struct table_slot *slot = &leaf->slots[index];
    out->key = (struct store_key){slot->partition, slot->table, slot->owner, slot->a, slot->b};
    out->value = (struct store_value){leaf->values[index], slot->value_bytes};
    out->state = slot->state;
}

bool
table_get(const struct table *table, const struct store_key *key, struct table_entry *out)
{
    if (table->root == NULL) {
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

static struct hint *
hint_of(struct table *table, const struct store_key *key)
{
    uint64_t mixed =
        (key->owner ^ key->a << 20 ^ key->b << 40 ^ key->table) * UINT64_C(0x9e3779b97f4a7c15);
    return &table->hints[mixed >> (64 - HINTS_BITS)];
}

static bool
hint_good(const struct hint *hint, const struct table_rank *rank)
{
    return hint->leaf != NULL && leaf_has(hint->leaf, hint->index, rank);
}

/* The leaf is given back. */
static void
hints_forget(struct table *table, const struct table_leaf *leaf)
{
    for (unsigned i = 0; i < HINTS; i++) {
        if (table->hints[i].leaf == leaf) {
            table->hints[i] = (struct hint){0};
        }
    }
    if (table->latest.leaf == leaf) {
        table->latest = (struct hint){0};
    }
}

bool
table_find(struct table *table, const struct store_key *key, struct table_entry *out)
{
    if (table->root == NULL) {
        return false;
    }
    struct table_rank rank = key_rank(key);
    struct hint *hint = hint_of(table, key);
    if (!hint_good(hint, &rank)) {
        struct hint found = {table->latest.leaf, table->latest.index + 1};
        if (!hint_good(&found, &rank)) {
            found.leaf = leaf_of(table, &rank);
            found.index = leaf_find(found.leaf, &rank);
        }
        if (!leaf_has(found.leaf, found.index, &rank)) {
            return false;
        }
        *hint = found;
    }
    table->latest = *hint;
    entry_read(hint->leaf, hint->index, out);
    return true;
}

/* Who seeks goes on from there: the values arrive together. */
static void
values_prefetch(const struct table_cursor *at)
{
    for (unsigned i = 0; at->leaf != NULL && i < SEEK_AHEAD && at->index + i < at->leaf->count;
         i++) {
        __builtin_prefetch(at->leaf->values[at->index + i]);
    }
}

void
table_seek(const struct table *table, const struct store_key *key, struct table_cursor *out)
{
    if (table->root == NULL) {
        *out = (struct table_cursor){0};
        return;
    }
    struct table_rank rank = key_rank(key);
    out->leaf = leaf_of(table, &rank);
    out->index = leaf_find(out->leaf, &rank);
    while (out->leaf != NULL && out->index >= out->leaf->count) {
        out->leaf = out->leaf->next;
        out->index = 0;
    }
    values_prefetch(out);
}

bool
table_at(const struct table_cursor *at, struct table_entry *out)
{
    if (at->leaf == NULL) {
        return false;
    }
    entry_read(at->leaf, at->index, out);
    return true;
}

void
table_next(struct table_cursor *at)
{
    if (at->leaf == NULL) {
        return;
    }
    at->index++;
    if (at->index + SEEK_AHEAD <= at->leaf->count) {
        __builtin_prefetch(at->leaf->values[at->index + SEEK_AHEAD - 1]);
        return;
    }
    if (at->index < at->leaf->count) {
        return;
    }
    at->leaf = at->leaf->next;
    at->index = 0;
    if (at->leaf != NULL) {
        ASSERT(at->leaf->count > 0);
        __builtin_prefetch(at->leaf->next);
    }
}

/* -------------------------------------------------------------------------------------- putting */

static bool
state_dirty(enum table_state state)
{
    return state == TABLE_WRITTEN || state == TABLE_DELETED;
}

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

/* Whether the key, which is new, belongs right behind what was found or put last, in a leaf that
 * has room. Not behind a leaf's end: what its parent has between it and the next may be lower. */
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

/* The place of the key, or where it is to be. Whether it is there. */
static bool
path_find_place(const struct table *table, const struct table_rank *rank, struct path *out,
                unsigned *out_index)
{
    if (follows_latest(table, rank)) { /* the way there is not asked for: nothing will split */
        out->leaf = table->latest.leaf;
        *out_index = table->latest.index + 1;
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
    struct table_rank rank = key_rank(key);
    struct hint *hint = hint_of(table, key);
    struct path path;
    unsigned index;
    bool there = hint_good(hint, &rank);
    if (!there) {
        there = path_find_place(table, &rank, &path, &index);
        *hint = (struct hint){path.leaf, index};
    }
    if (there) {
        slot_replace(table, hint->leaf, hint->index, state, value);
        table->latest = *hint;
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
    *hint = (struct hint){path.leaf, index};
    table->latest = *hint;
    table->entries++;
    table->dirty_entries += state_dirty(state);
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

/* ------------------------------------------------------------------------------------- removing */

/* Node `level` (height: the leaf) of the path may have few left: joins it with a neighbour. Whether
 * they became one, so that the parent has lost a child. */
static bool
path_join(struct table *table, struct path *path, unsigned level)
{
    struct table_inner *parent = path->steps[level - 1].inner;
    unsigned right_index = path->steps[level - 1].index;
    right_index += right_index == 0;
    void *left = parent->children[right_index - 1];
    void *right = parent->children[right_index];
    struct table_slot *key = &parent->keys[right_index - 1];
    if (level == table->height) {
        if (!leaf_join(left, right, key)) {
            return false;
        }
        hints_forget(table, right);
        pool_give(&table->pool, right, sizeof(struct table_leaf));
    } else {
        if (!inner_join(left, right, key)) {
            return false;
        }
        pool_give(&table->pool, right, sizeof(struct table_inner));
    }
    inner_close(parent, right_index);
    return true;
}

static void
path_shrink(struct table *table, struct path *path)
{
    uint64_t count = path->leaf->count;
    for (unsigned level = table->height; level > 0 && count < NODE_FEW; level--) {
        if (!path_join(table, path, level)) {
            break;
        }
        count = path->steps[level - 1].inner->count;
    }
    if (table->height > 0) {
        struct table_inner *root = table->root;
        if (root->count == 1) {
            table->root = root->children[0];
            table->height--;
            pool_give(&table->pool, root, sizeof(*root));
        }
    }
}

bool
table_remove(struct table *table, const struct store_key *key)
{
    if (table->root == NULL) {
        return false;
    }
    struct table_rank rank = key_rank(key);
    struct path path;
    path_find(table, &rank, &path);
    unsigned index = leaf_find(path.leaf, &rank);
    if (!leaf_has(path.leaf, index, &rank)) {
        return false;
    }
    const struct table_slot *slot = &path.leaf->slots[index];
    if (path.leaf->values[index] != NULL) {
        pool_give(&table->pool, path.leaf->values[index], slot->value_bytes);
    }
    table->entries--;
    table->dirty_entries -= state_dirty(slot->state);
    leaf_close(path.leaf, index);
    path_shrink(table, &path);
    return true;
}

/* Takes out what was written up to `high`, from `index` on. */
static unsigned
leaf_drop(struct table *table, struct table_leaf *leaf, unsigned index,
          const struct table_rank *high)
{
    unsigned kept = index;
    unsigned at = index;
    for (; at < leaf->count; at++) {
        struct table_rank rank = slot_rank(&leaf->slots[at]);
        if (rank_less(high, &rank)) {
            break;
        }
        if (leaf->slots[at].state == TABLE_WRITTEN) {
            if (leaf->values[at] != NULL) {
                pool_give(&table->pool, leaf->values[at], leaf->slots[at].value_bytes);
            }
            continue;
        }
        leaf->slots[kept] = leaf->slots[at];
        leaf->values[kept++] = leaf->values[at];
    }
    unsigned dropped = at - kept;
    unsigned after = leaf->count - at;
    memmove(&leaf->slots[kept], &leaf->slots[at], after * sizeof(leaf->slots[0]));
    memmove(&leaf->values[kept], &leaf->values[at], after * sizeof(leaf->values[0]));
    leaf->count -= dropped;
    return dropped;
}

/* A leaf at a time. */
uint64_t
table_drop(struct table *table, const struct store_range *range)
{
    uint64_t dropped = 0;
    struct table_rank low = key_rank(&range->low);
    struct table_rank high = key_rank(&range->high);
    while (table->root != NULL && !rank_less(&high, &low)) {
        struct path path;
        path_find(table, &low, &path);
        unsigned count = leaf_drop(table, path.leaf, leaf_find(path.leaf, &low), &high);
        const struct table_leaf *next = path.leaf->next;
        bool more = next != NULL;
        low = more ? slot_rank(&next->slots[0]) : low;
        dropped += count;
        table->entries -= count;
        table->dirty_entries -= count;
        if (count > 0) {
            path_shrink(table, &path);
        }
        if (!more) {
            break;
        }
    }
    return dropped;
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
    return sizeof(*table) + pool_bytes(&table->pool);
}

/* ------------------------------------------------------------------------------------- validity */

/* What the walk over all leaves has seen. */
struct walk {
    const struct table_leaf *leaf; /* the one that must come next */
    struct table_rank last;
    bool begun;
    uint64_t entries;
    uint64_t dirty_entries;
};

static bool
walk_leaf(struct walk *walk, const struct table_leaf *leaf, bool alone)
{
    if (leaf != walk->leaf || leaf->count > LEAF_SLOTS || (leaf->count == 0 && !alone)) {
        return false;
    }
    for (unsigned i = 0; i < leaf->count; i++) {
        struct table_rank rank = slot_rank(&leaf->slots[i]);
        if ((walk->begun && !rank_less(&walk->last, &rank)) ||
            leaf->slots[i].state >= TABLE_STATES ||
            (leaf->slots[i].value_bytes > 0) != (leaf->values[i] != NULL)) {
            return false;
        }
        walk->last = rank;
        walk->begun = true;
        walk->dirty_entries += state_dirty(leaf->slots[i].state);
    }
    walk->entries += leaf->count;
    walk->leaf = leaf->next;
    return true;
}

/* The key before a child must be above all that has been walked, and at most the first key under
 * the child. */
static bool
walk_key(const struct walk *walk, const struct table_inner *inner, uint64_t index,
         const struct table_leaf *next)
{
    struct table_rank key = slot_rank(&inner->keys[index - 1]);
    struct table_rank first = slot_rank(&next->slots[0]);
    return rank_less(&walk->last, &key) && !rank_less(&first, &key);
}

static const struct table_leaf *
leftmost(const void *node, unsigned levels)
{
    for (; levels > 0; levels--) {
        node = ((const struct table_inner *)node)->children[0];
    }
    return node;
}

/* Checks an inner node once, when the walk enters it. */
static bool
walk_inner(const struct table_inner *inner, unsigned level)
{
    return inner->count <= INNER_CHILDREN && inner->count >= (level == 0 ? 2 : NODE_FEW);
}

/* Walks all that is below the root of a table with inner nodes. */
static bool
walk_tree(const struct table *table, struct walk *walk)
{
    struct path path = {.steps[0] = {.inner = table->root, .index = 0}};
    unsigned level = 0;
    for (;;) {
        const struct table_inner *inner = path.steps[level].inner;
        unsigned index = path.steps[level].index++;
        if (index == 0 && !walk_inner(inner, level)) {
            return false;
        }
        if (index == inner->count) {
            if (level-- == 0) {
                return true;
            }
            continue;
        }
        unsigned below = table->height - level - 1;
        void *child = inner->children[index];
        if (index > 0 && !walk_key(walk, inner, index, leftmost(child, below))) {
            return false;
        }
        if (below > 0) {
            level++;
            path.steps[level].inner = child;
            path.steps[level].index = 0;
        } else if (!walk_leaf(walk, child, false)) {
            return false;
        }
    }
}

bool
table_valid(const struct table *table)
{
    if (table->root == NULL) {
        return table->entries == 0 && table->height == 0;
    }
    struct walk walk = {.leaf = leftmost(table->root, table->height)};
    bool valid = table->height > 0 ? walk_tree(table, &walk) : walk_leaf(&walk, table->root, true);
    return valid && walk.leaf == NULL && walk.entries == table->entries &&
           walk.dirty_entries == table->dirty_entries;
}
