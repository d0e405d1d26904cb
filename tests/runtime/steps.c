/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/steps.h"

#include "runtime/io/sim.h"
#include "runtime/node_priv.h"
#include "tests/runtime/stage.h"

enum { SEEDS = 3 };

const struct ln_node_options steps_plain = {0};
const struct ln_node_options steps_short = {.turn_messages = 7};
struct step steps[STEPS_MAX];
unsigned steps_count;

static unsigned wanted_count;
static ln_pid teller;

void
steps_watch(unsigned wanted)
{
    EXPECT(wanted <= STEPS_MAX);
    steps_count = 0;
    wanted_count = wanted;
    teller = ln_self();
}

bool
steps_seen(unsigned who)
{
    if (steps_count == wanted_count) {
        return false;
    }
    steps[steps_count].who = who;
    steps[steps_count++].turn = steps_turn();
    if (steps_count == wanted_count) {
        stage_say(teller, STEPS_OVER);
    }
    return true;
}

uint64_t
steps_turn(void)
{
    return scheduler_current()->stats.turns;
}

uint32_t
steps_turn_messages(void)
{
    return scheduler_current()->node->turn_messages;
}

void
steps_play(void (*story)(void), const struct ln_node_options *options)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct sim_options machine = {
            .seed = seed,
            .ready_in_order = true,
            .network_delay_ns_max = 1,
            .work_delay_ns_max = 1,
        };
        stage_play_once(story, &machine, options);
    }
}

ln_pid
steps_start(const struct ln_behaviour *behaviour, unsigned number)
{
    ln_pid pid;
    EXPECT(ln_spawn(behaviour, &number, sizeof number, NULL, &pid) == 0);
    return pid;
}

int
steps_actor_init(void *state, const void *argument)
{
    *(unsigned *)state = *(const unsigned *)argument;
    return 0;
}

int
steps_actor_init_busy(void *state, const void *argument)
{
    stage_say(ln_self(), STEPS_WORK);
    return steps_actor_init(state, argument);
}
