/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/histogram.h"

#include "runtime/check.h"

#include <math.h>

void
histogram_record(struct histogram *histogram, uint64_t value)
{
    if (value > bucket_value_max) {
        value = bucket_value_max;
    }
    if (histogram->count == 0 || value < histogram->least) {
        histogram->least = value;
    }
    if (value > histogram->greatest) {
        histogram->greatest = value;
    }
    histogram->count++;
    histogram->sum += value;
    unsigned bucket = bucket_of(value, HISTOGRAM_HALF_BITS);
    ASSERT(bucket < HISTOGRAM_BUCKETS);
    histogram->counts[bucket]++;
}

void
histogram_merge(struct histogram *histogram, const struct histogram *from)
{
    if (from->count == 0) {
        return;
    }
    if (histogram->count == 0 || from->least < histogram->least) {
        histogram->least = from->least;
    }
    if (from->greatest > histogram->greatest) {
        histogram->greatest = from->greatest;
    }
    histogram->count += from->count;
    histogram->sum += from->sum;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        histogram->counts[i] += from->counts[i];
    }
}

bool
histogram_valid(const struct histogram *histogram)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (histogram->counts[i] > histogram->count - count) {
            return false;
        }
        count += histogram->counts[i];
    }
    if (count != histogram->count) {
        return false;
    }
    if (count == 0) {
        return histogram->sum == 0 && histogram->least == 0 && histogram->greatest == 0;
    }
    return histogram->least <= histogram->greatest && histogram->greatest <= bucket_value_max &&
           histogram->counts[bucket_of(histogram->least, HISTOGRAM_HALF_BITS)] > 0 &&
           histogram->counts[bucket_of(histogram->greatest, HISTOGRAM_HALF_BITS)] > 0;
}

uint64_t
histogram_percentile(const struct histogram *histogram, double percent)
{
    ASSERT(percent >= 0.0 && percent <= 100.0);
    double rank = ceil((double)histogram->count * percent / 100.0);
    uint64_t wanted = rank < 1.0 ? 1 : (uint64_t)rank;
    uint64_t seen = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS && histogram->count > 0; i++) {
        seen += histogram->counts[i];
        if (seen >= wanted) {
            uint64_t end = bucket_end(i, HISTOGRAM_HALF_BITS);
            return end < histogram->greatest ? end : histogram->greatest;
        }
    }
    return histogram->greatest;
}

uint64_t
histogram_mean(const struct histogram *histogram)
{
    return histogram->count == 0 ? 0 : histogram->sum / histogram->count;
}
