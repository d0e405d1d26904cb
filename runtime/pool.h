/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - records of whole cache lines, by number, handed out in the order of their addresses.
 *
 * A slab gives the block that was freed last, which is warm as long as there are few. Who frees a
 * million of them at random gets them back at random, at a cache miss each. Here a bit tells
 * whether a record is free, and a cursor goes round over the bits: neighbours in time are
 * neighbours in memory, whatever the order in which they were freed.
 *
 * When the cursor has come round, the pool grows by as many records as a word has bits, unless one
 * of eight is free, POOL_RESTING at least: so it stays warm, words are not looked at in vain, and a
 * number comes again only after so many others, taken and given back in whatever order. Memory for
 * it is mapped in segments that double. A pool that has grown to its largest is used to the last
 * record, and its user sees to it that there is one. A record's memory is never given to anything
 * else before pool_fini, and is zeroed once, in the beginning: what its user leaves in it, a
 * generation, is there when its number comes again. Record 0 is nobody's, but may be read. One
 * scheduler's; no locks.
 */
#pragma once

#include "runtime/check.h"

#include <stdint.h>

enum {
    POOL_FIRST_BITS = 10,
    POOL_FIRST = 1 << POOL_FIRST_BITS,
    POOL_SEGMENTS = 21,         /* each doubles the whole */
    POOL_RECORDS_MAX = 1 << 30, /* with all of them */
    POOL_RESTING = POOL_FIRST / 2,
};

struct pool {
    /* Of each segment the address where record 0 would be, were it in this one. */
    uintptr_t bases[POOL_SEGMENTS];
    uint64_t *used; /* a bit per record */
    uint64_t ahead; /* of the word at the cursor: what was free when the cursor came to it */
    uint32_t word;  /* the cursor */
    uint32_t segments;
    uint32_t records, records_max; /* what it may become */
    uint32_t record_bytes;
    uint32_t used_count; /* without record 0 */
};

/* `record_bytes`: whole cache lines. */
void pool_init(struct pool *pool, uint32_t record_bytes, uint32_t records_max);
void pool_fini(struct pool *pool);

/* How many records there are, used and free, record 0 included; numbers are below it. */
static inline uint32_t
pool_records(const struct pool *pool)
{
    return pool->records;
}

static inline uint64_t
pool_bytes_mapped(const struct pool *pool)
{
    uint64_t records = pool->segments == 0 ? 0 : (uint64_t)POOL_FIRST << (pool->segments - 1);
    return records * pool->record_bytes;
}
static inline uint64_t
pool_bytes_used(const struct pool *pool)
{
    return (uint64_t)pool->used_count * pool->record_bytes;
}

/* Finds free records for pool_take. */
void pool_advance(struct pool *pool);

/* A free record's number. Without memory the node ends. */
static inline uint32_t
pool_take(struct pool *pool)
{
    if (pool->ahead == 0) {
        pool_advance(pool);
    }
    uint64_t bit = pool->ahead & -pool->ahead;
    pool->ahead ^= bit;
    pool->used[pool->word] |= bit;
    pool->used_count++;
    return pool->word * 64 + (uint32_t)__builtin_ctzll(bit);
}

static inline void
pool_give(struct pool *pool, uint32_t number)
{
    uint64_t bit = (uint64_t)1 << number % 64;
    ASSERT((pool->used[number / 64] & bit) != 0 && number != 0);
    pool->used[number / 64] ^= bit;
    pool->used_count--;
}

/* The record of a number below pool_records, in use or not. `record_bytes`: the pool's, once more,
 * as a constant. */
static inline void *
pool_at(const struct pool *pool, uint32_t number, uint32_t record_bytes)
{
    ASSERT_SLOW(record_bytes == pool->record_bytes);
    unsigned segment = 32u - POOL_FIRST_BITS - (unsigned)__builtin_clz(number | (POOL_FIRST - 1));
    uintptr_t at = pool->bases[segment] + (uintptr_t)number * record_bytes;
    return (void *)at; // NOLINT(performance-no-int-to-ptr)
}

/* The first number from `number` on that is in use; pool_records when there is none. */
uint32_t pool_next(const struct pool *pool, uint32_t number);
