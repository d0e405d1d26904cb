/* SPDX-License-Identifier: Apache-2.0 */
/* The searches halve without branching: on random keys every branch would be guessed wrong half of
 * the time, and that costs more than the few comparisons too many. */
#include "store/table_node.h"

#include <string.h>

/* How many of the slots come before the rank. */
static inline unsigned
slots_before(const struct table_slot *slots, unsigned count, const struct table_rank *rank)
{
    unsigned base = 0;
    while (count > 1) {
        unsigned half = count / 2;
        struct table_rank probe = slot_rank(&slots[base + half - 1]);
        base += rank_less(&probe, rank) ? half : 0;
        count -= half;
    }
    if (count == 1) {
        struct table_rank probe = slot_rank(&slots[base]);
        base += rank_less(&probe, rank);
    }
    return base;
}

unsigned
leaf_find(const struct table_leaf *leaf, const struct table_rank *rank)
{
    return slots_before(leaf->slots, leaf->count, rank);
}

unsigned
inner_find(const struct table_inner *inner, const struct table_rank *rank)
{
    unsigned keys = (unsigned)inner->count - 1;
    unsigned index = slots_before(inner->keys, keys, rank);
    if (index < keys) {
        struct table_rank key = slot_rank(&inner->keys[index]);
        index += rank_equal(&key, rank);
    }
    return index;
}

void
leaf_open(struct table_leaf *leaf, unsigned index)
{
    size_t after = leaf->count - index;
    memmove(&leaf->slots[index + 1], &leaf->slots[index], after * sizeof(leaf->slots[0]));
    leaf->count++;
}

void
leaf_close(struct table_leaf *leaf, unsigned index)
{
    size_t after = leaf->count - index - 1;
    memmove(&leaf->slots[index], &leaf->slots[index + 1], after * sizeof(leaf->slots[0]));
    leaf->count--;
}

void
inner_open(struct table_inner *inner, unsigned index, const struct table_slot *key, void *child)
{
    size_t after = inner->count - index;
    memmove(&inner->keys[index], &inner->keys[index - 1], after * sizeof(inner->keys[0]));
    memmove(&inner->children[index + 1], &inner->children[index], after * sizeof(void *));
    inner->keys[index - 1] = *key;
    inner->children[index] = child;
    inner->count++;
}

void
inner_close(struct table_inner *inner, unsigned index)
{
    size_t after = inner->count - index - 1;
    memmove(&inner->keys[index - 1], &inner->keys[index], after * sizeof(inner->keys[0]));
    memmove(&inner->children[index], &inner->children[index + 1], after * sizeof(void *));
    inner->count--;
}

/* ------------------------------------------------------------------------------- two neighbours */

/* The first `moved` slots of right go to the end of left. */
static void
leaf_move_left(struct table_leaf *left, struct table_leaf *right, unsigned moved)
{
    unsigned stay = right->count - moved;
    memcpy(&left->slots[left->count], right->slots, moved * sizeof(left->slots[0]));
    memmove(right->slots, &right->slots[moved], stay * sizeof(right->slots[0]));
    left->count += moved;
    right->count = stay;
}

/* The last `moved` slots of left go to the start of right. */
static void
leaf_move_right(struct table_leaf *left, struct table_leaf *right, unsigned moved)
{
    unsigned stay = left->count - moved;
    memmove(&right->slots[moved], right->slots, right->count * sizeof(right->slots[0]));
    memcpy(right->slots, &left->slots[stay], moved * sizeof(left->slots[0]));
    left->count = stay;
    right->count += moved;
}

void
leaf_split(struct table_leaf *leaf, struct table_leaf *right, unsigned index)
{
    right->count = 0;
    right->next = leaf->next;
    leaf->next = right;
    leaf_move_right(leaf, right, index == leaf->count ? 0 : leaf->count / 2);
}

bool
leaf_join(struct table_leaf *left, struct table_leaf *right, struct table_slot *key)
{
    if (left->count + right->count <= LEAF_SLOTS) {
        leaf_move_left(left, right, right->count);
        left->next = right->next;
        return true;
    }
    if (left->count < right->count) {
        leaf_move_left(left, right, (right->count - left->count) / 2);
    } else {
        leaf_move_right(left, right, (left->count - right->count) / 2);
    }
    *key = right->slots[0];
    return false;
}

/* The first `moved` children of right go to the end of left; *key, between the two, moves along. */
static void
inner_move_left(struct table_inner *left, struct table_inner *right, size_t moved,
                struct table_slot *key)
{
    size_t stay = right->count - moved;
    left->keys[left->count - 1] = *key;
    memcpy(&left->keys[left->count], right->keys, (moved - 1) * sizeof(left->keys[0]));
    memcpy(&left->children[left->count], right->children, moved * sizeof(void *));
    left->count += moved;
    right->count = stay;
    if (stay > 0) {
        *key = right->keys[moved - 1];
        memmove(right->keys, &right->keys[moved], (stay - 1) * sizeof(right->keys[0]));
        memmove(right->children, &right->children[moved], stay * sizeof(void *));
    }
}

/* The last `moved` children of left go to the start of right, which may be empty. */
static void
inner_move_right(struct table_inner *left, struct table_inner *right, size_t moved,
                 struct table_slot *key)
{
    size_t stay = left->count - moved;
    if (right->count > 0) {
        memmove(&right->keys[moved], right->keys, (right->count - 1) * sizeof(right->keys[0]));
        memmove(&right->children[moved], right->children, right->count * sizeof(void *));
        right->keys[moved - 1] = *key;
    }
    *key = left->keys[stay - 1];
    memcpy(right->keys, &left->keys[stay], (moved - 1) * sizeof(left->keys[0]));
    memcpy(right->children, &left->children[stay], moved * sizeof(void *));
    left->count = stay;
    right->count += moved;
}

void
inner_split(struct table_inner *inner, struct table_inner *right, unsigned index,
            struct table_slot *out_key)
{
    right->count = 0;
    inner_move_right(inner, right, index == inner->count ? NODE_FEW : inner->count / 2, out_key);
}

bool
inner_join(struct table_inner *left, struct table_inner *right, struct table_slot *key)
{
    if (left->count + right->count <= INNER_CHILDREN) {
        inner_move_left(left, right, right->count, key);
        return true;
    }
    if (left->count < right->count) {
        inner_move_left(left, right, (right->count - left->count) / 2, key);
    } else {
        inner_move_right(left, right, (left->count - right->count) / 2, key);
    }
    return false;
}
