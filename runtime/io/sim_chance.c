/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_chance.h"

#include <string.h>

static uint64_t
rotate(uint64_t word, int bits)
{
    return (word << bits) | (word >> (64 - bits));
}

/* The finalizer of splitmix64. */
static uint64_t
spread(uint64_t word)
{
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
    return word ^ (word >> 31);
}

uint64_t
sim_mix(uint64_t hash, uint64_t word)
{
    return spread(rotate(hash, 23) + (word ^ 0x9e3779b97f4a7c15u));
}

uint64_t
sim_mix_bytes(uint64_t hash, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    uint64_t word;
    for (size_t left = count; left > 0;) {
        size_t take = left < sizeof(word) ? left : sizeof(word);
        word = 0;
        memcpy(&word, at, take);
        hash = sim_mix(hash, word);
        at += take;
        left -= take;
    }
    return sim_mix(hash, count);
}

void
sim_chance_init(struct sim_chance *chance, uint64_t seed, enum sim_stream stream)
{
    uint64_t at = sim_mix(seed, stream);
    for (int i = 0; i < 4; i++) {
        at += 0x9e3779b97f4a7c15u;
        chance->state[i] = spread(at);
    }
}

uint64_t
sim_chance_next(struct sim_chance *chance)
{
    uint64_t *s = chance->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

/* The high half of a product: biased by less than below / 2^64, which no test can see. */
uint64_t
sim_chance_below(struct sim_chance *chance, uint64_t below)
{
    return (uint64_t)(((unsigned __int128)sim_chance_next(chance) * below) >> 64);
}

bool
sim_chance_one_in(struct sim_chance *chance, uint64_t count)
{
    return sim_chance_below(chance, count) == 0;
}

void
sim_chance_fill(struct sim_chance *chance, void *out, size_t bytes)
{
    unsigned char *at = out;
    while (bytes > 0) {
        uint64_t word = sim_chance_next(chance);
        size_t take = bytes < sizeof(word) ? bytes : sizeof(word);
        memcpy(at, &word, take);
        at += take;
        bytes -= take;
    }
}
