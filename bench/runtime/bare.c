/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/runtime/bare.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void
bare_pin(unsigned core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        (void)fprintf(stderr, "needs cores 0 and 1\n");
        exit(1); // NOLINT(concurrency-mt-unsafe)
    }
}

uint64_t
bare_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void
bare_tell(const char *what, uint64_t since_ns, double count)
{
    (void)printf("{\"measure\": \"%s\", \"round\": 1, \"unit\": \"ns\", \"value\": %.2f}\n", what,
                 (double)(bare_now_ns() - since_ns) / count);
}
