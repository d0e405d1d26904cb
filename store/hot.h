/* SPDX-License-Identifier: Apache-2.0 */
/* hot.h - who takes most, of more than can be counted: a sketch of a few counters.
 *
 *     hot_count(&hot, user, 1, now_ns);
 *     ... hot.entries[0 .. hot.count - 1], in no order ...
 *
 * Space-Saving (Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements
 * in data streams", 2005): who has no counter takes over the smallest one, and inherits its count
 * as a possible error. So a count is never too low, too high by its error at most, and whoever has
 * more than a HOT_MAXth of all is there. All counts are halved each minute: it is the last few
 * minutes that are looked at.
 *
 * Plain memory; one scheduler's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HOT_MAX = 64 };
#define HOT_HALVING_NS (UINT64_C(60) * 1000000000)

struct hot_entry {
    uint64_t key;
    uint32_t count;
    uint32_t error;
};

/* Zeroed, it is empty. */
struct hot {
    uint64_t halved_at_ns;
    uint64_t total; /* halved, too */
    uint32_t count;
    uint32_t least;        /* no count is below it; nearly always there is one that has it */
    uint32_t hand;         /* where the next of those is looked for */
    uint8_t tags[HOT_MAX]; /* a byte of each key, mixed: with many users most have no counter */
    struct hot_entry entries[HOT_MAX];
};

/* Whether `key` has more than half of all, for certain. */
bool hot_has_most(const struct hot *hot, uint64_t key);
/* So many more of `key`, which is not 0. */
void hot_count(struct hot *hot, uint64_t key, uint32_t amount, uint64_t now_ns);
