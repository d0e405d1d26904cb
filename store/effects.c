/* SPDX-License-Identifier: Apache-2.0 */
#include "store/effects.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* Most commands have one effect; a message to a user whose devices are all full but one has the
     * most. */
    CAPACITY_FIRST = 64,
    HOLDERS_FIRST = 64,
    SCRATCH_FIRST = 4096,
};

static void *
grown(void *memory, size_t bytes)
{
    void *larger = realloc(memory, bytes);
    ASSERT(larger != NULL);
    return larger;
}

void
effects_init(struct effects *effects)
{
    *effects = (struct effects){.capacity = CAPACITY_FIRST,
                                .holders_capacity = HOLDERS_FIRST,
                                .scratch_bytes = SCRATCH_FIRST};
    effects->items = grown(NULL, CAPACITY_FIRST * sizeof(effects->items[0]));
    effects->holders = grown(NULL, HOLDERS_FIRST * sizeof(effects->holders[0]));
    effects->scratch = grown(NULL, SCRATCH_FIRST);
}

void
effects_fini(struct effects *effects)
{
    free(effects->items);
    free(effects->holders);
    free(effects->scratch);
    *effects = (struct effects){0};
}

void
effects_clear(struct effects *effects)
{
    effects->count = 0;
    effects->holders_count = 0;
    memset(effects->streams, 0, sizeof(effects->streams));
    effects->streams_bytes = 0;
    effects->fan_members = 0;
}

void
effects_add(struct effects *effects, const struct effect *effect)
{
    if (effects->count == effects->capacity) {
        effects->capacity *= 2;
        effects->items = grown(effects->items, effects->capacity * sizeof(effects->items[0]));
    }
    effects->items[effects->count++] = *effect;
}

void
effects_hold(struct effects *effects, struct effect *effect, uint16_t device)
{
    if (effects->holders_count == effects->holders_capacity) {
        effects->holders_capacity *= 2;
        effects->holders =
            grown(effects->holders, effects->holders_capacity * sizeof(effects->holders[0]));
    }
    effect->holders = effect->devices == 0 ? effects->holders_count : effect->holders;
    effect->devices++;
    effects->holders[effects->holders_count++] = device;
}

void
effects_stream(struct effects *effects, uint8_t destination)
{
    effects->streams[destination / 64] |= UINT64_C(1) << destination % 64;
}

bool
effects_streams_next(struct effects *effects, uint8_t *out_destination)
{
    for (unsigned i = 0; i < 4; i++) {
        if (effects->streams[i] != 0) {
            unsigned bit = (unsigned)__builtin_ctzll(effects->streams[i]);
            effects->streams[i] &= effects->streams[i] - 1;
            *out_destination = (uint8_t)(i * 64 + bit);
            return true;
        }
    }
    return false;
}

unsigned char *
effects_scratch(struct effects *effects, size_t bytes)
{
    if (bytes > effects->scratch_bytes) {
        effects->scratch = grown(effects->scratch, bytes);
        effects->scratch_bytes = bytes;
    }
    return effects->scratch;
}
