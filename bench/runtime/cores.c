/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine charges at this moment, with nothing of ours in between: a cache line to another
 * core and back, and waking a thread that sleeps on an eventfd. Where cores are lent by a
 * hypervisor, the distance between two of them changes as it moves them: measure it in the same
 * run. */
#include "runtime/check.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { TRIPS = 200000, WAKES = 20000 };

static struct {
    _Alignas(64) atomic_uint ball;
    _Alignas(64) int wake[2];
    bool pinned;
} table;

static void
pin(unsigned core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    table.pinned = sched_setaffinity(0, sizeof set, &set) == 0 && table.pinned;
}

static uint64_t
now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void
trips(unsigned parity)
{
    for (unsigned i = 0; i < TRIPS; i++) {
        while (atomic_load_explicit(&table.ball, memory_order_acquire) % 2 != parity) {
        }
        atomic_fetch_add_explicit(&table.ball, 1, memory_order_release);
    }
}

static void
wakes(unsigned first)
{
    uint64_t count;
    for (unsigned i = 0; i < WAKES; i++) {
        if (first == 0) {
            ASSERT(write(table.wake[1], &(uint64_t){1}, sizeof count) == sizeof count);
        }
        ASSERT(read(table.wake[first], &count, sizeof count) == sizeof count);
        if (first == 1) {
            ASSERT(write(table.wake[0], &(uint64_t){1}, sizeof count) == sizeof count);
        }
    }
}

static void *
other(void *core)
{
    pin(*(unsigned *)core);
    trips(1);
    wakes(1);
    return NULL;
}

int
main(void)
{
    unsigned core = 1;
    pthread_t thread;
    table.pinned = true;
    table.wake[0] = eventfd(0, EFD_CLOEXEC);
    table.wake[1] = eventfd(0, EFD_CLOEXEC);
    ASSERT(table.wake[0] >= 0 && table.wake[1] >= 0);
    ASSERT(pthread_create(&thread, NULL, other, &core) == 0);
    pin(0);
    uint64_t begin_ns = now_ns();
    trips(0);
    uint64_t thrown_ns = now_ns();
    wakes(0);
    uint64_t woken_ns = now_ns();
    (void)pthread_join(thread, NULL);
    if (!table.pinned) {
        (void)fprintf(stderr, "cores: needs cores 0 and 1\n");
        return 1;
    }
    (void)printf("{\"measure\": \"cache line to the other core\", \"round\": 1, \"unit\": \"ns\", "
                 "\"value\": %.2f}\n",
                 (double)(thrown_ns - begin_ns) / (2.0 * TRIPS));
    (void)printf("{\"measure\": \"waking a sleeping thread\", \"round\": 1, \"unit\": \"ns\", "
                 "\"value\": %.2f}\n",
                 (double)(woken_ns - thrown_ns) / (2.0 * WAKES));
    return 0;
}
