/* SPDX-License-Identifier: Apache-2.0 */
/* Level l holds timers whose instant differs from now first in digit l (base 64). When the clock
 * enters a slot of a higher level, that slot's timers are dealt out again to lower levels
 * ("cascade"). Slots keep a tail, for order. */
#include "runtime/timer.h"

#include <stddef.h>

static const uint64_t horizon_ms = (uint64_t)1 << (TIMER_LEVELS * TIMER_SLOT_BITS);

static unsigned
digit(uint64_t ms, unsigned level)
{
    return (unsigned)(ms >> (level * TIMER_SLOT_BITS)) & (TIMER_SLOTS - 1);
}

void
timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms)
{
    wheel->now_ms = now_ms;
    wheel->set_count = 0;
    wheel->fresh = NULL;
    wheel->fresh_tail = &wheel->fresh;
    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        wheel->occupied[level] = 0;
        for (unsigned slot = 0; slot < TIMER_SLOTS; slot++) {
            wheel->slots[level][slot] = NULL;
            wheel->tails[level][slot] = &wheel->slots[level][slot];
        }
    }
}

static void
slot_append(struct timer_wheel *wheel, unsigned level, unsigned slot, struct timer *timer)
{
    timer->next = NULL;
    timer->previous = wheel->tails[level][slot];
    *timer->previous = timer;
    wheel->tails[level][slot] = &timer->next;
    wheel->occupied[level] |= (uint64_t)1 << slot;
}

static void
place(struct timer_wheel *wheel, struct timer *timer)
{
    if (timer->at_ms <= wheel->now_ms) {
        timer->at_ms = wheel->now_ms + 1;
    }
    uint64_t at_ms = timer->at_ms;
    if (at_ms - wheel->now_ms >= horizon_ms) {
        at_ms = wheel->now_ms + horizon_ms - 1; /* dealt out again when the clock gets there */
    }
    uint64_t difference = at_ms ^ wheel->now_ms;
    unsigned level = (63u - (unsigned)__builtin_clzll(difference)) / TIMER_SLOT_BITS;
    if (level >= TIMER_LEVELS) {
        level = TIMER_LEVELS - 1;
    }
    slot_append(wheel, level, digit(at_ms, level), timer);
}

void
timer_set(struct timer_wheel *wheel, struct timer *timer, uint64_t at_ms,
          void (*fire)(struct timer *timer))
{
    ASSERT(fire != NULL);
    timer->at_ms = at_ms;
    timer->fire = fire;
    place(wheel, timer);
    wheel->set_count++;
}

void
timer_set_after(struct timer_wheel *wheel, struct timer *timer, uint64_t delay_ms,
                void (*fire)(struct timer *timer))
{
    ASSERT(fire != NULL);
    timer->at_ms = delay_ms;
    timer->fire = fire;
    timer->next = NULL;
    timer->previous = wheel->fresh_tail;
    *timer->previous = timer;
    wheel->fresh_tail = &timer->next;
    wheel->set_count++;
}

void
timer_wheel_start(struct timer_wheel *wheel, uint64_t now_ms)
{
    struct timer *timer = wheel->fresh;
    wheel->fresh = NULL;
    wheel->fresh_tail = &wheel->fresh;
    while (timer != NULL) {
        struct timer *next = timer->next;
        /* One more, since a part of the current millisecond has passed already. */
        uint64_t from_ms = now_ms + 1;
        timer->at_ms = timer->at_ms < UINT64_MAX - from_ms ? from_ms + timer->at_ms : UINT64_MAX;
        place(wheel, timer);
        timer = next;
    }
}

static bool
tail_move(struct timer_wheel *wheel, unsigned level, unsigned slot, const struct timer *timer,
          struct timer **previous)
{
    if (wheel->tails[level][slot] != &timer->next) {
        return false;
    }
    wheel->tails[level][slot] = previous;
    if (wheel->slots[level][slot] == NULL) {
        wheel->occupied[level] &= ~((uint64_t)1 << slot);
    }
    return true;
}

/* The slot of a timer is not stored: only the last of a slot needs it, to move the tail, and finds
 * it by its link. */
static void
unlink_timer(struct timer_wheel *wheel, struct timer *timer)
{
    struct timer **previous = timer->previous;
    *previous = timer->next;
    timer->previous = NULL;
    if (timer->next != NULL) {
        timer->next->previous = previous;
        return;
    }
    if (wheel->fresh_tail == &timer->next) {
        wheel->fresh_tail = previous;
        return;
    }
    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        if (tail_move(wheel, level, digit(timer->at_ms, level), timer, previous)) {
            return;
        }
    }
    /* Its digits do not name its slot: it was beyond the horizon when it was placed. */
    for (unsigned level = TIMER_LEVELS; level-- > 0;) {
        for (unsigned slot = 0; slot < TIMER_SLOTS; slot++) {
            if (tail_move(wheel, level, slot, timer, previous)) {
                return;
            }
        }
    }
    check_failed("a timer is in no slot", __FILE__, __LINE__);
}

void
timer_cancel(struct timer_wheel *wheel, struct timer *timer)
{
    if (timer->previous == NULL) {
        return;
    }
    unlink_timer(wheel, timer);
    ASSERT(wheel->set_count > 0);
    wheel->set_count--;
}

static struct timer *
slot_take(struct timer_wheel *wheel, unsigned level, unsigned slot)
{
    struct timer *timers = wheel->slots[level][slot];
    wheel->slots[level][slot] = NULL;
    wheel->tails[level][slot] = &wheel->slots[level][slot];
    wheel->occupied[level] &= ~((uint64_t)1 << slot);
    return timers;
}

static void
cascade(struct timer_wheel *wheel, unsigned level)
{
    struct timer *timer = slot_take(wheel, level, digit(wheel->now_ms, level));
    while (timer != NULL) {
        struct timer *next = timer->next;
        if (timer->at_ms > wheel->now_ms) {
            place(wheel, timer);
        } else {
            slot_append(wheel, 0, digit(wheel->now_ms, 0), timer);
        }
        timer = next;
    }
}

static void
fire_slot(struct timer_wheel *wheel, unsigned slot)
{
    /* One by one from the head: a firing timer may cancel those behind it. It cannot add to this
     * slot, since place() puts nothing at or before now. */
    struct timer *timer;
    while ((timer = wheel->slots[0][slot]) != NULL) {
        timer_cancel(wheel, timer);
        timer->fire(timer);
    }
}

uint64_t
timer_wheel_next_ms(const struct timer_wheel *wheel)
{
    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        unsigned shift = level * TIMER_SLOT_BITS;
        unsigned here = digit(wheel->now_ms, level);
        /* Slots at or before `here` belong to the wheel's next round; at the highest level they may
         * hold timers. */
        uint64_t ahead =
            here == TIMER_SLOTS - 1 ? 0 : wheel->occupied[level] & (~(uint64_t)0 << (here + 1));
        uint64_t round = (wheel->now_ms >> shift) & ~(uint64_t)(TIMER_SLOTS - 1);
        if (ahead != 0) {
            return (round + (unsigned)__builtin_ctzll(ahead)) << shift;
        }
        if (level == TIMER_LEVELS - 1 && wheel->occupied[level] != 0) {
            return (round + TIMER_SLOTS + (unsigned)__builtin_ctzll(wheel->occupied[level]))
                   << shift;
        }
    }
    return UINT64_MAX;
}

void
timer_wheel_advance(struct timer_wheel *wheel, uint64_t now_ms)
{
    while (wheel->now_ms < now_ms) {
        uint64_t next_ms = timer_wheel_next_ms(wheel);
        if (next_ms > now_ms) {
            wheel->now_ms = now_ms;
            return;
        }
        wheel->now_ms = next_ms;
        for (unsigned level = TIMER_LEVELS - 1; level > 0; level--) {
            uint64_t below = ((uint64_t)1 << (level * TIMER_SLOT_BITS)) - 1;
            if ((next_ms & below) == 0) {
                cascade(wheel, level);
            }
        }
        fire_slot(wheel, digit(next_ms, 0));
    }
}
