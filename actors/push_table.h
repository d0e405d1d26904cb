/* SPDX-License-Identifier: Apache-2.0 */
/* push_table.h - the devices that are to be woken, as their push actor keeps them: found by user
 * and device, or by whose time has come.
 *
 *     wake = push_table_add(&table, user, device, false);       NULL: it is full
 *     push_table_wait(&table, wake, at_ns);
 *     while ((wake = push_table_due(&table, now_ns)) != NULL) ...
 *     push_table_remove(&table, &wake);
 *
 * A hash table with chains, and a binary heap over instants. It is what the store keeps of the
 * matter and more lively things besides (attempts, pauses), and can be made anew from the store.
 * One actor's.
 */
#pragma once

#include "runtime/linnet.h"

enum push_wake_state {
    PUSH_WAITING, /* in the heap: for the delay, for a pause */
    PUSH_ASKING,  /* the store is asked how the device stands */
    PUSH_READY,   /* in the line of those that wait for a courier */
    PUSH_SENDING, /* a courier has it */
    PUSH_TELLING, /* the store is told what became of it */
    PUSH_UNTOLD,  /* in the heap: the store had no time to be told */
    PUSH_COOLING, /* in the heap: woken a moment ago, and for a while not again */
};

struct push_origin;

struct push_wake {
    struct push_wake *chain;            /* of the hash table */
    struct push_wake *next, **previous; /* in a list of the owner's */
    uint32_t heap_at;                   /* its place there + 1; 0: it is not in it */
    uint16_t device;
    uint8_t state; /* enum push_wake_state */
    uint8_t attempts;
    uint8_t aside_attempts;
    bool test;   /* an operator asks for it: sent at once, and not noted in the store */
    bool again;  /* the device became due anew meanwhile */
    bool urgent; /* somebody calls: neither delay nor pause, until the store was asked about it */
    bool call;   /* what it is woken for rings */
    bool clear;  /* the subscription is to go */
    uint64_t user;
    uint64_t at_ns;             /* in the heap: when its time comes */
    uint64_t rest_ns;           /* its server wants no attempt before */
    uint64_t number;            /* of the entry that it is woken for; 0: not known yet */
    uint64_t aside;             /* of the message that a call came before; 0: none */
    uint64_t rung;              /* of the last call that it was woken for; 0: none */
    uint64_t newest, id;        /* what the store is to be told of */
    uint64_t ref;               /* of the request under way */
    unsigned courier;           /* SENDING: which, by its place */
    ln_pid courier_pid;         /* likewise: another may have the place by now */
    struct ln_msg *state_msg;   /* how the device stands, as the store said; READY and SENDING */
    struct push_origin *origin; /* likewise: where it goes */
    struct ln_caller caller;    /* test: who waits for it */
};

struct push_table {
    struct push_wake **buckets;
    struct push_wake **heap;
    uint32_t bucket_count; /* a power of two */
    uint32_t heap_count, heap_capacity;
    uint32_t count, max;
};

void push_table_init(struct push_table *table, uint32_t max);
/* Frees what is in it. */
void push_table_fini(struct push_table *table);

/* NULL: there is none. */
struct push_wake *push_table_find(const struct push_table *table, uint64_t user, uint16_t device,
                                  bool test);
/* A new one, in no heap and no list; it is not there yet. NULL: the table is full. */
struct push_wake *push_table_add(struct push_table *table, uint64_t user, uint16_t device,
                                 bool test);
/* Takes it out, frees it and its message, and nulls it. It is in no list. */
void push_table_remove(struct push_table *table, struct push_wake **wake);

/* Into the heap; it is in no list. */
void push_table_wait(struct push_table *table, struct push_wake *wake, uint64_t at_ns);
/* It is in the heap: its time comes then, if it would have come later. */
void push_table_hasten(struct push_table *table, struct push_wake *wake, uint64_t at_ns);
/* Takes the first out of the heap whose time has come; NULL: there is none. */
struct push_wake *push_table_due(struct push_table *table, uint64_t now_ns);
/* When the first one's time comes; UINT64_MAX: nobody waits. */
uint64_t push_table_next_ns(const struct push_table *table);
