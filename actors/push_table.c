/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/push_table.h"

#include "runtime/check.h"

#include <stdlib.h>

enum { BUCKETS_FIRST = 64, HEAP_FIRST = 64 };

void
push_table_init(struct push_table *table, uint32_t max)
{
    *table = (struct push_table){.max = max, .bucket_count = BUCKETS_FIRST};
    table->buckets = calloc(table->bucket_count, sizeof(struct push_wake *));
    ASSERT(table->buckets != NULL);
}

static void
wake_free(struct push_wake *wake)
{
    ln_msg_free(&wake->state_msg);
    free(wake);
}

void
push_table_fini(struct push_table *table)
{
    for (uint32_t i = 0; i < table->bucket_count; i++) {
        for (struct push_wake *at = table->buckets[i], *next; at != NULL; at = next) {
            next = at->chain;
            free(at);
        }
    }
    free(table->buckets);
    free(table->heap);
    *table = (struct push_table){0};
}

/* ----------------------------------------------------------------------------------------- hash */

/* Ids are counted up: Fibonacci's multiplier spreads neighbours. */
static struct push_wake **
bucket_of(const struct push_table *table, uint64_t user, uint16_t device)
{
    uint64_t spread = (user * 65537 + device) * UINT64_C(0x9e3779b97f4a7c15);
    return &table->buckets[(spread >> 32) & (table->bucket_count - 1)];
}

struct push_wake *
push_table_find(const struct push_table *table, uint64_t user, uint16_t device, bool test)
{
    struct push_wake *at = *bucket_of(table, user, device);
    while (at != NULL && (at->user != user || at->device != device || at->test != test)) {
        at = at->chain;
    }
    return at;
}

static void
grow(struct push_table *table)
{
    struct push_table larger = *table;
    larger.bucket_count = table->bucket_count * 2;
    larger.buckets = calloc(larger.bucket_count, sizeof(struct push_wake *));
    ASSERT(larger.buckets != NULL);
    for (uint32_t i = 0; i < table->bucket_count; i++) {
        for (struct push_wake *at = table->buckets[i], *next; at != NULL; at = next) {
            struct push_wake **bucket = bucket_of(&larger, at->user, at->device);
            next = at->chain;
            at->chain = *bucket;
            *bucket = at;
        }
    }
    free(table->buckets);
    *table = larger;
}

struct push_wake *
push_table_add(struct push_table *table, uint64_t user, uint16_t device, bool test)
{
    if (table->count >= table->max) {
        return NULL;
    }
    if (table->count >= table->bucket_count) {
        grow(table);
    }
    struct push_wake **bucket = bucket_of(table, user, device);
    struct push_wake *wake = calloc(1, sizeof *wake);
    ASSERT(wake != NULL);
    wake->user = user;
    wake->device = device;
    wake->test = test;
    wake->chain = *bucket;
    *bucket = wake;
    table->count++;
    return wake;
}

/* ----------------------------------------------------------------------------------------- heap */

static void
heap_put(struct push_table *table, uint32_t at, struct push_wake *wake)
{
    table->heap[at] = wake;
    wake->heap_at = at + 1;
}

static void
heap_up(struct push_table *table, uint32_t at)
{
    struct push_wake *wake = table->heap[at];
    while (at > 0 && table->heap[(at - 1) / 2]->at_ns > wake->at_ns) {
        heap_put(table, at, table->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(table, at, wake);
}

static void
heap_down(struct push_table *table, uint32_t at)
{
    struct push_wake *wake = table->heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child + 1 < table->heap_count &&
            table->heap[child + 1]->at_ns < table->heap[child]->at_ns) {
            child++;
        }
        if (child >= table->heap_count || table->heap[child]->at_ns >= wake->at_ns) {
            break;
        }
        heap_put(table, at, table->heap[child]);
        at = child;
    }
    heap_put(table, at, wake);
}

static void
heap_take(struct push_table *table, struct push_wake *wake)
{
    uint32_t at = wake->heap_at - 1;
    struct push_wake *last = table->heap[--table->heap_count];
    wake->heap_at = 0;
    if (last != wake) {
        heap_put(table, at, last);
        heap_up(table, at);
        heap_down(table, last->heap_at - 1);
    }
}

void
push_table_wait(struct push_table *table, struct push_wake *wake, uint64_t at_ns)
{
    ASSERT(wake->heap_at == 0 && wake->previous == NULL);
    if (table->heap_count == table->heap_capacity) {
        table->heap_capacity = table->heap_capacity == 0 ? HEAP_FIRST : table->heap_capacity * 2;
        table->heap = realloc(table->heap, table->heap_capacity * sizeof(struct push_wake *));
        ASSERT(table->heap != NULL);
    }
    wake->at_ns = at_ns;
    table->heap[table->heap_count] = wake;
    heap_up(table, table->heap_count++);
}

void
push_table_hasten(struct push_table *table, struct push_wake *wake, uint64_t at_ns)
{
    ASSERT(wake->heap_at != 0);
    if (at_ns < wake->at_ns) {
        wake->at_ns = at_ns;
        heap_up(table, wake->heap_at - 1);
    }
}

struct push_wake *
push_table_due(struct push_table *table, uint64_t now_ns)
{
    if (table->heap_count == 0 || table->heap[0]->at_ns > now_ns) {
        return NULL;
    }
    struct push_wake *wake = table->heap[0];
    heap_take(table, wake);
    return wake;
}

uint64_t
push_table_next_ns(const struct push_table *table)
{
    return table->heap_count > 0 ? table->heap[0]->at_ns : UINT64_MAX;
}

void
push_table_remove(struct push_table *table, struct push_wake **wake)
{
    struct push_wake **at = bucket_of(table, (*wake)->user, (*wake)->device);
    ASSERT((*wake)->previous == NULL);
    while (*at != *wake) {
        at = &(*at)->chain;
    }
    *at = (*wake)->chain;
    table->count--;
    if ((*wake)->heap_at != 0) {
        heap_take(table, *wake);
    }
    wake_free(*wake);
    *wake = NULL;
}
