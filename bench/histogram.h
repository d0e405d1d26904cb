/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.h - how often which value came, exact to less than one percent at any size.
 *
 *     histogram_record(&histogram, now_ns - intended_ns);
 *     histogram_merge(&all, &histogram);
 *     p99_ns = histogram_percentile(&all, 99.0);
 *
 * Log-linear (bucket.h): every power of two is cut into 128 equal buckets. So recording is a shift
 * and an increment, the error is bounded relative to the value, and two histograms merge by adding.
 * The greatest and the least value are kept exactly.
 *
 * Plain memory of one thread, 35 KiB.
 */
#pragma once

#include "bench/bucket.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    /* 2^7 buckets per power of two: an error below 1/128. */
    HISTOGRAM_HALF_BITS = 7,
    HISTOGRAM_BUCKETS = BUCKET_COUNT(HISTOGRAM_HALF_BITS),
};

/* Zero is empty. */
struct histogram {
    uint64_t count;
    uint64_t sum;
    uint64_t least;
    uint64_t greatest;
    uint64_t counts[HISTOGRAM_BUCKETS];
};

void histogram_record(struct histogram *histogram, uint64_t value);
/* Adds what `from` has. */
void histogram_merge(struct histogram *histogram, const struct histogram *from);

/* Whether bytes from elsewhere are a histogram: its parts agree with each other. */
bool histogram_valid(const struct histogram *histogram);

/* The least value that at least `percent` of all are not above: the upper end of its bucket, never
 * beyond the greatest recorded. 0 when it is empty. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);
uint64_t histogram_mean(const struct histogram *histogram);
