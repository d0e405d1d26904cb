/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/world_spec.h"

int
world_begin(void **state)
{
    const struct world_plan *plan = *state;
    *state = world_new(plan->seed, &plan->limits);
    return 0;
}

int
world_end(void **state)
{
    struct world *world = *state;
    world_free(&world);
    return 0;
}
