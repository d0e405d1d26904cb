/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - records of one cache line each, by number, handed out in the order of their addresses.
 *
 * A slab gives the block that was freed last, which is warm as long as there are few. Who frees a
 * million of them at random gets them back at random, at a cache miss each. Here a bit tells
 * whether a record is free, and a cursor goes round over the bits: neighbours in time are
 * neighbours in memory, whatever the order in which they were freed.
 *
 * The pool grows while more than half of it is in use when the cursor has come round. So a number
 * comes again after at least half as many others as there are records, POOL_FIRST / 2 at least. A
 * record's memory is never given to anything else before pool_fini, and is zeroed once, in the
 * beginning: what its user leaves in it, a generation, is there when its number comes again. Record
 * 0 is nobody's. One scheduler's; no locks.
 */
#pragma once

#include "runtime/check.h"

#include <stdint.h>

enum {
    POOL_RECORD_BYTES = 64,
    POOL_RECORD_BITS = 6,
    POOL_FIRST_BITS = 10,
    POOL_FIRST = 1 << POOL_FIRST_BITS,
    POOL_SEGMENTS = 21, /* each doubles the whole: 2^30 records */
};

struct pool {
    /* Of each segment the address where record 0 would be, were it in this one. */
    uintptr_t bases[POOL_SEGMENTS];
    uint64_t *used; /* a bit per record */
    uint64_t ahead; /* of the word at the cursor: what was free when the cursor came to it */
    uint32_t word;  /* the cursor */
    uint32_t segments;
    uint32_t used_count; /* without record 0 */
};

void pool_init(struct pool *pool);
void pool_fini(struct pool *pool);

/* How many records there are, record 0 included; numbers are below it. */
static inline uint32_t
pool_records(const struct pool *pool)
{
    return pool->segments == 0 ? 0 : (uint32_t)POOL_FIRST << (pool->segments - 1);
}

static inline uint64_t
pool_bytes_mapped(const struct pool *pool)
{
    return (uint64_t)pool_records(pool) * POOL_RECORD_BYTES;
}
static inline uint64_t
pool_bytes_used(const struct pool *pool)
{
    return (uint64_t)pool->used_count * POOL_RECORD_BYTES;
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

/* The record of a number below pool_records, in use or not. */
static inline void *
pool_at(const struct pool *pool, uint32_t number)
{
    unsigned segment = 32u - POOL_FIRST_BITS - (unsigned)__builtin_clz(number | (POOL_FIRST - 1));
    uintptr_t at = pool->bases[segment] + ((uintptr_t)number << POOL_RECORD_BITS);
    return (void *)at; // NOLINT(performance-no-int-to-ptr)
}
