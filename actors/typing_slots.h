/* SPDX-License-Identifier: Apache-2.0 */
/* typing_slots.h - who has said lately what he does in which group: so that what is said again is
 * not told again to all of its members, and nobody has more of them told than he may.
 *
 *     if (typing_slots_due(&slots, alice, walkers, kind, now_s)) { ... tell them ... }
 *
 * Of one user in one group the same is due once a second, and something else at once, four times a
 * second at most; of one user in all of his groups eight times. Whatever there is no place for in
 * this second is not due: no two ever take a place from each other. Which places somebody gets
 * depends on the key, so that nobody can choose to fill another's.
 *
 * Plain data, of one scheduler; zeroed it is empty.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    TYPING_WAYS = 4, /* of a set: places for whoever falls into it */
    TYPING_SLOTS = 1024,
    TYPING_PER_SECOND_MAX = 4,
    TYPING_OF_USER_PER_SECOND_MAX = 8,
};

struct typing_slots {
    uint64_t key; /* by chance */
    struct typing_slot {
        uint64_t user, group; /* 0: all of his groups */
        uint32_t second;
        uint8_t kind;
        uint8_t told;
    } slots[TYPING_SLOTS];
};

/* Counts what is due as told. `now_s` is never 0. */
bool typing_slots_due(struct typing_slots *slots, uint64_t user, uint64_t group, uint8_t kind,
                      uint32_t now_s);
