/* SPDX-License-Identifier: Apache-2.0 */
/* Which of a region's 32 units are taken is a word of bits, and a region stands in the list of the
 * longest span that it has room for. A span is cut from a region with as little room as will do, so
 * that whole regions remain to be given back. */
#include "store/span.h"

#include "runtime/check.h"
#include "runtime/io/lock.h"
#include "store/poison.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    UNITS = SPAN_BYTES_MAX / SPAN_BYTES_MIN,
    ORDERS = 6, /* spans of 1, 2, 4 ... 32 units */
    WHOLE = ORDERS - 1,
    LINE_BYTES = 64,
};
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
    _Atomic(struct lock *) lock; /* made by who needs it first; never held for long */
    struct span_region *first[ORDERS];
    uint64_t whole;       /* how many are in the last list */
    uint64_t whole_least; /* since the last span_settle */
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

/* Aligned to its length, which is what a huge page takes. Kernels since 6.7 do so by themselves. */
static unsigned char *
memory_map(void)
{
    unsigned char *memory =
        mmap(NULL, SPAN_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED && (uintptr_t)memory % SPAN_BYTES_MAX != 0) {
        ASSERT(munmap(memory, SPAN_BYTES_MAX) == 0);
        size_t twice = 2 * (size_t)SPAN_BYTES_MAX;
        memory = mmap(NULL, twice, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory != MAP_FAILED) {
            size_t before = SPAN_BYTES_MAX - (uintptr_t)memory % SPAN_BYTES_MAX;
            ASSERT(munmap(memory, before) == 0);
            memory += before;
            ASSERT(before == SPAN_BYTES_MAX ||
                   munmap(memory + SPAN_BYTES_MAX, SPAN_BYTES_MAX - before) == 0);
        }
    }
    if (memory == MAP_FAILED) {
        out_of_memory();
    }
    /* Where it can't be had nothing is lost but the pace. */
    (void)madvise(memory, SPAN_BYTES_MAX, MADV_HUGEPAGE);
    return memory;
}

static struct span_region *
region_new(void)
{
    struct span_region *region = calloc(1, sizeof(*region));
    if (region == NULL) {
        out_of_memory();
    }
    region->memory = memory_map();
    POISON_HIDE(region->memory, SPAN_BYTES_MAX);
    return region;
}

/* They are linked by `next`. Without the lock: it takes its time. */
static void
regions_free(struct span_region *region)
{
    while (region != NULL) {
        struct span_region *next = region->next;
        POISON_SHOW(region->memory, SPAN_BYTES_MAX);
        ASSERT(munmap(region->memory, SPAN_BYTES_MAX) == 0);
        free(region);
        region = next;
    }
}

/* Takes `count` whole regions out, linked by `next`. */
static struct span_region *
take_whole(uint64_t count)
{
    struct span_region *out = NULL;
    for (; count > 0; count--) {
        struct span_region *region = regions.first[WHOLE];
        list_remove(region);
        region->next = out;
        out = region;
        regions.spare_units -= UNITS;
    }
    return out;
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
    if (bytes < SPAN_BYTES_MIN || bytes > SPAN_BYTES_MAX || (bytes & (bytes - 1)) != 0) {
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
    void *memory = region->memory + (size_t)first * SPAN_BYTES_MIN;
    POISON_SHOW(memory, bytes);
    return (struct span){memory, bytes, region};
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
    POISON_HIDE(span->memory, span->bytes);
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
span_settle(void)
{
    lock();
    struct span_region *gone = take_whole((regions.whole_least + 1) / 2);
    regions.whole_least = regions.whole;
    unlock();
    regions_free(gone);
}

void
span_rest(void)
{
    lock();
    struct span_region *gone = take_whole(regions.whole);
    unlock();
    regions_free(gone);
}

uint64_t
span_spare_bytes(void)
{
    lock();
    uint64_t bytes = regions.spare_units * SPAN_BYTES_MIN;
    unlock();
    return bytes;
}
