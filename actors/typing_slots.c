/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/typing_slots.h"

static struct typing_slot *
place_of(struct typing_slots *slots, uint64_t user, uint64_t group)
{
    uint64_t mixed = (user ^ group * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);
    return &slots->slots[(mixed >> 32) % TYPING_SLOTS];
}

bool
typing_slots_due(struct typing_slots *slots, uint64_t user, uint64_t group, uint8_t kind,
                 uint32_t now_s)
{
    struct typing_slot *slot = place_of(slots, user, group);
    bool known = slot->user == user && slot->group == group && slot->second == now_s;
    if (known && (slot->kind == kind || slot->told >= TYPING_PER_SECOND_MAX)) {
        return false;
    }
    uint8_t told = known ? slot->told : 0;
    *slot = (struct typing_slot){
        .user = user, .group = group, .second = now_s, .kind = kind, .told = (uint8_t)(told + 1)};
    return true;
}
