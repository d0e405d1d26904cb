/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/pool.h"

#include "runtime/slab.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void
pool_init(struct pool *pool, uint32_t record_bytes, uint32_t records_max)
{
    ASSERT(record_bytes > 0 && record_bytes % 64 == 0);
    ASSERT(records_max > 0 && records_max <= POOL_RECORDS_MAX);
    memset(pool, 0, sizeof *pool);
    pool->record_bytes = record_bytes;
    pool->records_max = records_max;
}

/* The first two have the same size, each further one that of all before it. */
static size_t
segment_first(unsigned segment)
{
    return segment == 0 ? 0 : (size_t)POOL_FIRST << (segment - 1);
}

static size_t
segment_bytes(const struct pool *pool, unsigned segment)
{
    return (segment == 0 ? (size_t)POOL_FIRST : segment_first(segment)) * pool->record_bytes;
}

void
pool_fini(struct pool *pool)
{
    for (unsigned segment = 0; segment < pool->segments; segment++) {
        uintptr_t first = pool->bases[segment] + (segment_first(segment) * pool->record_bytes);
        slab_unmap((void *)first,
                   segment_bytes(pool, segment)); // NOLINT(performance-no-int-to-ptr)
    }
    free(pool->used);
    memset(pool, 0, sizeof *pool);
}

static void
segment_add(struct pool *pool)
{
    ASSERT(pool->segments < POOL_SEGMENTS);
    unsigned segment = pool->segments++;
    size_t words = segment_first(pool->segments) / 64;
    pool->bases[segment] = (uintptr_t)slab_map(segment_bytes(pool, segment)) -
                           (segment_first(segment) * pool->record_bytes);
    pool->used = realloc(pool->used, words * sizeof *pool->used);
    ASSERT(pool->used != NULL && "out of memory");
}

static void
word_add(struct pool *pool)
{
    uint32_t word = pool->records / 64;
    if (pool->records == segment_first(pool->segments)) {
        segment_add(pool);
    }
    uint32_t left = pool->records_max - pool->records;
    pool->used[word] = word == 0;                             /* record 0 */
    pool->used[word] |= left < 64 ? ~(uint64_t)0 << left : 0; /* that are beyond the largest */
    pool->records += left < 64 ? left : 64;
}

static bool
is_scarce(const struct pool *pool)
{
    uint32_t free_least = pool->records / 8 > POOL_RESTING ? pool->records / 8 : POOL_RESTING;
    return pool->records - pool->used_count <= free_least && pool->records < pool->records_max;
}

void
pool_advance(struct pool *pool)
{
    ASSERT(pool->ahead == 0);
    ASSERT(pool->used_count + 1 < pool->records_max && "a pool is full");
    do {
        pool->word++;
        if (pool->word * 64 >= pool->records) {
            if (is_scarce(pool)) {
                pool->word = pool->records / 64;
                word_add(pool);
            } else {
                pool->word = 0;
            }
        }
        pool->ahead = ~pool->used[pool->word];
    } while (pool->ahead == 0);
}

uint32_t
pool_next(const struct pool *pool, uint32_t number)
{
    if (number >= pool->records) {
        return pool->records;
    }
    uint32_t word = number / 64;
    uint64_t used = pool->used[word] & (~(uint64_t)0 << number % 64);
    while (used == 0) {
        if (++word * 64 >= pool->records) {
            return pool->records;
        }
        used = pool->used[word];
    }
    uint32_t found = word * 64 + (uint32_t)__builtin_ctzll(used);
    return found < pool->records ? found : pool->records;
}
