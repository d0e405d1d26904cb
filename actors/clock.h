/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - wakes a scheduler's connections now and then, so that each sees how long its client has
 * been silent. One actor per scheduler.
 *
 * A timer for each connection would take more memory than all that the connection knows of its
 * client. So the clock goes round over all of them, CLOCK_ROUNDS times in an idle timeout, in small
 * steps, which are larger where millions leave no millisecond for each; a connection compares the
 * time with when it was last heard. Silence is noticed late by one round at most.
 *
 * Probes of how far the scheduler is behind (pressure.h) come here, too.
 */
#pragma once

#include "runtime/linnet.h"

enum {
    CLOCK_ROUNDS = 8,
    /* Woken at once: as much as a scheduler does in a tenth of a millisecond. */
    CLOCK_STEP = 256,
};

/* How a round over so many slots is cut: a step every pause_ms, which is never 0. */
struct clock_pace {
    uint32_t slots; /* of a step */
    uint64_t pause_ms;
};
struct clock_pace clock_pace(uint32_t slots, uint64_t round_ms);

/* The argument: a struct messenger *. */
extern const struct ln_behaviour clock_behaviour;
