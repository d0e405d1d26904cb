/* SPDX-License-Identifier: Apache-2.0 */
/* Two threads, each bound to a core, throw a number back and forth. Whoever catches it adds one. */
#include "bench/placement.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* A look is so short that both threads may well run throughout, even where others want the
 * cores. */
enum { TRIPS = 50, LOOKS = 1000, NS_PER_SECOND = 1000000000, NS_PER_MS = 1000000 };
/* No cores are further apart; who needs longer was not running. */
enum { IMPOSSIBLE_NS = 1000, AGREEING_MIN = 5, AGREEING_PERCENT = 130 };

struct court {
    _Alignas(64) atomic_uint ball;
    _Alignas(64) atomic_bool over;
    unsigned cores[2];
    uint32_t looks_ns[LOOKS]; /* of a line, one way */
    unsigned looks;
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
        if (on) {
            uint64_t line_ns = took_ns / (2 * (uint64_t)TRIPS);
            court->looks_ns[court->looks++] = line_ns < UINT32_MAX ? (uint32_t)line_ns : UINT32_MAX;
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
placement_judge(const uint32_t *looks_ns, unsigned count)
{
    uint32_t least_ns = UINT32_MAX;
    unsigned agreeing = 0;
    for (unsigned i = 0; i < count; i++) {
        least_ns = looks_ns[i] < least_ns ? looks_ns[i] : least_ns;
    }
    for (unsigned i = 0; i < count && least_ns <= IMPOSSIBLE_NS; i++) {
        agreeing += (uint64_t)looks_ns[i] * 100 <= (uint64_t)least_ns * AGREEING_PERCENT;
    }
    return agreeing >= AGREEING_MIN ? least_ns : 0;
}

uint32_t
placement_line_ns(void)
{
    static struct court court; /* too large for a stack; one look at a time */
    court = (struct court){0};
    pthread_t threads[2];
    if (!cores_find(court.cores) || pthread_create(&threads[0], NULL, player, &court) != 0) {
        return 0;
    }
    if (pthread_create(&threads[1], NULL, timer, &court) == 0) {
        (void)pthread_join(threads[1], NULL);
    }
    atomic_store_explicit(&court.over, true, memory_order_relaxed);
    (void)pthread_join(threads[0], NULL);
    return placement_judge(court.looks_ns, court.looks);
}
