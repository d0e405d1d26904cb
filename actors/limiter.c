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
    limiter->full_at_ns = calloc(places, sizeof limiter->full_at_ns[0]);
    ASSERT(limiter->keys != NULL && limiter->full_at_ns != NULL);
}

void
limiter_fini(struct limiter *limiter)
{
    free(limiter->keys);
    free(limiter->full_at_ns);
    *limiter = (struct limiter){0};
}

/* Fibonacci's multiplier: ids are counted up. */
static size_t
set_of(const struct limiter *limiter, uint64_t key)
{
    uint64_t spread = key * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)((spread >> 32) * limiter->sets >> 32) * LIMITER_WAYS;
}

/* The key's place, or -1. */
static int64_t
find(const struct limiter *limiter, uint64_t key)
{
    size_t first = set_of(limiter, key);
    for (size_t i = first; i < first + LIMITER_WAYS; i++) {
        if (limiter->keys[i] == key) {
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
    for (unsigned i = 0; limiter->keys[place] != 0 && i < RATE_CLASSES; i++) {
        uint64_t at = limiter->full_at_ns[place][i];
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
    limiter->evicted += best_ns > now_ns;
    limiter->keys[best] = key;
    for (unsigned i = 0; i < RATE_CLASSES; i++) {
        limiter->full_at_ns[best][i] = 0;
    }
    return best;
}

uint64_t
limiter_wait_ms(const struct limiter *limiter, uint64_t key, enum rate_class class, uint32_t limit,
                uint64_t now_ns)
{
    if (key == 0 || limit == 0 || class >= RATE_CLASSES) {
        return 0;
    }
    int64_t place = find(limiter, key);
    if (place < 0 || limiter->full_at_ns[place][class] <= now_ns) {
        return 0;
    }
    uint64_t period_ns = rate_class_period_ns(class);
    uint64_t behind_ns = limiter->full_at_ns[place][class] - now_ns + period_ns / limit;
    return behind_ns > period_ns ? (behind_ns - period_ns) / NS_PER_MS + 1 : 0;
}

void
limiter_charge(struct limiter *limiter, uint64_t key, enum rate_class class, uint32_t limit,
               uint64_t now_ns)
{
    if (key == 0 || limit == 0 || class >= RATE_CLASSES) {
        return;
    }
    int64_t found = find(limiter, key);
    size_t place = found >= 0 ? (size_t)found : take_place(limiter, key, now_ns);
    uint64_t period_ns = rate_class_period_ns(class);
    uint64_t *full_at_ns = &limiter->full_at_ns[place][class];
    uint64_t from_ns = *full_at_ns > now_ns ? *full_at_ns : now_ns;
    *full_at_ns = from_ns + period_ns / limit;
    if (*full_at_ns > now_ns + 2 * period_ns) {
        *full_at_ns = now_ns + 2 * period_ns;
    }
}
