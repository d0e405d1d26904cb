/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/runtime/idle.h"

enum { BATCH = 1000, POKE = 1 };

static int
sleeper_init(void *state, const void *argument)
{
    struct sleeper *sleeper = state;
    sleeper->counted = *(uint64_t *const *)argument;
    return 0;
}

static void
sleeper_handle(void *state, struct ln_msg **msg)
{
    const struct sleeper *sleeper = state;
    *sleeper->counted += (*msg)->tag == POKE;
}
const struct ln_behaviour idle_behaviour = {.name = "sleeper",
                                            .state_bytes = sizeof(struct sleeper),
                                            .init = sleeper_init,
                                            .handle = sleeper_handle};

static void
sleeper_run(void *state)
{
    struct ln_msg *msg = NULL;
    while (ln_receive(LN_FOREVER, &msg) == 0) {
        sleeper_handle(state, &msg);
        ln_msg_free(&msg);
    }
}
const struct ln_behaviour idle_process = {.name = "sleeping process",
                                          .state_bytes = sizeof(struct sleeper),
                                          .init = sleeper_init,
                                          .run = sleeper_run};

void
idle_spawn(const struct ln_behaviour *behaviour, uint64_t *counted, ln_pid *pids, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        pids[i] = measure_spawn(behaviour, &counted, sizeof(uint64_t *), 0);
        if (i % BATCH == 0) {
            ln_yield();
        }
    }
    ln_yield();
}

void
idle_poke(uint64_t *counted, const ln_pid *pids, uint64_t count)
{
    *counted = 0;
    for (uint64_t i = 0; i < count; i++) {
        struct ln_msg *msg = ln_msg_new(POKE, LN_DURABLE, 0);
        ln_send(pids[i], &msg);
        if (i % BATCH == 0) {
            ln_yield();
        }
    }
    ln_yield();
    ln_actor_check(*counted == count);
}
