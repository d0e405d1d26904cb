/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/typing_slots.h"

#include <stddef.h>

static uint64_t
mixed(uint64_t value)
{
    value = (value ^ value >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 29) * UINT64_C(0xff51afd7ed558ccd);
    return value ^ value >> 32;
}

/* Theirs in this second, or one of an earlier second; NULL: all of the set are taken. */
static struct typing_slot *
place_of(struct typing_slots *slots, uint64_t user, uint64_t group, uint32_t now_s)
{
    uint64_t set = mixed(mixed(slots->key ^ user) + group) % (TYPING_SLOTS / TYPING_WAYS);
    struct typing_slot *ways = &slots->slots[set * TYPING_WAYS];
    struct typing_slot *old = NULL;
    for (unsigned i = 0; i < TYPING_WAYS; i++) {
        if (ways[i].second != now_s) {
            old = &ways[i];
        } else if (ways[i].user == user && ways[i].group == group) {
            return &ways[i];
        }
    }
    if (old != NULL) {
        *old = (struct typing_slot){.user = user, .group = group};
    }
    return old;
}

bool
typing_slots_due(struct typing_slots *slots, uint64_t user, uint64_t group, uint8_t kind,
                 uint32_t now_s)
{
    struct typing_slot *all = place_of(slots, user, 0, now_s);
    if (all == NULL || all->told >= TYPING_OF_USER_PER_SECOND_MAX) {
        return false;
    }
    all->second = now_s;
    struct typing_slot *one = place_of(slots, user, group, now_s);
    if (one == NULL ||
        (one->told > 0 && (one->kind == kind || one->told >= TYPING_PER_SECOND_MAX))) {
        return false;
    }
    one->second = now_s;
    one->kind = kind;
    one->told++;
    all->told++;
    return true;
}
