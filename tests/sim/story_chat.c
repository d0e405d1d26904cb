/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/judge.h"
#include "tests/sim/story.h"
#include "tests/sim/world.h"

enum { CRASHES = 4, CRASH_WITHIN_MS = 2000, CRASH_EVENTS_MAX = 1500 };

static struct world world;

static void
begin(const struct story_play *play)
{
    world_fresh(&world, play->seed);
    world.log = play->log;
    world.log_context = play->log_context;
    world_begin(&world);
}

/* Of what was written before the last crash. */
static void
change_some(struct person *people[3], uint64_t chance)
{
    for (unsigned i = 0; i < 3; i++) {
        struct person *to = people[(i + 1) % 3];
        uint32_t said = people[i]->with[to->index].said;
        uint32_t n = 1 + (uint32_t)((chance * 7 + i) % (said + 1));
        person_edits(people[i], to, n);
        person_edits(people[i], to, n + 1);
        if (chance % 2 == 0) {
            person_deletes(people[i], to, n + 2);
        }
    }
}

static void
talk_through_a_crash(struct person *people[3], uint64_t seed, unsigned crash)
{
    for (unsigned i = 0; i < 3; i++) {
        person_says(people[i], people[(i + 1) % 3], 5 + (uint32_t)(seed % 7));
        person_says(people[i], people[(i + 2) % 3], 1);
    }
    change_some(people, seed + crash);
    uint64_t events = 1 + (seed * 2654435761u + crash * UINT64_C(40503)) % CRASH_EVENTS_MAX;
    world_crash_within(&world, events, CRASH_WITHIN_MS);
}

/* The faults begin once all have enrolled, and end before all must come to rest. */
void
story_chat(struct story_play *play)
{
    begin(play);
    struct person *people[3] = {world_person(&world, "alice"), world_person(&world, "bob"),
                                world_person(&world, "carol")};
    if (!world_settle(&world)) {
        judge_broken(&world, "they did not enrol");
    }
    world.drop_syncs = play->drop_syncs;
    world.answer_early = play->answer_early;
    if (play->drop_syncs || play->answer_early) {
        world_restart(&world); /* the plants are in the ground from the next life on */
    }
    world_faults(&world, &play->faults);
    for (unsigned crash = 0; crash < CRASHES && world.broken[0] == '\0'; crash++) {
        talk_through_a_crash(people, play->seed, crash);
    }
    story_end(play, &world);
}
