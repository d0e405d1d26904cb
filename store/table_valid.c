/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold of a table, for its tests. */
#include "store/table_priv.h"

/* What the walk over all leaves has seen. */
struct walk {
    const struct table_leaf *leaf; /* the one that must come next */
    struct table_rank last;
    bool begun;
    const struct table *table;
    bool latest_seen;
    uint64_t entries;
    uint64_t dirty_entries;
};

/* Whether the slot's record is its own, and found through the index. */
static bool
slot_valid(const struct table *table, const struct table_slot *slot)
{
    struct store_key key = slot_key(slot);
    const struct table_record *record = slot_record(slot);
    bool has = record->state == TABLE_WRITTEN || record->state == TABLE_FETCHED;
    return table_record_is(record, &key) && record->state < TABLE_STATES &&
           record->value_bytes <= TABLE_VALUE_BYTES_MAX && (has || record->value_bytes == 0) &&
           index_find(&table->index, &key, index_hash(&table->index, &key)) == record;
}

static bool
walk_leaf(struct walk *walk, const struct table_leaf *leaf, bool alone)
{
    if (leaf != walk->leaf || leaf->count > LEAF_SLOTS || (leaf->count == 0 && !alone)) {
        return false;
    }
    for (unsigned i = 0; i < leaf->count; i++) {
        struct table_rank rank = slot_rank(&leaf->slots[i]);
        if ((walk->begun && !rank_less(&walk->last, &rank)) ||
            !slot_valid(walk->table, &leaf->slots[i])) {
            return false;
        }
        walk->last = rank;
        walk->begun = true;
        walk->dirty_entries += state_dirty(slot_record(&leaf->slots[i])->state);
    }
    walk->latest_seen = walk->latest_seen || walk->table->latest.leaf == leaf;
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
        if (index > 0 && !walk_key(walk, inner, index, leaf_first(child, below))) {
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
        return table->entries == 0 && table->height == 0 && index_bytes(&table->index) == 0;
    }
    struct walk walk = {
        .leaf = leaf_first(table->root, table->height),
        .table = table,
        .latest_seen = table->latest.leaf == NULL,
    };
    bool valid = table->height > 0 ? walk_tree(table, &walk) : walk_leaf(&walk, table->root, true);
    return valid && walk.leaf == NULL && walk.entries == table->entries &&
           walk.dirty_entries == table->dirty_entries && walk.latest_seen &&
           index_valid(&table->index, table->entries);
}
