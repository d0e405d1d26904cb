/* SPDX-License-Identifier: Apache-2.0 */
#include "store/group_left.h"

enum { ROW_BYTES = 2 * sizeof(uint64_t) };

/* The record as it stands; what it points to is good until the ledger's next change. */
struct list {
    uint32_t count;
    const unsigned char *rows;
};

static void
list_decode(struct store_value value, struct list *out)
{
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_LEFT);
    out->count = cursor_get_u32(&in);
    ASSERT(out->count <= GROUP_LEFT_MAX);
    out->rows = cursor_get_bytes(&in, (size_t)out->count * ROW_BYTES);
    int error = cursor_in_end(&in);
    ASSERT(error == 0);
}

static struct group_left
list_at(const struct list *list, uint32_t index)
{
    struct group_left left;
    struct cursor_in in;
    ASSERT(index < list->count);
    cursor_in_init(&in, list->rows + (size_t)index * ROW_BYTES, ROW_BYTES);
    left.user = cursor_get_u64(&in);
    left.last = cursor_get_u64(&in);
    return left;
}

static struct list
list_get(const struct ledger *ledger, uint64_t group)
{
    struct store_key key = group_left_key(ledger, group);
    struct store_value value;
    struct list list = {0};
    if (ledger_get(ledger, &key, &value)) {
        list_decode(value, &list);
    }
    return list;
}

bool
group_left_peek(const struct ledger *ledger, uint64_t group, uint32_t index, struct group_left *out)
{
    struct store_key key = group_left_key(ledger, group);
    struct store_value value;
    struct list list;
    if (delta_get(ledger->delta, &key, &value) != DELTA_PRESENT) {
        return false;
    }
    list_decode(value, &list);
    if (index >= list.count) {
        return false;
    }
    *out = list_at(&list, index);
    return true;
}

uint32_t
group_left_count(const struct ledger *ledger, uint64_t group)
{
    return list_get(ledger, group).count;
}

static void
row_put(struct cursor_out *out, const struct group_left *left)
{
    cursor_put_u64(out, left->user);
    cursor_put_u64(out, left->last);
}

/* Without the user, and without whom messages up to `low` alone are left of; with `added` at the
 * end, if there is one, and then without the first where the list is full. */
static void
list_write(struct ledger *ledger, struct effects *effects, uint64_t group, uint64_t user,
           uint64_t low, const struct group_left *added)
{
    struct store_key key = group_left_key(ledger, group);
    struct list list = list_get(ledger, group);
    uint32_t count = added != NULL;
    for (uint32_t i = 0; i < list.count; i++) {
        struct group_left left = list_at(&list, i);
        count += left.user != user && left.last > low;
    }
    if (count == 0) {
        group_left_forget(ledger, group);
        return;
    }
    uint32_t over = count > GROUP_LEFT_MAX;
    size_t bytes = RECORD_HEADER_BYTES + sizeof(uint32_t) + (size_t)count * ROW_BYTES;
    unsigned char *record = effects_scratch(effects, bytes);
    struct cursor_out out;
    cursor_out_init(&out, record, bytes);
    record_begin(&out, RECORD_LEFT);
    cursor_put_u32(&out, count - over);
    for (uint32_t i = 0; i < list.count; i++) {
        struct group_left left = list_at(&list, i);
        if (left.user == user || left.last <= low) {
            continue;
        }
        if (over > 0) {
            over--;
        } else {
            row_put(&out, &left);
        }
    }
    if (added != NULL) {
        row_put(&out, added);
    }
    ledger_put(ledger, &key, record, cursor_out_end(&out));
}

void
group_left_add(struct ledger *ledger, struct effects *effects, uint64_t group,
               const struct group_left *left)
{
    list_write(ledger, effects, group, left->user, 0, left);
}

void
group_left_prune(struct ledger *ledger, struct effects *effects, uint64_t group, uint64_t log_low)
{
    struct group_left first; /* who has left first has the fewest */
    if (group_left_peek(ledger, group, 0, &first) && first.last <= log_low) {
        list_write(ledger, effects, group, 0, log_low, NULL);
    }
}

void
group_left_remove(struct ledger *ledger, struct effects *effects, uint64_t group, uint64_t user)
{
    if (group_left_count(ledger, group) > 0) {
        list_write(ledger, effects, group, user, 0, NULL);
    }
}

void
group_left_forget(struct ledger *ledger, uint64_t group)
{
    struct store_key key = group_left_key(ledger, group);
    if (group_left_count(ledger, group) > 0) {
        ledger_delete(ledger, &key);
    }
}
