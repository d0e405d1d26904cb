/* SPDX-License-Identifier: Apache-2.0 */
/* sim_chance.h - where the simulation's chance comes from: one seed, one stream per purpose.
 *
 * Streams keep purposes apart: a packet more on the network does not change how the next disk write
 * is torn, so that a seed that shows a bug keeps showing it while unrelated code changes. The
 * generator is xoshiro256**, its state spread from seed and stream by splitmix64.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sim_stream {
    SIM_STREAM_ORDER =
        1, /* which loop takes its turn, what turns cost, when operations are looked at */
    SIM_STREAM_NETWORK,
    SIM_STREAM_DISK,
    SIM_STREAM_CRASH,
    SIM_STREAM_WORK,
    SIM_STREAM_KEYS, /* io_random */
    SIM_STREAM_TEST, /* sim_random */
    SIM_STREAM_FAULT,
    SIM_STREAM_READY, /* which of several ready things goes first */
    SIM_STREAM_PAGE,  /* io_page_waits */
};

struct sim_chance {
    uint64_t state[4];
};

void sim_chance_init(struct sim_chance *chance, uint64_t seed, enum sim_stream stream);
uint64_t sim_chance_next(struct sim_chance *chance);
/* Evenly among 0 .. below - 1; 0 when `below` is 0. */
uint64_t sim_chance_below(struct sim_chance *chance, uint64_t below);
bool sim_chance_one_in(struct sim_chance *chance, uint64_t count);
void sim_chance_fill(struct sim_chance *chance, void *out, size_t bytes);

/* Mixes `word` into a running hash. The same arithmetic spreads seeds and makes digests. */
uint64_t sim_mix(uint64_t hash, uint64_t word);
uint64_t sim_mix_bytes(uint64_t hash, const void *bytes, size_t count);
