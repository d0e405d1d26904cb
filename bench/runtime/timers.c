/* SPDX-License-Identifier: Apache-2.0 */
/* A million timers, due within the second minute from now, are set, then cancelled: once in the
 * order in which they were set, once at random. After each thousand other actors may run. */
#include "bench/runtime/measure.h"

enum {
    TIMERS = 1000000,
    BATCH = 1000,
    SOON_MS = 60000,
    SPREAD_MS = 60000,
    STEP_MS = 7919,
    DUE = 1
};

static uint64_t timers[TIMERS];

static void
set_all(void)
{
    ln_pid self = ln_self();
    for (unsigned i = 0; i < TIMERS; i++) {
        struct ln_msg *msg = ln_msg_new(DUE, LN_DURABLE, 0);
        uint64_t delay_ms = SOON_MS + (uint64_t)i * STEP_MS % SPREAD_MS;
        timers[i] = ln_send_after(delay_ms, self, &msg);
        if (i % BATCH == 0) {
            ln_yield();
        }
    }
}

static void
cancel_all(void)
{
    unsigned cancelled = 0;
    for (unsigned i = 0; i < TIMERS; i++) {
        cancelled += ln_cancel_timer(timers[i]) == 0;
        if (i % BATCH == 0) {
            ln_yield();
        }
    }
    ln_actor_check(cancelled == TIMERS);
    ln_actor_check(ln_cancel_timer(timers[0]) != 0);
}

static void
play(void)
{
    uint64_t since_ns = measure_now_ns();
    set_all();
    measure_ns("timer set", since_ns, TIMERS);
    (void)ln_sleep(2); /* all of them have begun */
    since_ns = measure_now_ns();
    cancel_all();
    measure_ns("timer cancelled in order", since_ns, TIMERS);

    set_all();
    (void)ln_sleep(2);
    measure_shuffle(timers, TIMERS);
    since_ns = measure_now_ns();
    cancel_all();
    measure_ns("timer cancelled at random", since_ns, TIMERS);
}

int
main(int count, char **arguments)
{
    return measure_main(&(struct measure){.schedulers = 1, .play = play}, count, arguments);
}
