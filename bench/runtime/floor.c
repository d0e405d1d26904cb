/* SPDX-License-Identifier: Apache-2.0 */
/* The floor below the runtime's measures: the least that must be done for a message, in loops that
 * do nothing else, on the machine as it is at this moment. What ours take above it is the price of
 * their promises: limits, lanes, links, fairness, records.
 *
 * A message here is a cache line out of a list of free ones, an actor a cache line with a queue and
 * a link to the next that is ready. To send is to take a message, to fill in its head, to append it
 * and to make its receiver ready; to receive is to take the first ready actor and its message, to
 * look at it, and to give it back. */
#include "bench/chance.h"
#include "bench/runtime/bare.h"
#include "runtime/check.h"
#include "runtime/fiber.h"

#include <ck_ring.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

enum {
    SWITCHES = 4000000,
    MESSAGES = 4000000,
    BATCH = 1000, /* as scatter.c: sent, before their receivers run */
    FEW = 1000,
    MANY = 1000000,
    ITEMS = 10000000,
    RING_SLOTS = 4096,
    RING_BATCH = 256, /* on one core */
    STACK_BYTES = 16 * 1024,
    LINE_BYTES = 64,
};

/* --------------------------------------------------------------------------------------- fibers */

static struct fiber thread_fiber, *other_fiber;

static void
switch_back(void *unused)
{
    (void)unused;
    for (;;) {
        fiber_switch(other_fiber, &thread_fiber);
    }
}

static void
measure_switch(void)
{
    fiber_init_thread(&thread_fiber);
    other_fiber = fiber_new(STACK_BYTES, switch_back, NULL);
    ASSERT(other_fiber != NULL);
    uint64_t since_ns = bare_now_ns();
    for (unsigned i = 0; i < SWITCHES / 2; i++) {
        fiber_switch(&thread_fiber, other_fiber);
    }
    bare_tell("floor: switch of fibers", since_ns, SWITCHES);
    fiber_free(other_fiber);
    fiber_fini_thread(&thread_fiber);
}

/* ------------------------------------------------------------------------------------- messages */

struct bare_message {
    _Alignas(LINE_BYTES) struct bare_message *next;
    uint64_t to, from;
    uint32_t tag, bytes;
};

struct bare_actor {
    _Alignas(LINE_BYTES) struct bare_message *queue; /* the last of a ring */
    struct bare_actor *next;                         /* that is ready */
    uint64_t seen;
};

static struct {
    struct bare_message *free;
    struct bare_actor *ready, **ready_tail;
    struct bare_actor *actors;
    uint32_t *order;
    uint64_t handled;
} bare;

static void *
lines_of(size_t count)
{
    void *lines = aligned_alloc(LINE_BYTES, count * LINE_BYTES);
    ASSERT(lines != NULL);
    return lines;
}

static inline void
bare_send(uint64_t to)
{
    struct bare_message *msg = bare.free;
    bare.free = msg->next;
    msg->to = to;
    msg->from = bare.handled;
    msg->tag = 1;
    msg->bytes = 0;
    struct bare_actor *actor = &bare.actors[to];
    if (actor->queue == NULL) {
        msg->next = msg;
        actor->next = NULL;
        *bare.ready_tail = actor;
        bare.ready_tail = &actor->next;
    } else {
        msg->next = actor->queue->next;
        actor->queue->next = msg;
    }
    actor->queue = msg;
}

static inline void
bare_run(void)
{
    struct bare_actor *actor;
    while ((actor = bare.ready) != NULL) {
        bare.ready = actor->next;
        if (actor->next == NULL) {
            bare.ready_tail = &bare.ready;
        }
        struct bare_message *msg = actor->queue->next;
        actor->queue = NULL; /* here each has one */
        actor->seen += msg->tag;
        bare.handled++;
        msg->next = bare.free;
        bare.free = msg;
    }
}

/* So many actors, in random order, `batch` of them sent to before they run. */
static void
measure_messages(const char *what, uint32_t actors, unsigned batch)
{
    uint64_t chance = actors;
    bare.actors = lines_of(actors);
    bare.order = calloc(actors, sizeof *bare.order);
    struct bare_message *messages = lines_of(batch);
    ASSERT(bare.order != NULL);
    for (uint32_t i = 0; i < actors; i++) {
        uint64_t other = chance_below(&chance, i + 1);
        bare.actors[i] = (struct bare_actor){0};
        bare.order[i] = bare.order[other];
        bare.order[other] = i;
    }
    bare.free = NULL;
    for (unsigned i = 0; i < batch; i++) {
        messages[i].next = bare.free;
        bare.free = &messages[i];
    }
    bare.ready = NULL;
    bare.ready_tail = &bare.ready;
    bare.handled = 0;
    uint64_t since_ns = bare_now_ns();
    for (unsigned sent = 0; sent < MESSAGES;) {
        for (unsigned i = 0; i < batch; i++) {
            bare_send(bare.order[sent++ % actors]);
        }
        bare_run();
    }
    bare_tell(what, since_ns, (double)bare.handled);
    ASSERT(bare.handled == MESSAGES);
    free(messages);
    free(bare.order);
    free(bare.actors);
}

/* ---------------------------------------------------------------------------------------- rings */

static ck_ring_t ring;
static ck_ring_buffer_t slots[RING_SLOTS];

static void
put(uintptr_t number)
{
    while (
        !ck_ring_enqueue_spsc(&ring, slots, (void *)number)) { // NOLINT(performance-no-int-to-ptr)
    }
}

static void
take(uintptr_t number)
{
    void *item;
    while (!ck_ring_dequeue_spsc(&ring, slots, &item)) {
    }
    ASSERT((uintptr_t)item == number);
}

static void *
put_all(void *unused)
{
    bare_pin(1);
    for (uintptr_t i = 1; i <= ITEMS; i++) {
        put(i);
    }
    return unused;
}

static void
measure_ring(void)
{
    ck_ring_init(&ring, RING_SLOTS);
    uint64_t since_ns = bare_now_ns();
    uintptr_t next = 1;
    for (uintptr_t i = 1; i <= ITEMS; i++) {
        put(i);
        if (i % RING_BATCH == 0) {
            for (; next <= i; next++) {
                take(next);
            }
        }
    }
    bare_tell("floor: item of a ring, one core", since_ns, ITEMS);
    ck_ring_init(&ring, RING_SLOTS);
    pthread_t thread;
    ASSERT(pthread_create(&thread, NULL, put_all, NULL) == 0);
    take(1); /* it runs */
    since_ns = bare_now_ns();
    for (uintptr_t i = 2; i <= ITEMS; i++) {
        take(i);
    }
    bare_tell("floor: item of a ring, two cores", since_ns, ITEMS - 1);
    (void)pthread_join(thread, NULL);
}

int
main(void)
{
    bare_pin(0);
    measure_switch();
    measure_messages("floor: message, one at a time", FEW, 1);
    measure_messages("floor: message, 1,000 actors", FEW, BATCH);
    measure_messages("floor: message, a million actors", MANY, BATCH);
    measure_ring();
    return 0;
}
