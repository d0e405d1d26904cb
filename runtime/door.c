/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/door.h"

#include "runtime/bounds.h"
#include "runtime/check.h"
#include "runtime/io/latch.h"
#include "runtime/message.h"
#include "runtime/node_priv.h"
#include "runtime/scheduler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct door_call {
    struct ln_resource own; /* never an actor's; its `release` tells the handle's kind */
    struct latch *latch;
    atomic_uint references; /* the asker's and the node's */
    int error;              /* these three: the node's until the latch opens, then the asker's */
    void *data;
    size_t bytes;
};

struct letter {
    struct letter *next;
    struct door_call *call; /* NULL: no answer is wanted */
    ln_pid to;
    uint32_t tag, bytes;
    uint8_t lane;
    bool signal;
    unsigned char data[] __attribute__((aligned(8)));
};

struct door {
    /* Any thread's: the newest letter, or &closed. */
    _Atomic(struct letter *) letters __attribute__((aligned(64)));
    atomic_uint count;
    /* The scheduler's: calls that wait for their answers. */
    struct ln_resource *calls __attribute__((aligned(64)));
};

static struct letter closed;

static void *
allocate(size_t bytes)
{
    void *memory = calloc(1, bytes);
    ASSERT(memory != NULL && "out of memory");
    return memory;
}

struct door *
door_new(void)
{
    struct door *door = aligned_alloc(64, sizeof *door);
    ASSERT(door != NULL && "out of memory");
    memset(door, 0, sizeof *door);
    atomic_init(&door->letters, NULL);
    atomic_init(&door->count, 0);
    return door;
}

/* ---------------------------------------------------------------------------------------- calls */

static void
call_put(struct door_call *call)
{
    /* Acquire and release: the last one frees what the other wrote. */
    if (atomic_fetch_sub_explicit(&call->references, 1, memory_order_acq_rel) == 1) {
        latch_free(call->latch);
        free(call->data);
        free(call);
    }
}

/* The node is through with it. */
static void
call_end(struct door_call *call, int error)
{
    call->error = error;
    latch_open(call->latch);
    call_put(call);
}

static void
call_release(struct ln_resource *resource)
{
    call_end((struct door_call *)resource, -ESRCH);
}

static void
letter_end(struct letter *letter, int error)
{
    if (letter->call != NULL) {
        call_end(letter->call, error);
    }
    free(letter);
}

/* ----------------------------------------------------------------------------- any other thread */

static int
letter_push(struct door *door, struct letter *letter)
{
    struct letter *newest = atomic_load_explicit(&door->letters, memory_order_relaxed);
    if (newest == &closed) {
        return -ESRCH;
    }
    if (atomic_fetch_add_explicit(&door->count, 1, memory_order_relaxed) >= LN_DOOR_MAX) {
        atomic_fetch_sub_explicit(&door->count, 1, memory_order_relaxed);
        return -EAGAIN;
    }
    do {
        if (newest == &closed) {
            atomic_fetch_sub_explicit(&door->count, 1, memory_order_relaxed);
            return -ESRCH;
        }
        letter->next = newest;
        /* Sequentially consistent, like the load in door_waiting: either the loop sees the letter
         * before it sleeps, or io_wake sees the loop asleep. */
    } while (!atomic_compare_exchange_weak_explicit(&door->letters, &newest, letter,
                                                    memory_order_seq_cst, memory_order_relaxed));
    return 0;
}

static int
letter_post(struct ln_node *node, struct letter *letter, const void *data, size_t bytes)
{
    unsigned target = ln_pid_scheduler(letter->to);
    if (letter->to == 0 || target >= node->schedulers_count) {
        return -ESRCH;
    }
    letter->bytes = (uint32_t)bytes;
    if (bytes > 0) {
        memcpy(letter->data, data, bytes);
    }
    int error = letter_push(node->schedulers[target].door, letter);
    if (error == 0) {
        io_wake(node->schedulers[target].io);
    }
    return error;
}

int
door_send(struct ln_node *node, ln_pid to, uint32_t tag, enum ln_lane lane, const void *data,
          size_t bytes)
{
    struct letter *letter = allocate(sizeof *letter + bytes);
    letter->to = to;
    letter->tag = tag;
    letter->lane = (uint8_t)lane;
    int error = letter_post(node, letter, data, bytes);
    if (error != 0) {
        free(letter);
    }
    return error;
}

int
door_call(struct ln_node *node, ln_pid to, uint32_t tag, bool signal, const void *data,
          size_t bytes, uint64_t timeout_ms, struct door_answer *out)
{
    struct door_call *call = allocate(sizeof *call);
    struct letter *letter = allocate(sizeof *letter + bytes);
    call->latch = latch_new();
    ASSERT(call->latch != NULL && "out of memory");
    call->own.release = call_release;
    atomic_init(&call->references, 2);
    letter->call = call;
    letter->to = to;
    letter->tag = tag;
    letter->lane = LN_DURABLE;
    letter->signal = signal;
    int error = letter_post(node, letter, data, bytes);
    if (error != 0) {
        latch_free(call->latch);
        free(call);
        free(letter);
        return error;
    }
    error = latch_wait(call->latch, timeout_ms);
    if (error == 0) {
        error = call->error;
        *out = (struct door_answer){call->data, call->bytes};
        call->data = NULL;
    }
    call_put(call);
    return error;
}

/* -------------------------------------------------------------------------------- the scheduler */

/* A message to an actor, or a signal; a request comes from the scheduler's own pid. */
static void
letter_deliver(struct scheduler *self, struct letter *letter)
{
    struct ln_msg *msg = message_new(self, letter->tag, letter->lane, letter->bytes);
    memcpy(msg->data, letter->data, letter->bytes);
    msg->flags = letter->signal ? LN_MSG_SIGNAL : 0;
    if (letter->call != NULL) {
        resource_add(&self->door->calls, &letter->call->own, call_release);
        msg->flags |= LN_MSG_REQUEST;
        msg->from = scheduler_pid(self->index);
        msg->ref = handle_new(&self->handles, letter->call);
    }
    message_post(self, letter->to, &msg);
    free(letter);
}

void
door_receive(struct scheduler *self)
{
    struct door *door = self->door;
    /* Relaxed: whoever comes now wakes us. */
    if (atomic_load_explicit(&door->letters, memory_order_relaxed) == NULL || self->settled) {
        return;
    }
    /* Acquire: what the threads wrote into their letters. */
    struct letter *newest = atomic_exchange_explicit(&door->letters, NULL, memory_order_acquire);
    struct letter *oldest = NULL;
    while (newest != NULL) {
        struct letter *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
        atomic_fetch_sub_explicit(&door->count, 1, memory_order_relaxed);
    }
    while (oldest != NULL) {
        struct letter *letter = oldest;
        oldest = letter->next;
        letter_deliver(self, letter);
    }
}

bool
door_waiting(struct door *door)
{
    struct letter *newest = atomic_load_explicit(&door->letters, memory_order_seq_cst);
    return newest != NULL && newest != &closed;
}

void
door_answered(struct scheduler *self, struct ln_msg **msg)
{
    struct door_call *call = handle_get(&self->handles, (*msg)->ref);
    if (call == NULL || call->own.release != call_release) {
        ln_msg_free(msg);
        return;
    }
    (void)handle_free(&self->handles, (*msg)->ref);
    ln_disown(&call->own);
    call->bytes = (*msg)->bytes;
    call->data = allocate(call->bytes + 1);
    memcpy(call->data, (*msg)->data, call->bytes);
    call_end(call, (*msg)->error);
    ln_msg_free(msg);
}

static void
letters_refuse(struct door *door)
{
    struct letter *letter = atomic_exchange_explicit(&door->letters, &closed, memory_order_acquire);
    while (letter != NULL && letter != &closed) {
        struct letter *next = letter->next;
        letter_end(letter, -ESRCH);
        letter = next;
    }
}

void
door_close(struct scheduler *self)
{
    /* Every request was answered when its receiver ended. */
    ASSERT(self->door->calls == NULL);
    letters_refuse(self->door);
}

void
door_free(struct door *door)
{
    if (door == NULL) {
        return;
    }
    letters_refuse(door);
    ASSERT(door->calls == NULL); /* only threads can ask, and their nodes end in order */
    free(door);
}

/* ------------------------------------------------------------------------------ the public part */

ln_pid
ln_node_root_pid(const struct ln_node *node)
{
    return node->root; /* written before any thread of the node exists */
}

int
ln_node_send(struct ln_node *node, ln_pid to, uint32_t tag, enum ln_lane lane, const void *data,
             size_t bytes)
{
    ASSERT(tag < LN_TAG_RUNTIME);
    return door_send(node, to, tag, lane, data, bytes);
}

int
ln_node_call(struct ln_node *node, ln_pid to, uint32_t tag, const void *data, size_t bytes,
             uint64_t timeout_ms, void *out, size_t *out_bytes)
{
    ASSERT(tag < LN_TAG_RUNTIME);
    struct door_answer answer = {0};
    int error = door_call(node, to, tag, false, data, bytes, timeout_ms, &answer);
    if (error == 0 && out_bytes != NULL) {
        if (answer.bytes > 0) {
            memcpy(out, answer.data, answer.bytes < *out_bytes ? answer.bytes : *out_bytes);
        }
        *out_bytes = answer.bytes;
    }
    free(answer.data);
    return error;
}
