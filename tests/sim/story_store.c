/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/story.h"
#include "tests/store/power.h"

#include <assert.h>
#include <string.h>

static_assert((int)RIG_WRONG_BYTES <= (int)STORY_BROKEN_BYTES, "what is wrong is copied whole");

void
story_store(struct story_play *play)
{
    struct power_play power = {.seed = play->seed,
                               .faults = play->faults,
                               .log = play->log,
                               .log_context = play->log_context,
                               .drop_syncs = play->drop_syncs,
                               .answer_early = play->answer_early};
    (void)power_play(&power);
    memcpy(play->broken, power.wrong, sizeof power.wrong);
}
