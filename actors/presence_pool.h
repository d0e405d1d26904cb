/* SPDX-License-Identifier: Apache-2.0 */
/* presence_pool.h - many small items of one size, named by numbers instead of addresses: four bytes
 * where a pointer has eight, and one block of memory.
 *
 *     struct presence_pool pool;
 *     presence_pool_init(&pool, sizeof(struct item));
 *     uint32_t number = presence_pool_take(&pool);                zeroed; never 0
 *     struct item *item = presence_pool_at(&pool, number);        until it is given back
 *     presence_pool_give(&pool, number);
 *
 * Items lie in chunks, so none ever moves and a pool grows without a pause. Empty, it holds no
 * memory. Without memory the node ends. One thread.
 */
#pragma once

#include "runtime/check.h"

#include <stddef.h>
#include <stdint.h>

enum { PRESENCE_POOL_CHUNK_BITS = 12 };

struct presence_pool {
    unsigned char **chunks;
    size_t item_bytes;
    uint32_t chunks_count;
    uint32_t begun; /* so many have been used once, the one of number 0 among them, which is none */
    uint32_t free;  /* the first of those that were given back; 0: none */
    uint32_t count; /* taken */
};

/* An item has four bytes at least. */
void presence_pool_init(struct presence_pool *pool, size_t item_bytes);
void presence_pool_fini(struct presence_pool *pool);

uint32_t presence_pool_take(struct presence_pool *pool);
void presence_pool_give(struct presence_pool *pool, uint32_t number);

uint64_t presence_pool_bytes(const struct presence_pool *pool);

static inline void *
presence_pool_at(const struct presence_pool *pool, uint32_t number)
{
    ASSERT_SLOW(number > 0 && number < pool->begun);
    unsigned char *chunk = pool->chunks[number >> PRESENCE_POOL_CHUNK_BITS];
    return chunk + (number & ((1U << PRESENCE_POOL_CHUNK_BITS) - 1)) * pool->item_bytes;
}
