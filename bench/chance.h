/* SPDX-License-Identifier: Apache-2.0 */
/* chance.h - numbers that follow from a seed: the same run again. SplitMix64 (Steele, Lea and Flood
 * 2014), whose whole state is one word and which takes any seed. Nothing to keep secrets with. */
#pragma once

#include <stdint.h>

static inline uint64_t
chance_next(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    uint64_t mixed = *state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
}

/* Below `below`, which is below 2^32; the bias is below 2^-32. */
static inline uint64_t
chance_below(uint64_t *state, uint64_t below)
{
    return ((chance_next(state) >> 32) * below) >> 32;
}
