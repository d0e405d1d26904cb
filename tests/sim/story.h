/* SPDX-License-Identifier: Apache-2.0 */
/* story.h - what is played under the simulator, one seed at a time: by the tests over their own
 * seeds, by linnet-sim over anybody's.
 *
 * A story checks its promises all the while. What it finds broken first is told; empty: nothing. An
 * assertion that fails ends the program instead.
 */
#pragma once

#include "runtime/io/sim.h"

enum { STORY_BROKEN_BYTES = 256 };

struct story_play {
    uint64_t seed;
    struct sim_faults faults;
    void (*log)(void *context, const char *line); /* of every event; NULL: nobody */
    void *log_context;
    /* Planted bugs, for judging the judges. */
    bool drop_syncs, answer_early;
    char broken[STORY_BROKEN_BYTES];
};

/* Without faults all comes to rest, and is judged; the world ends with the story. Takes what is
 * broken from it. */
struct world;
void story_end(struct story_play *play, struct world *world);

/* Three people talk to each other while the power fails now and then. */
void story_chat(struct story_play *play);
/* The same while actors of the node are killed: `only` of this behaviour, and `named` so; NULL:
 * any. Who was killed can be printed afterwards. */
void story_kill(struct story_play *play, const char *only, const char *named);
void story_kill_print(void);
/* Scripts write through the store alone; the power fails; its actors are killed. */
void story_store(struct story_play *play);
/* Actors of every kind promise each other what the runtime promises them. */
void story_runtime(struct story_play *play);
