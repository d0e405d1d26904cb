/* SPDX-License-Identifier: Apache-2.0 */
/* A hundred chains: each actor spawns the next and ends. The last of a chain tells how many there
 * were. */
#include "bench/runtime/measure.h"

#include <string.h>

enum { CHAINS = 100, CHAIN_ACTORS = 10000, DONE = 1 };

struct chain {
    ln_pid root;
    uint64_t left, spawned;
};

static const struct ln_behaviour ephemeral;

static int
ephemeral_init(void *state, const void *argument)
{
    (void)state;
    struct chain mine = *(const struct chain *)argument;
    mine.spawned++;
    if (--mine.left == 0) {
        measure_send(mine.root, DONE, mine.spawned);
    } else {
        ln_pid pid;
        int error = ln_spawn(&ephemeral, &mine, sizeof mine, NULL, &pid);
        ln_actor_check(error == 0);
    }
    ln_stop(LN_EXIT_NORMAL, "done");
    return 0;
}

static void
ephemeral_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    (void)msg;
}
static const struct ln_behaviour ephemeral = {
    .name = "ephemeral", .init = ephemeral_init, .handle = ephemeral_handle};

static void
play(void)
{
    struct chain argument = {.root = ln_self(), .left = CHAIN_ACTORS};
    uint64_t since_ns = measure_now_ns();
    for (unsigned i = 0; i < CHAINS; i++) {
        (void)measure_spawn(&ephemeral, &argument, sizeof argument, i % ln_schedulers());
    }
    uint64_t total = 0;
    for (unsigned i = 0; i < CHAINS; i++) {
        total += measure_receive(DONE);
    }
    ln_actor_check(total == (uint64_t)CHAINS * CHAIN_ACTORS);
    measure_ns(ln_schedulers() == 1 ? "spawn and exit" : "spawn and exit, 2 schedulers", since_ns,
               total);
}

int
main(int count, char **arguments)
{
    return measure_main(&(struct measure){.schedulers = 1, .play = play}, count, arguments);
}
