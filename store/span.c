/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a region's 32 units are taken is a word of bits, and a region stands in the list of the
 * longest span that it has room for. A span is cut from a region with as little room as will do, so
 * that whole regions remain to be given back. */
#include "store/span.h"

#include "runtime/check.h"
#include "runtime/io/lock.h"
#include "runtime/slab.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    UNITS = SPAN_BYTES_MAX / SPAN_BYTES_MIN,
    ORDERS = 6, /* spans of 1, 2, 4 ... 32 units */
    WHOLE = ORDERS - 1,
    LINE_BYTES = 64,
    AT_ONCE = 16, /* regions that are taken out before others get the lock again */
};
static const uint64_t window_ns = UINT64_C(10000000000);
static_assert(UNITS == 1 << WHOLE && UNITS == 32, "a bit each");

struct span_region {
    struct span_region *next;
    struct span_region *previous;
    unsigned char *memory;
    uint32_t taken; /* a bit for each unit */
};

/* Regions by the longest span they have room for: of the last, nobody has anything. Full ones are
 * in none. */
static struct {
    _Atomic(struct lock *) lock; /* made by who needs it first; held for long by a rest alone */
    struct span_region *first[ORDERS];
    uint64_t whole;       /* how many are in the last list */
    uint64_t whole_least; /* in this window */
    uint64_t window_began_ns;
    uint64_t spare_units;
} regions;

static void
out_of_memory(void)
{
    check_failed("out of memory", __FILE__, __LINE__);
}

static void
lock(void)
{
    struct lock *there = atomic_load_explicit(&regions.lock, memory_order_acquire);
    if (there == NULL) {
        struct lock *made = lock_new();
        if (made == NULL) {
            out_of_memory();
        }
        if (atomic_compare_exchange_strong(&regions.lock, &there, made)) {
            there = made;
        } else {
            lock_free(made);
        }
    }
    lock_take(there);
}

static void
unlock(void)
{
    lock_give(atomic_load_explicit(&regions.lock, memory_order_relaxed));
}

/* ---------------------------------------------------------------------------------------- units */

/* Where spans of that order may begin: a bit for the first unit of each. */
static uint32_t
beginnings(uint32_t taken, unsigned order)
{
    static const uint32_t aligned[ORDERS] = {0xffffffff, 0x55555555, 0x11111111,
                                             0x01010101, 0x00010001, 0x00000001};
    uint32_t free = ~taken;
    for (unsigned i = 0; i < order; i++) {
        free &= free >> (1U << i);
    }
    return free & aligned[order];
}

static uint32_t
units_at(unsigned first, unsigned order)
{
    uint64_t units = (UINT64_C(1) << (1U << order)) - 1;
    return (uint32_t)(units << first);
}

/* The list it belongs to; ORDERS: none. */
static unsigned
list_of(uint32_t taken)
{
    for (unsigned order = ORDERS; order-- > 0;) {
        if (beginnings(taken, order) != 0) {
            return order;
        }
    }
    return ORDERS;
}

/* -------------------------------------------------------------------------------------- regions */

static void
list_add(struct span_region *region)
{
    unsigned list = list_of(region->taken);
    if (list == ORDERS) {
        return;
    }
    region->previous = NULL;
    region->next = regions.first[list];
    if (region->next != NULL) {
        region->next->previous = region;
    }
    regions.first[list] = region;
    regions.whole += list == WHOLE;
}

static void
list_remove(struct span_region *region)
{
    unsigned list = list_of(region->taken);
    if (list == ORDERS) {
        return;
    }
    if (region->next != NULL) {
        region->next->previous = region->previous;
    }
    if (region->previous != NULL) {
        region->previous->next = region->next;
    } else {
        regions.first[list] = region->next;
    }
    if (list == WHOLE) {
        regions.whole--;
        regions.whole_least =
            regions.whole < regions.whole_least ? regions.whole : regions.whole_least;
    }
}

static struct span_region *
region_new(void)
{
    struct span_region *region = calloc(1, sizeof(*region));
    if (region == NULL) {
        out_of_memory();
    }
    region->memory = slab_map(SPAN_BYTES_MAX);
    return region;
}

/* Takes `count` whole regions out and gives them back to the kernel, which takes its time: not with
 * the lock, and not all of them in one go. */
static void
free_whole(uint64_t count)
{
    while (count > 0) {
        struct span_region *gone[AT_ONCE];
        unsigned taken = 0;
        lock();
        while (taken < AT_ONCE && taken < count && regions.first[WHOLE] != NULL) {
            gone[taken] = regions.first[WHOLE];
            list_remove(gone[taken]);
            regions.spare_units -= UNITS;
            taken++;
        }
        unlock();
        for (unsigned i = 0; i < taken; i++) {
            slab_unmap(gone[i]->memory, SPAN_BYTES_MAX);
            free(gone[i]);
        }
        count = taken < AT_ONCE ? 0 : count - taken;
    }
}

/* The pages of what is free in it. With the lock: nobody may take them meanwhile. */
static void
free_units(const struct span_region *region)
{
    for (unsigned first = 0; first < UNITS;) {
        unsigned end = first;
        while (end < UNITS && (region->taken >> end & 1) == 0) {
            end++;
        }
        if (end > first) {
            (void)madvise(region->memory + (size_t)first * SPAN_BYTES_MIN,
                          (size_t)(end - first) * SPAN_BYTES_MIN, MADV_DONTNEED);
        }
        first = end + 1;
    }
}

/* ---------------------------------------------------------------------------------------- spans */

static struct span
of_heap(size_t bytes)
{
    size_t rounded = (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    struct span span = {.memory = aligned_alloc(LINE_BYTES, rounded), .bytes = bytes};
    if (span.memory == NULL) {
        out_of_memory();
    }
    return span;
}

/* The region with the least room for it, in no list any more; NULL: none has. */
static struct span_region *
region_for(unsigned order)
{
    for (unsigned list = order; list < ORDERS; list++) {
        struct span_region *region = regions.first[list];
        if (region != NULL) {
            list_remove(region);
            return region;
        }
    }
    return NULL;
}

struct span
span_take(size_t bytes)
{
    ASSERT(bytes > 0);
    if (SLAB_MALLOC_ONLY || bytes < SPAN_BYTES_MIN || bytes > SPAN_BYTES_MAX ||
        (bytes & (bytes - 1)) != 0) {
        return of_heap(bytes);
    }
    unsigned order = (unsigned)__builtin_ctzll(bytes / SPAN_BYTES_MIN);
    lock();
    struct span_region *region = region_for(order);
    if (region == NULL) {
        unlock();
        region = region_new(); /* the kernel's work, which others need not wait for */
        lock();
        regions.spare_units += UNITS;
    }
    unsigned first = (unsigned)__builtin_ctz(beginnings(region->taken, order));
    region->taken |= units_at(first, order);
    regions.spare_units -= UINT64_C(1) << order;
    list_add(region);
    unlock();
    return (struct span){region->memory + (size_t)first * SPAN_BYTES_MIN, bytes, region};
}

void
span_give(struct span *span)
{
    struct span_region *region = span->region;
    if (region == NULL) {
        free(span->memory);
        *span = (struct span){0};
        return;
    }
    unsigned order = (unsigned)__builtin_ctzll(span->bytes / SPAN_BYTES_MIN);
    size_t first = (size_t)((unsigned char *)span->memory - region->memory) / SPAN_BYTES_MIN;
    uint32_t units = units_at((unsigned)first, order);
    lock();
    ASSERT((region->taken & units) == units);
    list_remove(region);
    region->taken &= ~units;
    regions.spare_units += UINT64_C(1) << order;
    list_add(region);
    unlock();
    *span = (struct span){0};
}

void
span_settle(uint64_t now_ns)
{
    lock();
    bool over = now_ns - regions.window_began_ns >= window_ns; /* as when the clock is another's */
    uint64_t unneeded = regions.whole_least;
    if (over) {
        regions.window_began_ns = now_ns;
        regions.whole_least = regions.whole;
    }
    unlock();
    if (over) {
        free_whole((unneeded + 1) / 2);
    }
}

void
span_rest(void)
{
    free_whole(UINT64_MAX);
    lock();
    for (unsigned list = 0; list < WHOLE; list++) {
        for (const struct span_region *at = regions.first[list]; at != NULL; at = at->next) {
            free_units(at);
        }
    }
    unlock();
}

uint64_t
span_spare_bytes(void)
{
    lock();
    uint64_t bytes = regions.spare_units * SPAN_BYTES_MIN;
    unlock();
    return bytes;
}
