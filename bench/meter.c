/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/meter.h"

#include "runtime/check.h"

#include <math.h>

void
meter_look(const struct meter *meter, struct meter_look *sum)
{
    for (unsigned i = 0; i < METER_BUCKETS; i++) {
        sum->counts[i] += atomic_load_explicit(&meter->counts[i], memory_order_relaxed);
    }
}

void
meter_look_add(struct meter_look *sum, const struct meter_look *look)
{
    for (unsigned i = 0; i < METER_BUCKETS; i++) {
        sum->counts[i] += look->counts[i];
    }
}

uint64_t
meter_count(const struct meter_look *before, const struct meter_look *after)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < METER_BUCKETS; i++) {
        count += after->counts[i] - before->counts[i];
    }
    return count;
}

uint64_t
meter_percentile(const struct meter_look *before, const struct meter_look *after, double percent)
{
    ASSERT(percent >= 0.0 && percent <= 100.0);
    double rank = ceil((double)meter_count(before, after) * percent / 100.0);
    uint64_t wanted = rank < 1.0 ? 1 : (uint64_t)rank;
    uint64_t seen = 0;
    for (unsigned i = 0; i < METER_BUCKETS; i++) {
        seen += after->counts[i] - before->counts[i];
        if (seen >= wanted) {
            return bucket_end(i, METER_HALF_BITS);
        }
    }
    return 0;
}
