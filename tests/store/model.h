/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - what random commands to a world (world.h) need that are held against a model of it:
 * users who are told apart by their place in a list, and a world that is shaken as chance has it.
 */
#pragma once

#include "tests/spec.h"
#include "tests/store/chance.h"
#include "tests/store/world.h"

#include <stdio.h>

/* So many users, with so many devices each. */
static inline void
model_users(struct world *world, uint64_t *ids, unsigned count, unsigned devices)
{
    for (unsigned user = 0; user < count; user++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "user%u", user);
        ids[user] = world_user(world, name, devices);
    }
}

/* The place of one of them. */
static inline unsigned
model_user_of(const uint64_t *ids, unsigned count, uint64_t id)
{
    unsigned user = 0;
    while (ids[user] != id) {
        user++;
        assert_true(user < count);
    }
    return user;
}

/* Where the user's inbox ends. */
static inline uint64_t
model_inbox_end(struct world *world, uint64_t id)
{
    struct record_head head;
    assert_true(world_head(world, id, &head));
    return head.last.number;
}

/* Folds one cell by a step or, now and then, restarts. */
static inline void
model_shake(struct world *world, struct chance *chance)
{
    unsigned cell = (unsigned)chance_below(chance, WORLD_CELLS);
    if (chance_below(chance, 8) == 0) {
        world_restart(world);
    } else {
        world_fold_on(world, cell);
    }
}
