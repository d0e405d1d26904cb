/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/clock.h"

#include "actors/connection.h"
#include "actors/messenger.h"
#include "runtime/sweep.h"
#include "runtime/text.h"

enum { CLOCK_TICK = 0x00040000 }; /* to itself; and pressure.h */

struct clock {
    const struct messenger *messenger;
    struct ln_sweep sweep;
};

struct clock_pace
clock_pace(uint32_t slots, uint64_t round_ms)
{
    uint64_t pause_ms = round_ms / (slots / CLOCK_STEP + 1);
    if (pause_ms > 0) {
        return (struct clock_pace){CLOCK_STEP, pause_ms};
    }
    uint64_t steps = round_ms > 0 ? round_ms : 1;
    return (struct clock_pace){(uint32_t)(slots / steps + 1), 1};
}

/* Steps are spread over the round. */
static struct clock_pace
pace_now(const struct clock *clock)
{
    return clock_pace(clock->sweep.slots, clock->messenger->limits.idle_timeout_ms / CLOCK_ROUNDS);
}

static void
tick_after_pause(const struct clock *clock)
{
    struct ln_msg *tick = ln_msg_new(CLOCK_TICK, LN_REPLY, 0);
    (void)ln_send_after(pace_now(clock).pause_ms, ln_self(), &tick);
}

static int
clock_init(void *state, const void *argument)
{
    struct clock *clock = state;
    clock->messenger = *(struct messenger *const *)argument;
    pressure_start(messenger_gauge(clock->messenger));
    tick_after_pause(clock);
    return 0;
}

static void
clock_handle(void *state, struct ln_msg **msg)
{
    struct clock *clock = state;
    if ((*msg)->tag == CLOCK_TICK) {
        ln_sweep(&clock->sweep, &connection_behaviour, CONNECTION_LOOK, pace_now(clock).slots);
        tick_after_pause(clock);
    } else if ((*msg)->tag == PRESSURE_ASKED || (*msg)->tag == PRESSURE_PROBE) {
        pressure_told(messenger_gauge(clock->messenger), (*msg)->tag);
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
