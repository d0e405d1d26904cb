/* SPDX-License-Identifier: Apache-2.0 */
/* reaper.h - an actor that kills others of its node, one at a time, at moments from the seed.
 *
 * It first draws what kind of actor, then which: so that the many partitions are not all that it
 * ever meets. It spares itself, the root and the root's children. A kill counts when its actor has
 * ended of it.
 *
 *     struct reaper reaper = {.world = &world, .pause_ms_min = 1100, .pause_ms_spread = 400};
 *     world_open_with(&world, seed, reaper_child(&reaper));
 *     reaper.kills_left = 10;
 *     ... time passes ...       reaper.kills tells how many it has killed, reaper.kinds of what
 */
#pragma once

#include "tests/sim/world.h"

enum { REAPER_KINDS_MAX = 24 };

struct reaper {
    struct world *world;
    uint64_t pause_ms_min, pause_ms_spread;
    const char *only;    /* a behaviour's name; NULL: any */
    const char *named;   /* a registered name; NULL: any */
    unsigned kills_left; /* counts down; 0: it rests */
    unsigned kills;
    struct reaper_kind {
        const char *behaviour;
        unsigned kills;
    } kinds[REAPER_KINDS_MAX];
    unsigned kinds_count;
    /* May be NULL. Somebody has been killed. */
    void (*told)(void *context, const char *behaviour, const char *name);
    void *context;
};

/* For a world's guest. */
struct ln_child reaper_child(struct reaper *reaper);
