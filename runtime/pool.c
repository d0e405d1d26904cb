/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/pool.h"

#include "runtime/slab.h"

#include <stdlib.h>
#include <string.h>

void
pool_init(struct pool *pool)
{
    memset(pool, 0, sizeof *pool);
}

/* The first two have the same size, each further one that of all before it. */
static size_t
segment_first(unsigned segment)
{
    return segment == 0 ? 0 : (size_t)POOL_FIRST << (segment - 1);
}

static size_t
segment_bytes(unsigned segment)
{
    return (segment == 0 ? (size_t)POOL_FIRST : segment_first(segment)) * POOL_RECORD_BYTES;
}

void
pool_fini(struct pool *pool)
{
    for (unsigned segment = 0; segment < pool->segments; segment++) {
        uintptr_t first = pool->bases[segment] + segment_first(segment) * POOL_RECORD_BYTES;
        slab_unmap((void *)first, segment_bytes(segment)); // NOLINT(performance-no-int-to-ptr)
    }
    free(pool->used);
    memset(pool, 0, sizeof *pool);
}

static void
grow(struct pool *pool)
{
    ASSERT(pool->segments < POOL_SEGMENTS && "a pool is full");
    size_t before = pool_records(pool) / 64;
    unsigned segment = pool->segments++;
    size_t words = pool_records(pool) / 64;
    pool->bases[segment] =
        (uintptr_t)slab_map(segment_bytes(segment)) - segment_first(segment) * POOL_RECORD_BYTES;
    pool->used = realloc(pool->used, words * sizeof *pool->used);
    ASSERT(pool->used != NULL && "out of memory");
    memset(pool->used + before, 0, (words - before) * sizeof *pool->used);
    pool->used[0] |= 1;
}

/* A round over the bits costs little beside what it finds: half of all records, or more. */
void
pool_advance(struct pool *pool)
{
    ASSERT(pool->ahead == 0);
    do {
        uint32_t words = pool_records(pool) / 64;
        pool->word++;
        if (pool->word >= words) {
            pool->word = words;
            if (words == 0 || pool->used_count > pool_records(pool) / 2) {
                grow(pool);
            } else {
                pool->word = 0;
            }
        }
        pool->ahead = ~pool->used[pool->word];
    } while (pool->ahead == 0);
}
