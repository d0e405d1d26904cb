/* SPDX-License-Identifier: Apache-2.0 */
/* meter.h - a coarse histogram that others may look at while it grows: what a second's percentiles
 * are taken from.
 *
 *     meter_record(&meter, delay_ns);                      its thread
 *     meter_look(&meter, &now);                            another one, each second
 *     p99_ns = meter_percentile(&before, &now, 99);        of what came between two looks
 *
 * Counts only grow, so nothing has to be reset and nobody waits: what came between two looks is the
 * difference. Log-linear (bucket.h), told at most 1/32 too high. 4.8 KiB.
 */
#pragma once

#include "bench/bucket.h"

#include <stdatomic.h>
#include <stdint.h>

enum { METER_HALF_BITS = 5, METER_BUCKETS = BUCKET_COUNT(METER_HALF_BITS) };

/* Zero is empty. Filled by one thread. */
struct meter {
    _Atomic uint32_t counts[METER_BUCKETS];
};

/* What it had counted at some time; the counts may have wrapped around, their differences not. */
struct meter_look {
    uint32_t counts[METER_BUCKETS];
};

static inline void
meter_record(struct meter *meter, uint64_t value)
{
    value = value < bucket_value_max ? value : bucket_value_max;
    _Atomic uint32_t *count = &meter->counts[bucket_of(value, METER_HALF_BITS)];
    /* One writer: no atomic addition is needed, only that lookers see whole words. */
    atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

/* Adds what the meter has counted to *sum: looks at several meters are one. Any thread. */
void meter_look(const struct meter *meter, struct meter_look *sum);
/* Adds a look to another. */
void meter_look_add(struct meter_look *sum, const struct meter_look *look);
/* How many values came between two looks. */
uint64_t meter_count(const struct meter_look *before, const struct meter_look *after);
/* The least value that at least `percent` of them are not above; 0 when there were none. */
uint64_t meter_percentile(const struct meter_look *before, const struct meter_look *after,
                          double percent);
