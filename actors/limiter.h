/* SPDX-License-Identifier: Apache-2.0 */
/* limiter.h - the rates of many: of the users, or of the addresses, that a scheduler has to do
 * with.
 *
 *     wait_ms = limiter_wait_ms(&limiter, key, class, limit, now_ns);     0: it may
 *     limiter_charge(&limiter, key, class, limit, now_ns);
 *
 * A table of a fixed size, in sets of eight. A bucket that is full again is as good as none, so who
 * has been quiet for a while leaves by himself; where a set has no such place, the one that would
 * be full first gives way (and is counted): it has the least to lose. So what a table can't hold it
 * forgets, and nobody is refused for what others did.
 *
 * Key 0 is nobody and has no limit. On one scheduler; never yields, allocates nothing.
 */
#pragma once

#include "actors/rate_class.h"

#include <stdint.h>

enum { LIMITER_WAYS = 8 };

/* Embedded; evicted may be read. */
struct limiter {
    uint64_t *keys;                       /* LIMITER_WAYS of each set; 0: empty */
    uint64_t (*full_at_ns)[RATE_CLASSES]; /* when each bucket would be full again */
    uint32_t sets;
    uint64_t evicted;
};

/* Room for so many at least. */
void limiter_init(struct limiter *limiter, uint32_t entries);
void limiter_fini(struct limiter *limiter);

/* How long until one more would pass, if nothing else came. `limit` is per period of the class; 0:
 * there is none. */
uint64_t limiter_wait_ms(const struct limiter *limiter, uint64_t key, enum rate_class class,
                         uint32_t limit, uint64_t now_ns);
/* Takes one, whether it would pass or not; the debt is a period's at most. */
void limiter_charge(struct limiter *limiter, uint64_t key, enum rate_class class, uint32_t limit,
                    uint64_t now_ns);
