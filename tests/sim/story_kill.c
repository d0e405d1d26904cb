/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/judge.h"
#include "tests/sim/reaper.h"
#include "tests/sim/story.h"
#include "tests/sim/world.h"

#include <stdio.h>

enum {
    KILLS = 8,
    STEPS_MAX = 2000,
    /* So that no supervisor sees ten restarts in ten seconds, and gives up as it should. */
    PAUSE_MS_MIN = 1100,
    PAUSE_MS_SPREAD = 300,
    TALK_MS_MAX = 20,
};

static struct world world;
static struct reaper reaper;

static void
begin(const struct story_play *play, const char *only, const char *named)
{
    reaper = (struct reaper){.world = &world,
                             .pause_ms_min = PAUSE_MS_MIN,
                             .pause_ms_spread = PAUSE_MS_SPREAD,
                             .only = only,
                             .named = named};
    world_fresh(&world, play->seed);
    world.guest = reaper_child(&reaper);
    world.log = play->log;
    world.log_context = play->log_context;
    world_begin(&world);
}

static void
talk(struct person *people[3], unsigned step)
{
    struct person *from = people[step % 3];
    struct person *to = people[(step + 1 + step / 3 % 2) % 3];
    person_says(from, to, 1 + step % 2);
    uint32_t last = from->with[to->index].said;
    if (last > 4) {
        person_edits(from, to, last - 4);
        if (step % 5 == 0) {
            person_deletes(from, to, last - 4 - step % 3);
        }
    }
}

void
story_kill(struct story_play *play, const char *only, const char *named)
{
    begin(play, only, named);
    struct person *people[3] = {world_person(&world, "alice"), world_person(&world, "bob"),
                                world_person(&world, "carol")};
    if (!world_settle(&world)) {
        judge_broken(&world, "they did not enrol");
    }
    world_faults(&world, &play->faults);
    reaper.kills_left = KILLS;
    for (unsigned step = 0; reaper.kills < KILLS && world.broken[0] == '\0' && step < STEPS_MAX;
         step++) {
        talk(people, step);
        world_run(&world, 1 + (play->seed * 31 + (uint64_t)step * 17) % TALK_MS_MAX);
    }
    if (world.broken[0] == '\0' && reaper.kills < KILLS && world.ended == 0) {
        judge_broken(&world, "only %u were killed", reaper.kills);
    }
    story_end(play, &world);
}

void
story_kill_print(void)
{
    for (unsigned i = 0; i < reaper.kinds_count; i++) {
        (void)fprintf(stderr, "    killed %u of %s\n", reaper.kinds[i].kills,
                      reaper.kinds[i].behaviour);
    }
}
