/* SPDX-License-Identifier: Apache-2.0 */
/* idle.h - actors at rest, and one message to each of them. */
#pragma once

#include "bench/runtime/measure.h"

/* An actor that counts messages in `counted`, with 64 bytes of state in all. */
struct sleeper {
    uint64_t *counted;
    uint64_t rest[7];
};

/* A behaviour, and a process, of the same use. */
extern const struct ln_behaviour idle_behaviour, idle_process;

/* Spawns them, and lets each begin. */
void idle_spawn(const struct ln_behaviour *behaviour, uint64_t *counted, ln_pid *pids,
                uint64_t count);
/* Sends each a message, in the array's order, lets others run after each thousand, and checks that
 * each has counted. */
void idle_poke(uint64_t *counted, const ln_pid *pids, uint64_t count);
