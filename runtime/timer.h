/* SPDX-License-Identifier: Apache-2.0 */
/* timer.h - a scheduler's clockwork: what shall happen when, in constant time.
 *
 * A hierarchical wheel (Varghese and Lauck 1987): six levels of 64 slots, a tick of one
 * millisecond, so that timers up to two years away are set and cancelled by linking and unlinking.
 * A timer never fires early; it fires in the first turn after its millisecond has passed. Timers of
 * one millisecond fire in the order in which they were set.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIMER_LEVELS = 6, TIMER_SLOTS = 64, TIMER_SLOT_BITS = 6 };

struct timer {
    struct timer *next, **previous; /* previous == NULL: not set */
    uint64_t at_ms;
    void (*fire)(struct timer *timer);
};

struct timer_wheel {
    uint64_t now_ms; /* all that was due up to here has fired */
    uint64_t occupied[TIMER_LEVELS];
    struct timer *slots[TIMER_LEVELS][TIMER_SLOTS];
    struct timer **tails[TIMER_LEVELS][TIMER_SLOTS];
    uint64_t set_count;
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);

/* Sets it to fire at `at_ms` (at once when that is past). The struct is the caller's until it has
 * fired. */
void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t at_ms,
               void (*fire)(struct timer *timer));
/* Unsets it; no effect when it is not set. */
void timer_cancel(struct timer_wheel *wheel, struct timer *timer);
static inline bool
timer_is_set(const struct timer *timer)
{
    return timer->previous != NULL;
}

/* Fires all that is due at `now_ms`. A firing timer may set and cancel others. */
void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms);
/* When the next one may be due: never later than it is, perhaps earlier (a cascade); UINT64_MAX:
 * none is set. */
uint64_t timer_wheel_next_ms(const struct timer_wheel *wheel);
