/* SPDX-License-Identifier: Apache-2.0 */
/* chance.h - numbers that look random and follow from a seed, for the store's tests and benches. */
#pragma once
#include <stdint.h>

struct chance {
    uint64_t state; /* the seed */
};

/* The next 64 bits (splitmix64). */
static inline uint64_t
chance_next(struct chance *chance)
{
    uint64_t z = chance->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* One of 0 to below - 1. */
static inline uint64_t
chance_below(struct chance *chance, uint64_t below)
{
    return chance_next(chance) % below;
}
