/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/clock.h"

#include "actors/connection.h"
#include "actors/messenger.h"
#include "runtime/sweep.h"
#include "runtime/text.h"

enum { CLOCK_TICK = 0x00040000 }; /* to itself */

struct clock {
    const struct messenger *messenger;
    struct ln_sweep sweep;
};

/* Steps are spread over the round. */
static void
tick_after_pause(const struct clock *clock)
{
    uint64_t round_ms = clock->messenger->limits.idle_timeout_ms / CLOCK_ROUNDS;
    uint64_t steps = clock->sweep.slots / CLOCK_STEP + 1;
    struct ln_msg *tick = ln_msg_new(CLOCK_TICK, LN_REPLY, 0);
    (void)ln_send_after(round_ms / steps, ln_self(), &tick);
}

static int
clock_init(void *state, const void *argument)
{
    struct clock *clock = state;
    clock->messenger = *(struct messenger *const *)argument;
    tick_after_pause(clock);
    return 0;
}

static void
clock_handle(void *state, struct ln_msg **msg)
{
    struct clock *clock = state;
    if ((*msg)->tag == CLOCK_TICK) {
        ln_sweep(&clock->sweep, &connection_behaviour, CONNECTION_LOOK, CLOCK_STEP);
        tick_after_pause(clock);
    }
}

static void
clock_print(const void *state, struct ln_text *out)
{
    const struct clock *clock = state;
    ln_text_print(out, "at slot %u of %u", clock->sweep.next, clock->sweep.slots);
}

const struct ln_behaviour clock_behaviour = {
    .name = "clock",
    .state_bytes = sizeof(struct clock),
    .init = clock_init,
    .handle = clock_handle,
    .print = clock_print,
};
