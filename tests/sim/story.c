/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/story.h"

#include "tests/sim/judge.h"
#include "tests/sim/world.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(((struct story_play *)0)->broken) >= sizeof(((struct world *)0)->broken),
              "what is broken is told whole");

void
story_end(struct story_play *play, struct world *world)
{
    world_faults(world, &(struct sim_faults){0});
    if (world->broken[0] == '\0' && !world_settle(world)) {
        judge_broken(world, "they did not come to rest");
    }
    if (world->broken[0] == '\0') {
        judge_rest(world);
    }
    memcpy(play->broken, world->broken, sizeof world->broken);
    if (world->broken[0] == '\0') {
        world_close(world);
    } else {
        world_abandon(world);
    }
}
