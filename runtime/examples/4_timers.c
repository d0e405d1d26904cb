/* SPDX-License-Identifier: Apache-2.0 */
/* Step 4: time, on a clock of our own.
 *
 *     ninja -C build/release 4_timers && build/release/runtime/examples/4_timers
 *
 * The same actors on the simulated machine: its clock jumps to whatever comes next, so three hours
 * pass in no time, and a run with the same seed is the same run. Tests are written like this. */
#include <linnet/io/sim.h>
#include <linnet/node.h>

#include <stdio.h>

enum tag { TICK = 1, PATIENCE };

struct clock {
    uint64_t patience; /* the timer of it */
    unsigned ticks;
};

static unsigned
minutes_now(void)
{
    return (unsigned)(ln_now_ns() / 1000000000 / 60);
}

static void
tick_later(void)
{
    struct ln_msg *tick = ln_msg_new(TICK, LN_DURABLE, 0);
    (void)ln_send_after(40ull * 60 * 1000, ln_self(), &tick);
}

static int
clock_init(void *state, const void *argument)
{
    struct clock *clock = state;
    (void)argument;
    tick_later();
    struct ln_msg *patience = ln_msg_new(PATIENCE, LN_DURABLE, 0);
    clock->patience = ln_send_after(60ull * 60 * 1000, ln_self(), &patience);
    return 0;
}

static void
clock_handle(void *state, struct ln_msg **msg)
{
    struct clock *clock = state;
    if ((*msg)->tag == PATIENCE) {
        (void)printf("minute %3u: out of patience\n", minutes_now());
        return;
    }
    (void)printf("minute %3u: tick %u\n", minutes_now(), ++clock->ticks);
    if (clock->ticks == 2 && ln_cancel_timer(clock->patience) != 0) {
        (void)printf("minute %3u: too late to be patient\n", minutes_now());
    }
    if (clock->ticks == 4) {
        ln_stop(LN_EXIT_NORMAL, "enough");
        return;
    }
    tick_later();
}

static const struct ln_behaviour clock_behaviour = {.name = "clock",
                                                    .state_bytes = sizeof(struct clock),
                                                    .init = clock_init,
                                                    .handle = clock_handle};

int
main(void)
{
    struct io_driver *driver;
    if (sim_open(&(struct sim_options){.seed = 4, .root = "."}, &driver) != 0) {
        return 1;
    }
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
    ln_node_root(node, &clock_behaviour, NULL, 0); /* a behaviour can be the root as well */
    int error = ln_node_start(node);
    if (error == 0) {
        (void)ln_node_join(node);
    }
    ln_node_close(&node);
    io_driver_close(driver);
    return error == 0 ? 0 : 1;
}
