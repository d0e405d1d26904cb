/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/presence_pool.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 64 };

void
presence_pool_init(struct presence_pool *pool, size_t item_bytes)
{
    ASSERT(item_bytes >= sizeof(uint32_t));
    *pool = (struct presence_pool){.item_bytes = item_bytes};
}

void
presence_pool_fini(struct presence_pool *pool)
{
    free(pool->items);
    presence_pool_init(pool, pool->item_bytes);
}

static void
grow(struct presence_pool *pool)
{
    ASSERT(pool->room <= UINT32_MAX / 2);
    pool->room = pool->room == 0 ? ROOM_FIRST : pool->room * 2;
    pool->items = realloc(pool->items, pool->room * pool->item_bytes);
    ASSERT(pool->items != NULL && "out of memory");
    if (pool->begun == 0) {
        pool->begun = 1; /* 0 is none */
    }
}

uint32_t
presence_pool_take(struct presence_pool *pool)
{
    uint32_t number = pool->free;
    if (number == 0) {
        if (pool->begun == pool->room) {
            grow(pool);
        }
        number = pool->begun++;
    } else {
        memcpy(&pool->free, presence_pool_at(pool, number), sizeof pool->free);
    }
    memset(presence_pool_at(pool, number), 0, pool->item_bytes);
    pool->count++;
    return number;
}

void
presence_pool_give(struct presence_pool *pool, uint32_t number)
{
    memcpy(presence_pool_at(pool, number), &pool->free, sizeof pool->free);
    pool->free = number;
    pool->count--;
    if (pool->count == 0) {
        presence_pool_fini(pool);
    }
}
