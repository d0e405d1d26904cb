/* SPDX-License-Identifier: Apache-2.0 */
/* limiter.h - the rates of many: of the users that a scheduler has to do with, or of the addresses
 * that a node has.
 *
 *     struct limiter_charge charge = {.key = user, .class = class, .limit = limit, .amount = 1};
 *     wait_ms = limiter_wait_ms(&limiter, &charge, now_ns);               0: it may
 *     limiter_charge(&limiter, &charge, now_ns);
 *
 * A table of a fixed size, in sets of eight. A bucket that is full again is as good as none, so who
 * has been quiet for a while leaves by himself; where a set has no such place, the one that would
 * be full first gives way (and is counted): it has the least to lose. So what a table can't hold it
 * forgets, and nobody is refused for what others did.
 *
 * Key 0 is nobody and has no limit. Any scheduler: where two are at the same bucket at once both
 * charges count; where one takes a place from under the other, that one's charge may be lost, or be
 * the newcomer's. Never yields, allocates nothing.
 */
#pragma once

#include "actors/rate_class.h"

#include <stdatomic.h>
#include <stdint.h>

enum { LIMITER_WAYS = 8 };

struct limiter_key {
    _Atomic uint64_t key; /* 0: an empty place */
};
struct limiter_buckets {
    _Atomic uint64_t full_at_ns[RATE_CLASSES]; /* when each would be full again */
};
/* Embedded; evicted may be read. */
struct limiter {
    struct limiter_key *keys; /* LIMITER_WAYS of each set */
    struct limiter_buckets *buckets;
    uint32_t sets;
    _Atomic uint64_t evicted;
};

/* Room for so many at least. */
void limiter_init(struct limiter *limiter, uint32_t entries);
void limiter_fini(struct limiter *limiter);

struct limiter_charge {
    uint64_t key;
    enum rate_class class;
    uint32_t limit;  /* per period of the class; 0: there is none */
    uint32_t amount; /* more than the limit is as much as that */
};
/* How long until the amount would pass, if nothing else came. */
uint64_t limiter_wait_ms(const struct limiter *limiter, const struct limiter_charge *charge,
                         uint64_t now_ns);
/* Takes it, whether it would pass or not; the debt is a period's at most. */
void limiter_charge(struct limiter *limiter, const struct limiter_charge *charge, uint64_t now_ns);
/* Gives back what was taken: nothing came of it. */
void limiter_refund(struct limiter *limiter, const struct limiter_charge *charge);
