/* SPDX-License-Identifier: Apache-2.0 */
/* typing_slots.h - who has said lately what he does in which group: so that what is said again is
 * not told again to all of its members.
 *
 *     if (typing_slots_due(&slots, alice, walkers, kind, now_s)) { ... tell them ... }
 *
 * Of one user in one group the same is due once a second, and something else at once, four times a
 * second at most. A table that forgets: two that meet in one place take it from each other, and
 * both are due more often. Plain data, of one scheduler; zeroed it is empty.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { TYPING_SLOTS = 256, TYPING_PER_SECOND_MAX = 4 };

struct typing_slots {
    struct typing_slot {
        uint64_t user, group;
        uint32_t second;
        uint8_t kind;
        uint8_t told;
    } slots[TYPING_SLOTS];
};

bool typing_slots_due(struct typing_slots *slots, uint64_t user, uint64_t group, uint8_t kind,
                      uint32_t now_s);
