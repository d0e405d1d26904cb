/* SPDX-License-Identifier: Apache-2.0 */
/* Level l holds timers whose instant differs from now first in digit l (base 64). When the clock
 * enters a slot of a higher level, that slot's timers are dealt out again to lower levels
 * ("cascade"). Notes are appended to a slot's last chunk, for order. */
#include "runtime/timer.h"

#include <string.h>

enum {
    NOTE_PLACE = TIMER_CHUNK_BYTES - 1, /* a note's lowest bits */
    /* A delay that has not begun, of two million years at most; above it the power of two whose
     * multiples it ends at, of 34 years at most. */
    DELAY_BITS = 56,
    GRAIN_BITS_MAX = 40,
};

static const uint64_t horizon_ms = (uint64_t)1 << (TIMER_LEVELS * TIMER_SLOT_BITS);
static const uint64_t delay_ms_max = ((uint64_t)1 << DELAY_BITS) - 1;

static unsigned
digit(uint64_t ms, unsigned level)
{
    return (unsigned)(ms >> (level * TIMER_SLOT_BITS)) & (TIMER_SLOTS - 1);
}

void
timer_wheel_init(struct timer_wheel *wheel, uint64_t now_ms)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->now_ms = now_ms;
    pool_init(&wheel->chunks, TIMER_CHUNK_BYTES, POOL_RECORDS_MAX);
}

void
timer_wheel_fini(struct timer_wheel *wheel)
{
    pool_fini(&wheel->chunks);
}

/* --------------------------------------------------------------------------------------- chunks */

static struct timer_chunk *
chunk_of(const struct timer *timer)
{
    return (void *)(timer->note & ~(uintptr_t)NOTE_PLACE); // NOLINT(performance-no-int-to-ptr)
}

static void
occupied_mark(struct timer_wheel *wheel, unsigned slot, bool occupied)
{
    if (slot < TIMER_FRESH) {
        uint64_t bit = (uint64_t)1 << slot % TIMER_SLOTS;
        uint64_t *level = &wheel->occupied[slot / TIMER_SLOTS];
        *level = occupied ? *level | bit : *level & ~bit;
    }
}

static struct timer_chunk *
chunk_at(const struct timer_wheel *wheel, uint32_t number)
{
    return number != 0 ? pool_at(&wheel->chunks, number, TIMER_CHUNK_BYTES) : NULL;
}

/* One is kept at hand: most who wait don't wait long, and are alone. */
static struct timer_chunk *
chunk_take(struct timer_wheel *wheel)
{
    struct timer_chunk *chunk = wheel->spare;
    wheel->spare = NULL;
    if (chunk == NULL) {
        uint32_t number = pool_take(&wheel->chunks);
        chunk = pool_at(&wheel->chunks, number, TIMER_CHUNK_BYTES);
        chunk->number = number;
    }
    return chunk;
}

static void
chunk_give(struct timer_wheel *wheel, struct timer_chunk *chunk)
{
    if (wheel->spare == NULL) {
        wheel->spare = chunk;
    } else {
        pool_give(&wheel->chunks, chunk->number);
    }
}

static struct timer_chunk *
chunk_add(struct timer_wheel *wheel, unsigned slot)
{
    struct timer_chunk *chunk = chunk_take(wheel);
    struct timer_slot *here = &wheel->slots[slot];
    chunk->slot = (uint16_t)slot;
    chunk->used = 0;
    chunk->live = 0;
    chunk->next = 0;
    if (here->last == NULL) {
        chunk->previous = 0;
        here->first = chunk;
        occupied_mark(wheel, slot, true);
    } else {
        chunk->previous = here->last->number;
        here->last->next = chunk->number;
    }
    here->last = chunk;
    return chunk;
}

static void
chunk_remove(struct timer_wheel *wheel, struct timer_chunk *chunk)
{
    struct timer_slot *slot = &wheel->slots[chunk->slot];
    struct timer_chunk *next = chunk_at(wheel, chunk->next);
    struct timer_chunk *previous = chunk_at(wheel, chunk->previous);
    if (next != NULL) {
        next->previous = chunk->previous;
    } else {
        slot->last = previous;
    }
    if (previous != NULL) {
        previous->next = chunk->next;
    } else {
        slot->first = next;
    }
    if (slot->first == NULL) {
        occupied_mark(wheel, chunk->slot, false);
    }
    chunk_give(wheel, chunk);
}

static inline void
slot_append(struct timer_wheel *wheel, unsigned slot, struct timer *timer)
{
    struct timer_chunk *chunk = wheel->slots[slot].last;
    if (chunk == NULL || chunk->used == TIMER_CHUNK_NOTES) {
        chunk = chunk_add(wheel, slot);
    }
    timer->note = (uintptr_t)chunk | chunk->used;
    chunk->notes[chunk->used++] = timer;
    chunk->live++;
}

/* -------------------------------------------------------------------------- setting, cancelling */

static inline void
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
    slot_append(wheel, level * TIMER_SLOTS + digit(at_ms, level), timer);
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
    timer->at_ms = delay_ms < delay_ms_max ? delay_ms : delay_ms_max;
    timer->fire = fire;
    slot_append(wheel, TIMER_FRESH, timer);
    wheel->set_count++;
}

/* The power of two in whose multiples a timer of such slack fires. */
static uint64_t
grain_bits(uint64_t slack_ms)
{
    uint64_t bits = slack_ms == UINT64_MAX ? 64 : 63 - (uint64_t)__builtin_clzll(slack_ms + 1);
    return bits < GRAIN_BITS_MAX ? bits : GRAIN_BITS_MAX;
}

void
timer_set_within(struct timer_wheel *wheel, struct timer *timer, uint64_t delay_ms,
                 uint64_t slack_ms, void (*fire)(struct timer *timer))
{
    timer_set_after(wheel, timer, delay_ms, fire);
    timer->at_ms |= grain_bits(slack_ms) << DELAY_BITS;
}

void
timer_cancel(struct timer_wheel *wheel, struct timer *timer)
{
    if (timer->note == 0) {
        return;
    }
    struct timer_chunk *chunk = chunk_of(timer);
    unsigned at = timer->note & NOTE_PLACE;
    ASSERT(chunk->notes[at] == timer && chunk->live > 0);
    timer->note = 0;
    chunk->notes[at] = NULL;
    if (--chunk->live == 0) {
        chunk_remove(wheel, chunk);
    }
    ASSERT(wheel->set_count > 0);
    wheel->set_count--;
}

/* ----------------------------------------------------------------------------- as time goes by */

/* Takes a slot's chunks one by one and hands each timer to `deal`. */
static void
slot_deal(struct timer_wheel *wheel, unsigned slot, uint64_t now_ms,
          void (*deal)(struct timer_wheel *wheel, struct timer *timer, uint64_t now_ms))
{
    struct timer_chunk *chunk = wheel->slots[slot].first;
    wheel->slots[slot] = (struct timer_slot){NULL, NULL};
    occupied_mark(wheel, slot, false);
    while (chunk != NULL) {
        struct timer_chunk *next = chunk_at(wheel, chunk->next);
        for (unsigned i = 0; i < chunk->used; i++) {
            if (chunk->notes[i] != NULL) {
                deal(wheel, chunk->notes[i], now_ms);
            }
        }
        chunk_give(wheel, chunk);
        chunk = next;
    }
}

static void
deal_fresh(struct timer_wheel *wheel, struct timer *timer, uint64_t now_ms)
{
    uint64_t grain = (uint64_t)1 << (timer->at_ms >> DELAY_BITS);
    /* One more, since a part of the current millisecond has passed already. */
    uint64_t at_ms = now_ms + 1 + (timer->at_ms & delay_ms_max);
    timer->at_ms = (at_ms + grain - 1) & ~(grain - 1);
    place(wheel, timer);
}

void
timer_wheel_start(struct timer_wheel *wheel, uint64_t now_ms)
{
    slot_deal(wheel, TIMER_FRESH, now_ms, deal_fresh);
}

static void
deal_down(struct timer_wheel *wheel, struct timer *timer, uint64_t now_ms)
{
    if (timer->at_ms > now_ms) {
        place(wheel, timer);
    } else {
        slot_append(wheel, digit(now_ms, 0), timer);
    }
}

/* Whether all of the slot have fired before `fires_left` were over. */
static bool
fire_slot(struct timer_wheel *wheel, unsigned slot, uint32_t *fires_left)
{
    /* One by one from the head: a firing timer may cancel those behind it. It cannot add to this
     * slot, since place() puts nothing at or before now. */
    const struct timer_chunk *chunk;
    while ((chunk = wheel->slots[slot].first) != NULL) {
        unsigned at = 0;
        if (*fires_left == 0) {
            return false;
        }
        --*fires_left;
        while (chunk->notes[at] == NULL) {
            at++;
        }
        struct timer *timer = chunk->notes[at];
        timer_cancel(wheel, timer);
        timer->fire(timer);
    }
    return true;
}

uint64_t
timer_wheel_next_ms(const struct timer_wheel *wheel)
{
    if (wheel->slots[digit(wheel->now_ms, 0)].first != NULL) {
        return wheel->now_ms; /* left over by the last advance */
    }
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
timer_wheel_advance_some(struct timer_wheel *wheel, uint64_t now_ms, uint32_t fires_max)
{
    bool all = fire_slot(wheel, digit(wheel->now_ms, 0), &fires_max); /* left over */
    while (all && wheel->now_ms < now_ms) {
        uint64_t next_ms = timer_wheel_next_ms(wheel);
        if (next_ms > now_ms) {
            wheel->now_ms = now_ms;
            return;
        }
        wheel->now_ms = next_ms;
        for (unsigned level = TIMER_LEVELS - 1; level > 0; level--) {
            uint64_t below = ((uint64_t)1 << (level * TIMER_SLOT_BITS)) - 1;
            if ((next_ms & below) == 0) {
                slot_deal(wheel, level * TIMER_SLOTS + digit(next_ms, level), next_ms, deal_down);
            }
        }
        all = fire_slot(wheel, digit(next_ms, 0), &fires_max);
    }
}
