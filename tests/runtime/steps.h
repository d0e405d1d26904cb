/* SPDX-License-Identifier: Apache-2.0 */
/* steps.h - for stories about fairness: actors note each step they take, and the story then looks
 * at who took which, and in which turn of the scheduler.
 *
 *     steps_watch(1000);
 *     (void)steps_start(&flood, 0);            each calls steps_seen(its number)
 *     (void)steps_start(&flood, 1);
 *     stage_expect(STEPS_OVER, NULL, 0);
 *     EXPECT(steps[0].who == 0 && ...);
 *
 * All of it on scheduler 0.
 */
#pragma once

#include "runtime/linnet.h"
#include "runtime/node.h"

#include <stdbool.h>
#include <stdint.h>

enum steps_tag { STEPS_WORK = 1, STEPS_OVER };
enum { STEPS_MAX = 20000 };

extern struct step {
    unsigned who;
    uint64_t turn;
} steps[STEPS_MAX];
extern unsigned steps_count;

/* From here on; the calling story is told STEPS_OVER with the last of them. */
void steps_watch(unsigned wanted);
/* Whether there is more to see. */
bool steps_seen(unsigned who);

/* Of the scheduler that asks: the turn it is in, and how many messages one of an actor has. */
uint64_t steps_turn(void);
uint32_t steps_turn_messages(void);

/* With a few seeds. Ready actors run in order here, as with the real driver, so that each bound is
 * met exactly; and what is started is over at once. */
void steps_play(void (*story)(void), const struct ln_node_options *options);
/* turns as they are, and short ones */
extern const struct ln_node_options steps_plain, steps_short;

/* An actor whose state is its number. */
ln_pid steps_start(const struct ln_behaviour *behaviour, unsigned number);
/* Its init; the other one also sends it its first STEPS_WORK. */
int steps_actor_init(void *state, const void *argument);
int steps_actor_init_busy(void *state, const void *argument);
