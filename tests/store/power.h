/* SPDX-License-Identifier: Apache-2.0 */
/* power.h - people (people.h) through several lives, each of which ends with a power cut at a
 * seeded event, or with the node's own end where the disk fails, and a last one in which all must
 * arrive. */
#pragma once

#include "tests/store/people.h"

struct power_play {
    uint64_t seed;
    struct sim_faults faults; /* in all lives but the last */
    void (*log)(void *context, const char *line);
    void *log_context;
    bool drop_syncs, answer_early; /* planted bugs */
    /* what came of it */
    uint64_t said;
    unsigned entries;            /* in the first person's inbox */
    char wrong[RIG_WRONG_BYTES]; /* empty: nothing */
};

/* True when nothing was wrong. */
bool power_play(struct power_play *play);
