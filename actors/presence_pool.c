/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/presence_pool.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_ITEMS = 1 << PRESENCE_POOL_CHUNK_BITS };

void
presence_pool_init(struct presence_pool *pool, size_t item_bytes)
{
    ASSERT(item_bytes >= sizeof(uint32_t));
    *pool = (struct presence_pool){.item_bytes = item_bytes};
}

void
presence_pool_fini(struct presence_pool *pool)
{
    for (uint32_t i = 0; i < pool->chunks_count; i++) {
        free(pool->chunks[i]);
    }
    free(pool->chunks);
    presence_pool_init(pool, pool->item_bytes);
}

uint64_t
presence_pool_bytes(const struct presence_pool *pool)
{
    return pool->chunks_count * (CHUNK_ITEMS * pool->item_bytes + sizeof(pool->chunks[0]));
}

static void
grow(struct presence_pool *pool)
{
    uint32_t count = pool->chunks_count + 1;
    ASSERT(count < UINT32_MAX / CHUNK_ITEMS);
    pool->chunks = realloc(pool->chunks, count * sizeof(pool->chunks[0]));
    ASSERT(pool->chunks != NULL && "out of memory");
    pool->chunks[pool->chunks_count] = malloc(CHUNK_ITEMS * pool->item_bytes);
    ASSERT(pool->chunks[pool->chunks_count] != NULL && "out of memory");
    pool->chunks_count = count;
    if (pool->begun == 0) {
        pool->begun = 1; /* 0 is none */
    }
}

uint32_t
presence_pool_take(struct presence_pool *pool)
{
    uint32_t number = pool->free;
    if (number == 0) {
        if (pool->begun == pool->chunks_count * CHUNK_ITEMS) {
            grow(pool);
        }
        number = pool->begun++;
    } else {
        memcpy(&pool->free, presence_pool_at(pool, number), sizeof(pool->free));
    }
    memset(presence_pool_at(pool, number), 0, pool->item_bytes);
    pool->count++;
    return number;
}

void
presence_pool_give(struct presence_pool *pool, uint32_t number)
{
    memcpy(presence_pool_at(pool, number), &pool->free, sizeof(pool->free));
    pool->free = number;
    pool->count--;
    if (pool->count == 0) {
        presence_pool_fini(pool);
    }
}
