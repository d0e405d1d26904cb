/* SPDX-License-Identifier: Apache-2.0 */
/* Two threads, each bound to a core, throw a number back and forth. Whoever catches it adds one. */
#include "bench/placement.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum { TRIPS = 500, LOOKS = 200, NS_PER_SECOND = 1000000000, NS_PER_MS = 1000000 };

struct court {
    _Alignas(64) atomic_uint ball;
    _Alignas(64) atomic_bool over;
    unsigned cores[2];
    uint64_t least_ns; /* for TRIPS there and back */
};

static uint64_t
now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static bool
bind_to(unsigned core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

/* False: the other has left. */
static bool
catch_and_throw(struct court *court, unsigned parity)
{
    while (atomic_load_explicit(&court->ball, memory_order_acquire) % 2 != parity) {
        if (atomic_load_explicit(&court->over, memory_order_relaxed)) {
            return false;
        }
    }
    atomic_fetch_add_explicit(&court->ball, 1, memory_order_release);
    return true;
}

static void *
player(void *argument)
{
    struct court *court = argument;
    if (bind_to(court->cores[1])) {
        while (catch_and_throw(court, 1)) {
        }
    }
    atomic_store_explicit(&court->over, true, memory_order_relaxed);
    return NULL;
}

static void *
timer(void *argument)
{
    struct court *court = argument;
    uint64_t end_ns = now_ns() + (uint64_t)PLACEMENT_MS_MAX * NS_PER_MS;
    bool on = bind_to(court->cores[0]);
    for (unsigned look = 0; on && look < LOOKS && now_ns() < end_ns; look++) {
        uint64_t since_ns = now_ns();
        for (unsigned i = 0; on && i < TRIPS; i++) {
            on = catch_and_throw(court, 0);
        }
        uint64_t took_ns = now_ns() - since_ns;
        if (on && took_ns < court->least_ns) {
            court->least_ns = took_ns;
        }
    }
    atomic_store_explicit(&court->over, true, memory_order_relaxed);
    return NULL;
}

/* The first two that this process may run on. */
static bool
cores_find(unsigned cores[2])
{
    cpu_set_t set;
    unsigned found = 0;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return false;
    }
    for (unsigned core = 0; core < CPU_SETSIZE && found < 2; core++) {
        if (CPU_ISSET(core, &set)) {
            cores[found++] = core;
        }
    }
    return found == 2;
}

uint32_t
placement_line_ns(void)
{
    struct court court = {.least_ns = UINT64_MAX};
    pthread_t threads[2];
    if (!cores_find(court.cores) || pthread_create(&threads[0], NULL, player, &court) != 0) {
        return 0;
    }
    if (pthread_create(&threads[1], NULL, timer, &court) == 0) {
        (void)pthread_join(threads[1], NULL);
    }
    atomic_store_explicit(&court.over, true, memory_order_relaxed);
    (void)pthread_join(threads[0], NULL);
    return court.least_ns == UINT64_MAX ? 0 : (uint32_t)(court.least_ns / (2 * (uint64_t)TRIPS));
}
