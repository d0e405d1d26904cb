/* SPDX-License-Identifier: Apache-2.0 */
/* timer.h - a scheduler's clockwork: what shall happen when, in constant time.
 *
 * A hierarchical wheel (Varghese and Lauck 1987): six levels of 64 slots, a tick of one
 * millisecond, so that timers up to two years away are set and cancelled by linking and unlinking.
 * A timer never fires early; it fires in the first turn after its millisecond has passed. Timers of
 * one millisecond fire in the order in which they were set.
 *
 * The clock is not read for each timer. timer_set_after notes the delay alone, and the delays of a
 * turn begin when the turn ends (timer_wheel_start): a timer never fires early, however long its
 * turn took, and one that is cancelled within the turn (an answer that came at once) never reached
 * the wheel.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIMER_LEVELS = 6, TIMER_SLOTS = 64, TIMER_SLOT_BITS = 6 };

struct timer {
    struct timer *next, **previous; /* previous == NULL: not set */
    uint64_t at_ms;                 /* a delay, while it waits for timer_wheel_start */
    void (*fire)(struct timer *timer);
};

struct timer_wheel {
    uint64_t now_ms; /* all that was due up to here has fired */
    uint64_t occupied[TIMER_LEVELS];
    struct timer *slots[TIMER_LEVELS][TIMER_SLOTS];
    struct timer **tails[TIMER_LEVELS][TIMER_SLOTS];
    struct timer *fresh, **fresh_tail; /* set by delay, not begun yet */
    uint64_t set_count;
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);

/* Sets it to fire at `at_ms`, or as soon as possible when that is past. It is not set already. The
 * struct stays at its place until it has fired or is cancelled. */
void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t at_ms,
               void (*fire)(struct timer *timer));
/* The same, `delay_ms` or a little more after the next timer_wheel_start. */
void timer_set_after(struct timer_wheel *wheel, struct timer *timer, uint64_t delay_ms,
                     void (*fire)(struct timer *timer));
/* Unsets it; no effect when it is not set. */
void timer_cancel(struct timer_wheel *wheel, struct timer *timer);
static inline bool
timer_is_set(const struct timer *timer)
{
    return timer->previous != NULL;
}

/* Begins the delays. `now_ms`: now, rounded down. */
void timer_wheel_start(struct timer_wheel *wheel, uint64_t now_ms);
/* Fires all that is due at `now_ms`. A firing timer may set and cancel others. */
void timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms);
/* When the next one may be due: never later than it is, perhaps earlier (a cascade). UINT64_MAX:
 * none is set. All delays have begun. */
uint64_t timer_wheel_next_ms(const struct timer_wheel *wheel);
