/* SPDX-License-Identifier: Apache-2.0 */
/* timer.h - a scheduler's clockwork: what shall happen when, in constant time.
 *
 * A hierarchical wheel (Varghese and Lauck 1987): six levels of 64 slots, a tick of one
 * millisecond, so that timers up to two years away are set and cancelled by a note in a slot. A
 * timer never fires early; it fires in the first turn after its millisecond has passed. Timers of
 * one millisecond fire in the order in which they were set.
 *
 * A slot's notes lie in chunks of a cache line each, six to a chunk. To cancel a timer touches the
 * timer and its chunk, where a list would touch two other timers; at a million of them each touch
 * is a cache miss. A chunk that holds no note any more is free: there are never more chunks than
 * timers.
 *
 * The clock is not read for each timer. timer_set_after notes the delay alone, and the delays of a
 * turn begin when the turn ends (timer_wheel_start): a timer never fires early, however long its
 * turn took, and one that is cancelled within the turn (an answer that came at once) never reached
 * the wheel.
 *
 * A timer that may be late lets others share its wake-up: it is put off to a millisecond that is a
 * multiple of as large a power of two as its slack allows, and so are all that have as much slack
 * or more.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/pool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TIMER_LEVELS = 6,
    TIMER_SLOTS = 64,
    TIMER_SLOT_BITS = 6,
    TIMER_FRESH = TIMER_LEVELS * TIMER_SLOTS, /* the slot of those that have not begun */
    TIMER_CHUNK_NOTES = 6,
    TIMER_CHUNK_BYTES = 64,
};

struct timer {
    uintptr_t note; /* its chunk's address, plus its place there; 0: it is not set */
    uint64_t at_ms; /* while it waits for timer_wheel_start: the delay, and above it the slack */
    void (*fire)(struct timer *timer);
};

struct timer_chunk {
    uint32_t next, previous; /* of the slot, in the pool; 0: none */
    uint32_t number;         /* its own */
    uint16_t slot;
    uint8_t used, live; /* notes made, and those that stand */
    struct timer *notes[TIMER_CHUNK_NOTES];
};
_Static_assert(sizeof(struct timer_chunk) == TIMER_CHUNK_BYTES, "a chunk is a cache line");

struct timer_slot {
    struct timer_chunk *first, *last;
};

struct timer_wheel {
    uint64_t now_ms; /* all that was due up to here has fired */
    uint64_t occupied[TIMER_LEVELS];
    struct timer_slot slots[TIMER_FRESH + 1];
    struct pool chunks;
    struct timer_chunk *spare;
    uint64_t set_count;
};

void timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms);
/* Timers that are still set are forgotten. */
void timer_wheel_fini(struct timer_wheel *wheel);

/* Sets it to fire at `at_ms`, or as soon as possible when that is past. It is not set already. The
 * struct stays at its place until it has fired or is cancelled. */
void timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t at_ms,
               void (*fire)(struct timer *timer));
/* The same, `delay_ms` or a little more after the next timer_wheel_start. */
void timer_set_after(struct timer_wheel *wheel, struct timer *timer, uint64_t delay_ms,
                     void (*fire)(struct timer *timer));
/* The same, and up to `slack_ms` later. */
void timer_set_within(struct timer_wheel *wheel, struct timer *timer, uint64_t delay_ms,
                      uint64_t slack_ms, void (*fire)(struct timer *timer));
/* Gets what timer_cancel will touch on its way from memory. */
static inline void
timer_prefetch(const struct timer *timer)
{
    __builtin_prefetch((const void *)timer->note, 1); // NOLINT(performance-no-int-to-ptr)
}
/* Unsets it; no effect when it is not set. */
void timer_cancel(struct timer_wheel *wheel, struct timer *timer);
static inline bool
timer_is_set(const struct timer *timer)
{
    return timer->note != 0;
}

/* What the notes of set timers take; the timers themselves are their owners'. */
static inline uint64_t
timer_wheel_bytes_used(const struct timer_wheel *wheel)
{
    return pool_bytes_used(&wheel->chunks) - (wheel->spare != NULL ? TIMER_CHUNK_BYTES : 0);
}

/* Whether there are delays to begin. */
static inline bool
timer_wheel_waits(const struct timer_wheel *wheel)
{
    return wheel->slots[TIMER_FRESH].first != NULL;
}
/* Begins the delays. `now_ms`: now, rounded down. */
void timer_wheel_start(struct timer_wheel *wheel, uint64_t now_ms);
/* Fires what is due at `now_ms`, `fires_max` at most: the rest at the next call, before all that is
 * due later. A firing timer may set and cancel others. */
void timer_wheel_advance_some(struct timer_wheel *wheel, uint64_t now_ms, uint32_t fires_max);
/* The same without a limit. */
static inline void
timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms)
{
    timer_wheel_advance_some(wheel, now_ms, UINT32_MAX);
}
/* When the next one may be due: never later than it is, perhaps earlier (a cascade). UINT64_MAX:
 * none is set. All delays have begun. */
uint64_t timer_wheel_next_ms(const struct timer_wheel *wheel);
