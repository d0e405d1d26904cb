/* SPDX-License-Identifier: Apache-2.0 */
/* push_priv.h - a push actor as its files see it:
 *
 *     push.c            its life: what comes, whose time has come, what is told to the store
 *     push_dispatch.c   who goes next, with which courier; what came of it
 *     push_sweep.c      through the store's table of who is due
 */
#pragma once

#include "actors/courier.h"
#include "actors/messenger.h"
#include "actors/push.h"
#include "actors/push_origin.h"
#include "actors/push_table.h"
#include "store/request.h"

enum {
    PUSH_COURIERS_MAX = 1024, /* the setting's bound */
    /* Requests to the store under way, and pushes ready for a courier: enough for all couriers to
     * find the next, and few, since what is known grows old. */
    PUSH_ASKED_MAX = 128,
    PUSH_READY_MAX = 256,
    PUSH_READY_OF_ORIGIN_MAX = 32,
    /* When somebody who had no time is asked again, and a line that was full is tried again. */
    PUSH_AGAIN_MS = 1000,
    PUSH_LINE_MS = 200,
};

#define PUSH_NS_PER_MS UINT64_C(1000000)

/* First in, first out. */
struct push_line {
    struct push_wake *first, **end;
    uint32_t count;
};

struct push_courier {
    ln_pid pid; /* 0: none */
    uint64_t monitor;
    bool busy;
    struct push_origin *origin; /* where it was sent last */
};

struct push_sweep {
    uint64_t ref; /* of the request under way; 0: none */
    unsigned partition;
    uint64_t user; /* behind this device */
    uint16_t device;
    bool runs;
};

struct push {
    struct ln_resource own; /* the table, the count */
    struct messenger *messenger;
    const struct settings *settings;
    struct push_table table;
    struct push_origins origins;
    struct push_trace trace;
    struct push_line busy;  /* ASKING, SENDING, TELLING */
    struct push_line ready; /* READY */
    uint32_t asked;         /* of the busy ones: ASKING */
    uint64_t timer;         /* PUSH_TICK; 0: none */
    uint64_t timer_ns;
    struct push_sweep sweep;
    struct push_courier couriers[PUSH_COURIERS_MAX];
    unsigned couriers_count; /* places in use, some of them empty again */
    unsigned clients_busy;   /* of them: under way to servers that clients named */
};

/* push.c */
void push_line_add(struct push_line *line, struct push_wake *wake);
void push_line_add_first(struct push_line *line, struct push_wake *wake);
void push_line_remove(struct push_line *line, struct push_wake *wake);
/* Into the heap, for so long. In no list. */
void push_wait(struct push *push, struct push_wake *wake, enum push_wake_state state,
               uint64_t pause_ms);
void push_note(struct push *push, const struct push_wake *wake, enum push_step_kind kind,
               int status);
/* A device is due, since so long. What is known already is only noted. False: there is no room. */
bool push_due(struct push *push, const struct store_wake_due *due);
/* Tells the store that the device was woken, or that its subscription goes. In no list. */
void push_tell(struct push *push, struct push_wake *wake);
/* It was sent, and noted: not again for a while, unless somebody calls. In no list. */
void push_cool(struct push *push, struct push_wake *wake);
/* It is over. In no list. */
void push_forget(struct push *push, struct push_wake *wake);
/* Serves whose time has come, and gives couriers what is ready. */
void push_pump(struct push *push);
/* As the store said; in *wake->state_msg. */
static inline const struct store_wake_state *
push_state(const struct push_wake *wake)
{
    return (const struct store_wake_state *)(const void *)wake->state_msg->data;
}

/* push_dispatch.c */
/* How the device stands is known: it is sent to, or not, or later. In no list. */
void push_consider(struct push *push, struct push_wake *wake);
/* It is ready, and no more: the store is to be asked first. In no list, afterwards. */
void push_unready(struct push *push, struct push_wake *wake);
/* Gives couriers what is ready, as far as there are couriers. May yield when one is started. */
void push_dispatch(struct push *push);
/* A courier has answered, or has ended. The wake is in no list. */
void push_reported(struct push *push, struct push_wake *wake, const struct ln_msg *answer);
/* LN_TAG_DOWN */
void push_courier_down(struct push *push, ln_pid pid);

/* push_sweep.c */
void push_sweep_begin(struct push *push);
/* True: the answer was the sweep's. */
bool push_sweep_answered(struct push *push, const struct ln_msg *answer);
/* PUSH_SWEEP */
void push_sweep_tick(struct push *push);
