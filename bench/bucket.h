/* SPDX-License-Identifier: Apache-2.0 */
/* bucket.h - the buckets of a log-linear histogram: which one a value falls into, and where it
 * ends.
 *
 * With `half_bits` h, values below 2^(h+1) each have a bucket, above that every power of two is cut
 * into 2^h equal ones: the error of a value told by its bucket's end is below 1/2^h.
 *
 * With `shift` such that value >> shift lies in 2^h .. 2^(h+1)-1 (0 for small values), the bucket
 * is shift * 2^h + (value >> shift).
 */
#pragma once

#include <stdint.h>

enum {
    /* Greater values count as the greatest that can be told: 2^42 ns is over an hour. */
    BUCKET_VALUE_BITS = 42,
};
static const uint64_t bucket_value_max = ((uint64_t)1 << BUCKET_VALUE_BITS) - 1;

/* How many there are. */
#define BUCKET_COUNT(half_bits) ((BUCKET_VALUE_BITS - (half_bits) + 1) << (half_bits))

/* `value` is bucket_value_max at most. */
static inline unsigned
bucket_of(uint64_t value, unsigned half_bits)
{
    if (value >> (half_bits + 1) == 0) {
        return (unsigned)value;
    }
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - half_bits;
    return (unsigned)((shift << half_bits) + (value >> shift));
}

/* The greatest value of a bucket. */
static inline uint64_t
bucket_end(unsigned bucket, unsigned half_bits)
{
    if (bucket >> (half_bits + 1) == 0) {
        return bucket;
    }
    unsigned shift = (bucket >> half_bits) - 1;
    uint64_t mantissa = bucket - ((uint64_t)shift << half_bits);
    return ((mantissa + 1) << shift) - 1;
}
