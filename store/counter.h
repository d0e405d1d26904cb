/* SPDX-License-Identifier: Apache-2.0 */
/* counter.h - numbers that one thread at a time writes and any thread may look at.
 *
 * Each is read by itself: no order between two of them is promised, so everything is relaxed. The
 * writer's load and store are no read-modify-write, since nobody else writes.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

struct counter {
    _Atomic uint64_t value;
};

static inline uint64_t
counter_get(const struct counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_relaxed);
}

static inline void
counter_set(struct counter *counter, uint64_t value)
{
    atomic_store_explicit(&counter->value, value, memory_order_relaxed);
}

static inline void
counter_add(struct counter *counter, uint64_t more)
{
    counter_set(counter, counter_get(counter) + more);
}

/* Keeps the larger one. */
static inline void
counter_max(struct counter *counter, uint64_t value)
{
    if (value > counter_get(counter)) {
        counter_set(counter, value);
    }
}
