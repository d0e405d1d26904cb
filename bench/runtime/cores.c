/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine charges at this moment, with nothing of ours in between: a cache line to another
 * core and back, and waking a thread that sleeps on an eventfd. Where cores are lent by a
 * hypervisor, the distance between two of them changes as it moves them: measure it in the same
 * run. */
#include "bench/runtime/bare.h"
#include "runtime/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TRIPS = 200000, WAKES = 20000 };

static struct {
    _Alignas(64) atomic_uint ball;
    _Alignas(64) int wake[2];
} table;

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
other(void *unused)
{
    bare_pin(1);
    trips(1);
    wakes(1);
    return unused;
}

int
main(void)
{
    pthread_t thread;
    table.wake[0] = eventfd(0, EFD_CLOEXEC);
    table.wake[1] = eventfd(0, EFD_CLOEXEC);
    ASSERT(table.wake[0] >= 0 && table.wake[1] >= 0);
    ASSERT(pthread_create(&thread, NULL, other, NULL) == 0);
    bare_pin(0);
    uint64_t since_ns = bare_now_ns();
    trips(0);
    bare_tell("cache line to the other core", since_ns, 2.0 * TRIPS);
    since_ns = bare_now_ns();
    wakes(0);
    bare_tell("waking a sleeping thread", since_ns, 2.0 * WAKES);
    (void)pthread_join(thread, NULL);
    return 0;
}
