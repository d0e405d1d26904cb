/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/limiter.h"

#include "runtime/check.h"

#include <stdlib.h>

#define NS_PER_MS UINT64_C(1000000)

void
limiter_init(struct limiter *limiter, uint32_t entries)
{
    *limiter = (struct limiter){.sets = (entries + LIMITER_WAYS - 1) / LIMITER_WAYS};
    ASSERT(limiter->sets > 0);
    size_t places = (size_t)limiter->sets * LIMITER_WAYS;
    limiter->keys = calloc(places, sizeof limiter->keys[0]);
    limiter->buckets = calloc(places, sizeof limiter->buckets[0]);
    ASSERT(limiter->keys != NULL && limiter->buckets != NULL);
}

void
limiter_fini(struct limiter *limiter)
{
    free(limiter->keys);
    free(limiter->buckets);
    *limiter = (struct limiter){0};
}

/* Fibonacci's multiplier: ids are counted up. */
static size_t
set_of(const struct limiter *limiter, uint64_t key)
{
    uint64_t spread = key * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)((spread >> 32) * limiter->sets >> 32) * LIMITER_WAYS;
}

/* Entries don't depend on each other, so no order is asked for. */
static uint64_t
get(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static void
set(_Atomic uint64_t *value, uint64_t to)
{
    atomic_store_explicit(value, to, memory_order_relaxed);
}

/* The key's place, or -1. */
static int64_t
find(const struct limiter *limiter, uint64_t key)
{
    size_t first = set_of(limiter, key);
    for (size_t i = first; i < first + LIMITER_WAYS; i++) {
        if (get(&limiter->keys[i].key) == key) {
            return (int64_t)i;
        }
    }
    return -1;
}

/* When all that was taken there will have come back. */
static uint64_t
rests_at_ns(const struct limiter *limiter, size_t place)
{
    uint64_t last = 0;
    for (unsigned i = 0; get(&limiter->keys[place].key) != 0 && i < RATE_CLASSES; i++) {
        uint64_t at = get(&limiter->buckets[place].full_at_ns[i]);
        last = at > last ? at : last;
    }
    return last;
}

static size_t
take_place(struct limiter *limiter, uint64_t key, uint64_t now_ns)
{
    size_t first = set_of(limiter, key);
    size_t best = first;
    uint64_t best_ns = UINT64_MAX;
    for (size_t i = first; i < first + LIMITER_WAYS && best_ns > now_ns; i++) {
        uint64_t rests_ns = rests_at_ns(limiter, i);
        if (rests_ns < best_ns) {
            best = i;
            best_ns = rests_ns;
        }
    }
    if (best_ns > now_ns) {
        atomic_fetch_add_explicit(&limiter->evicted, 1, memory_order_relaxed);
    }
    for (unsigned i = 0; i < RATE_CLASSES; i++) {
        set(&limiter->buckets[best].full_at_ns[i], 0);
    }
    set(&limiter->keys[best].key, key);
    return best;
}

static bool
is_limited(const struct limiter_charge *charge)
{
    return charge->key != 0 && charge->limit != 0 && charge->class < RATE_CLASSES;
}

static uint64_t
cost_ns(const struct limiter_charge *charge)
{
    uint32_t amount = charge->amount < charge->limit ? charge->amount : charge->limit;
    return rate_class_period_ns(charge->class) / charge->limit * amount;
}

uint64_t
limiter_wait_ms(const struct limiter *limiter, const struct limiter_charge *charge, uint64_t now_ns)
{
    int64_t place = is_limited(charge) ? find(limiter, charge->key) : -1;
    uint64_t full_at_ns = place >= 0 ? get(&limiter->buckets[place].full_at_ns[charge->class]) : 0;
    if (full_at_ns <= now_ns) {
        return 0;
    }
    uint64_t period_ns = rate_class_period_ns(charge->class);
    uint64_t behind_ns = full_at_ns - now_ns + cost_ns(charge);
    return behind_ns > period_ns ? (behind_ns - period_ns) / NS_PER_MS + 1 : 0;
}

void
limiter_charge(struct limiter *limiter, const struct limiter_charge *charge, uint64_t now_ns)
{
    if (!is_limited(charge)) {
        return;
    }
    int64_t found = find(limiter, charge->key);
    size_t place = found >= 0 ? (size_t)found : take_place(limiter, charge->key, now_ns);
    uint64_t latest_ns = now_ns + 2 * rate_class_period_ns(charge->class);
    _Atomic uint64_t *bucket = &limiter->buckets[place].full_at_ns[charge->class];
    uint64_t before_ns = get(bucket);
    uint64_t after_ns;
    do {
        after_ns = (before_ns > now_ns ? before_ns : now_ns) + cost_ns(charge);
        after_ns = after_ns < latest_ns ? after_ns : latest_ns;
    } while (!atomic_compare_exchange_weak_explicit(bucket, &before_ns, after_ns,
                                                    memory_order_relaxed, memory_order_relaxed));
}

void
limiter_refund(struct limiter *limiter, const struct limiter_charge *charge)
{
    int64_t place = is_limited(charge) ? find(limiter, charge->key) : -1;
    if (place < 0) {
        return; /* forgotten meanwhile */
    }
    _Atomic uint64_t *bucket = &limiter->buckets[place].full_at_ns[charge->class];
    uint64_t cost = cost_ns(charge);
    uint64_t before_ns = get(bucket);
    uint64_t after_ns;
    do {
        after_ns = before_ns > cost ? before_ns - cost : 0;
    } while (!atomic_compare_exchange_weak_explicit(bucket, &before_ns, after_ns,
                                                    memory_order_relaxed, memory_order_relaxed));
}
