/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.h - when messages are due in an open loop, fixed before the first is sent.
 *
 *     schedule_init(&schedule, seed, rate, directions);
 *     schedule_next(&schedule, &due);        due.at_ns since the start, due.direction who writes
 *
 * Arrivals are a Poisson process: people don't write in step. One process of the whole rate whose
 * arrivals fall to a direction at random is the same as one process for each direction, and needs
 * no heap to find the next. It depends on the seed alone: what the node does never delays it, so a
 * slow node is seen in the latencies instead of in a lower rate (no coordinated omission).
 *
 * Plain memory; any thread.
 */
#pragma once

#include <stdint.h>

/* Filled by schedule_init. */
struct schedule {
    uint64_t chance;
    double mean_ns;
    double at_ns;
    uint32_t directions;
};

struct schedule_due {
    uint64_t at_ns;
    uint32_t direction; /* below `directions` */
};

/* `rate_per_s` arrivals a second in all, above 0, over so many directions, above 0. */
void schedule_init(struct schedule *schedule, uint64_t seed, double rate_per_s,
                   uint32_t directions);
/* The next arrival; its instant is never before the one of the call before. */
void schedule_next(struct schedule *schedule, struct schedule_due *out);
