/* SPDX-License-Identifier: Apache-2.0 */
/* What an actor at rest takes of resident memory, everything included: its mailbox, its pid, its
 * stack if it is a process. */
#include "bench/runtime/idle.h"

#include <string.h>

enum { BEHAVIOURS = 1000000, PROCESSES = 20000 };

static ln_pid pids[BEHAVIOURS];
static uint64_t counted;

static void
rest(const char *what, const struct ln_behaviour *behaviour, uint64_t count)
{
    memset(pids, 1, count * sizeof *pids); /* resident before we look */
    ln_yield();
    uint64_t before_bytes = measure_resident_bytes();
    idle_spawn(behaviour, &counted, pids, count);
    measure_tell(what, "bytes", (double)(measure_resident_bytes() - before_bytes) / (double)count);
    idle_poke(&counted, pids, count);
    for (uint64_t i = 0; i < count; i++) {
        ln_kill(pids[i], LN_EXIT_KILLED);
    }
    ln_yield();
}

static void
play(void)
{
    rest("idle process", &idle_process, PROCESSES);
    rest("idle behaviour", &idle_behaviour, BEHAVIOURS);
}

int
main(int count, char **arguments)
{
    return measure_main(&(struct measure){.schedulers = 1, .rounds = 1, .play = play}, count,
                        arguments);
}
