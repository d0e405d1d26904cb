/* SPDX-License-Identifier: Apache-2.0 */
/* rig.h - a store with its actors on the simulated machine, and scripts that are actors themselves.
 *
 *     static void story(struct rig *rig) { ... an actor's: hand.h, RIG_CHECK(rig, condition) ... }
 *
 *     struct rig rig;
 *     rig_open(&rig, seed);
 *     rig.options.segment_bytes = ...;
 *     rig_play(&rig, story);            boots, runs the story to its end, shuts down
 *     rig_play(&rig, next_story);       the same disk, another life
 *     rig_close(&rig);
 *
 * A life can also be cut off: rig_boot, rig_run_until_crash, rig_bury. What a story finds wrong is
 * noted, and checked by the test outside of all actors.
 */
#pragma once

#include "runtime/io/sim.h"
#include "runtime/node.h"
#include "runtime/supervisor.h"
#include "store/store.h"

#include <stdio.h>

enum { RIG_WRONG_BYTES = 256, RIG_SCRIPTS_MAX = 32 };

struct rig;
typedef void rig_story(struct rig *rig);

struct rig {
    uint64_t seed;
    unsigned lives;
    unsigned schedulers;
    uint64_t now_ns; /* of the virtual clock, over all lives */
    bool drop_syncs;
    struct sim_faults faults;                     /* of the lives to come */
    void (*log)(void *context, const char *line); /* of every event; NULL: nobody */
    void *log_context;
    bool disk_failed; /* why the last rig_boot may have failed */
    uint64_t disk_bytes_max;
    uint64_t disk_delay_ns_max; /* of a write or a sync; 0: sim's default */
    uint64_t work_delay_ns_max; /* of worker jobs, folds among them; 0: sim's default */
    uint64_t page_wait_one_in;  /* as sim's option */
    uint64_t crash_event;       /* of the next life: the power goes at this event; 0: it does not */
    struct store_options options;
    struct store_report report;
    char root[64];
    char path[80];

    struct io_driver *driver;
    struct store *store;
    struct ln_node *node;
    struct ln_supervision store_tree;
    struct ln_supervision root_tree;
    struct ln_child children[2 + RIG_SCRIPTS_MAX];
    unsigned scripts_count;
    void (*scripts[RIG_SCRIPTS_MAX])(struct rig *rig, unsigned index);
    rig_story *story;
    bool done;
    char wrong[RIG_WRONG_BYTES]; /* empty: nothing */
};

/* A number from the environment: LINNET_SEED_FIRST, LINNET_SEED_COUNT. */
uint64_t rig_setting(const char *name, uint64_t otherwise);

/* Empties the directory. One scheduler and small limits, to be changed before the first boot. */
void rig_open(struct rig *rig, uint64_t seed);
void rig_close(struct rig *rig);

/* Starts a life: opens the store, starts its actors and the scripts, each on a scheduler of its own
 * choosing. 0, or store_open's error; nothing runs then. */
int rig_boot(struct rig *rig);
/* Runs until `done` or the virtual time is over; false: it was not done. */
bool rig_run(struct rig *rig, uint64_t ms);
/* Shuts the node down in order. */
void rig_stop(struct rig *rig);
/* Ends the life as it is: after a stop, or a crash. */
void rig_bury(struct rig *rig);

/* Boots a life with one story, which must be able to. */
void rig_tell(struct rig *rig, rig_story *story);
/* One life with one story, which must come to its end with nothing wrong. */
void rig_play(struct rig *rig, rig_story *story);
/* A rig that is opened for one story, and closed behind it. */
void rig_play_once(struct rig *rig, uint64_t seed, rig_story *story);

/* The first thing that was wrong is kept. */
void rig_wrong(struct rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define RIG_CHECK(rig, condition)                                        \
    do {                                                                 \
        if (!(condition)) {                                              \
            rig_wrong(rig, "%s:%d: %s", __FILE__, __LINE__, #condition); \
        }                                                                \
    } while (0)
