/* SPDX-License-Identifier: Apache-2.0 */
/* Taking out: a node that has few left joins a neighbour or evens out with it. */
#include "store/table_priv.h"

#include <string.h>

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
        table->latest.leaf = NULL; /* it may be that one */
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

/* Takes it out of everything but its leaf. */
static void
record_remove(struct table *table, struct table_record *record)
{
    index_remove(&table->index, record);
    table->entries--;
    table->dirty_entries -= state_dirty(record->state);
    table_record_free(&table->pool, record);
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
    record_remove(table, slot_record(&path.leaf->slots[index]));
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
        struct table_record *record = slot_record(&leaf->slots[at]);
        if (record->state == TABLE_WRITTEN) {
            record_remove(table, record);
        } else {
            leaf->slots[kept++] = leaf->slots[at];
        }
    }
    unsigned dropped = at - kept;
    size_t after = leaf->count - at;
    memmove(&leaf->slots[kept], &leaf->slots[at], after * sizeof(leaf->slots[0]));
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
        if (count > 0) {
            path_shrink(table, &path);
        }
        if (!more) {
            break;
        }
    }
    return dropped;
}
