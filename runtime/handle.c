/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/handle.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 2 * HANDLES_RESTING };

void
handle_table_init(struct handle_table *table)
{
    memset(table, 0, sizeof *table);
}

void
handle_table_fini(struct handle_table *table)
{
    free(table->slots);
    memset(table, 0, sizeof *table);
}

static void
grow(struct handle_table *table)
{
    uint32_t slots_max = table->slots_max == 0 ? SLOTS_FIRST : table->slots_max * 2;
    ASSERT(slots_max > table->slots_max);
    struct handle_slot *slots = realloc(table->slots, slots_max * sizeof *slots);
    ASSERT(slots != NULL && "out of memory");
    table->slots = slots;
    table->slots_max = slots_max;
}

uint64_t
handle_new(struct handle_table *table, void *object)
{
    ASSERT(object != NULL);
    uint32_t index;
    if (table->free_count > HANDLES_RESTING) {
        index = table->free_first - 1;
        table->free_first = table->slots[index].next_free;
        table->free_count--;
    } else {
        if (table->slots_used == table->slots_max) {
            grow(table);
        }
        index = table->slots_used++;
        table->slots[index].generation = 0;
    }
    struct handle_slot *slot = &table->slots[index];
    slot->object = object;
    slot->next_free = 0;
    table->count++;
    return (uint64_t)slot->generation << 32 | (index + 1);
}

static struct handle_slot *
find(const struct handle_table *table, uint64_t handle)
{
    uint32_t index = (uint32_t)handle - 1;
    if (handle == 0 || index >= table->slots_used) {
        return NULL;
    }
    struct handle_slot *slot = &table->slots[index];
    return slot->object != NULL && slot->generation == handle >> 32 ? slot : NULL;
}

void *
handle_get(const struct handle_table *table, uint64_t handle)
{
    const struct handle_slot *slot = find(table, handle);
    return slot != NULL ? slot->object : NULL;
}

void *
handle_free(struct handle_table *table, uint64_t handle)
{
    struct handle_slot *slot = find(table, handle);
    if (slot == NULL) {
        return NULL;
    }
    void *object = slot->object;
    slot->object = NULL;
    slot->generation++;
    slot->next_free = 0;
    if (table->free_count++ == 0) {
        table->free_first = (uint32_t)handle;
    } else {
        table->slots[table->free_last - 1].next_free = (uint32_t)handle;
    }
    table->free_last = (uint32_t)handle;
    ASSERT(table->count > 0);
    table->count--;
    return object;
}
