/* SPDX-License-Identifier: Apache-2.0 */
/* stage.h - a node that plays one story: a function that runs as the root process.
 *
 *     static void story(void)
 *     {
 *         ln_pid pid;
 *         EXPECT(ln_spawn(&echo, NULL, 0, NULL, &pid) == 0);
 *         ...
 *     }
 *     static void echoes(void **state) { stage_play(story); }
 *
 * When the story returns, the node ends. The stage then expects that it ended normally, and that
 * every block of every scheduler's memory has come home.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/linnet.h"
#include "runtime/node.h"

#include <errno.h>
#include <string.h>

/* Holds inside actors, on any stack and thread: what does not hold ends the program. */
#define EXPECT(condition)                                 \
    do {                                                  \
        if (!(condition)) {                               \
            check_failed(#condition, __FILE__, __LINE__); \
        }                                                 \
    } while (0)

enum { STAGE_SEEDS = 20, STAGE_LOOPS = 2 };

/* On the simulated machine, with two schedulers, once for each of STAGE_SEEDS seeds. */
void stage_play(void (*story)(void));
/* The same, with a root that traps exits. */
void stage_play_trapping(void (*story)(void));
/* The same with options of the node. */
void stage_play_with(void (*story)(void), const struct ln_node_options *options);
/* The same on a machine of its own kind; its seed, loops and root are set here. */
struct sim_options;
void stage_play_machine(void (*story)(void), const struct sim_options *machine);
/* Once, on exactly this machine, but for loops and root. */
void stage_play_once(void (*story)(void), const struct sim_options *machine,
                     const struct ln_node_options *options);
/* On io_uring with real threads; nothing where LINNET_SIM_ONLY says that there is none. */
void stage_play_threads(void (*story)(void), unsigned loops);
void stage_play_threads_with(void (*story)(void), unsigned loops,
                             const struct ln_node_options *options);

/* A node on io_uring with real threads, for a test that speaks to it from outside; ended in order,
 * whereupon the stage expects what it expects of a story. */
struct ln_node *stage_open(const struct ln_behaviour *root, unsigned loops,
                           struct io_driver **out_driver);
void stage_close(struct ln_node **node, struct io_driver *driver);

/* Runs the story until `event` of the simulation, when the power goes; whatever lives then is
 * discarded. True when the story was over before. */
bool stage_play_until(void (*story)(void), uint64_t seed, uint64_t event);

uint32_t stage_stacks_max(const struct ln_node *node);

/* ------------------------------------------------------------------------------ for stories */

/* The driver that the story runs on. */
struct io_driver *stage_driver(void);
/* The next message; the story fails after a minute without one. */
struct ln_msg *stage_next(void);
/* The next message must have this tag; freed. Its data, up to `bytes`, is copied to `out` (may be
 * NULL). */
void stage_expect(uint32_t tag, void *out, size_t bytes);
/* Waits for the DOWN of `monitor`: its reason. */
struct ln_reason stage_down(uint64_t monitor);
/* No message waits, and none comes within `ms`. */
void stage_expect_silence(uint64_t ms);
/* Sends an empty message. */
void stage_say(ln_pid to, uint32_t tag);
/* Lets everybody handle what was sent before. */
void stage_settle(void);
