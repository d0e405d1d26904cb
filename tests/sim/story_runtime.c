/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/promises.h"
#include "tests/runtime/stage.h"
#include "tests/sim/story.h"

void
story_runtime(struct story_play *play)
{
    promises_seed = play->seed;
    struct sim_options machine = {.seed = play->seed,
                                  .faults = play->faults,
                                  .log = play->log,
                                  .log_context = play->log_context};
    stage_play_once(promises_story, &machine, &promises_options);
}
