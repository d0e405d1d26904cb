/* SPDX-License-Identifier: Apache-2.0 */
/* One message to each of a million idle actors, in random order. */
#include "bench/runtime/idle.h"

enum { ACTORS = 1000000 };

static ln_pid pids[ACTORS];
static uint64_t counted;

static void
play(void)
{
    if (pids[0] == 0) {
        idle_spawn(&idle_behaviour, &counted, pids, ACTORS);
    }
    measure_shuffle(pids, ACTORS);
    uint64_t since_ns = measure_now_ns();
    idle_poke(&counted, pids, ACTORS);
    measure_ns("a message to each of a million", since_ns, ACTORS);
}

int
main(int count, char **arguments)
{
    return measure_main(&(struct measure){.schedulers = 1, .play = play}, count, arguments);
}
