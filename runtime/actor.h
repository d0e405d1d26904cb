/* SPDX-License-Identifier: Apache-2.0 */
/* actor.h - the actor as its scheduler sees it. For runtime/ alone.
 *
 *     idle -> ready -> running -> idle ...     between two messages it is this struct, nothing else
 *               ^         |
 *               |         v
 *               +----- waiting                 inside a handler or process: `fiber` is its stack
 *
 *     any -> ended     terminate ran, resources released, links and monitors told,
 *                      the slot's generation raised
 */
#pragma once

#include "runtime/fiber.h"
#include "runtime/mailbox.h"
#include "runtime/timer.h"

struct scheduler;

enum actor_state { ACTOR_IDLE, ACTOR_READY, ACTOR_RUNNING, ACTOR_WAITING };

struct actor {
    ln_pid pid;
    ln_pid parent;
    const struct ln_behaviour *behaviour;
    struct mailbox mailbox;
    struct actor *next;            /* run queue */
    struct fiber *fiber;           /* a process's stack, or the lent one it waits on */
    struct wait *wait;             /* what it waits for; on that stack */
    struct ln_resource *resources; /* released when it ends, the newest first */
    struct ln_resource *memory;    /* of ln_alloc; after them, since they may lie in it */
    struct ln_msg *notices;        /* EXIT and DOWN to send when it ends; to = `from` of each */
    struct ln_msg **handling;      /* the message inside handle */
    struct start *start;           /* until its init has run */
    struct name *name;
    struct ln_reason reason; /* valid when ending */
    uint32_t reductions;     /* messages handled */
    uint32_t memory_bytes;   /* from ln_alloc */
    uint16_t cancelled_waits;
    uint8_t run_state;
    bool begun;      /* init has succeeded */
    bool ending;     /* it ends as soon as its handler returns */
    bool cancelled;  /* its waits fail with -ECANCELED */
    bool terminated; /* terminate has been called */
    unsigned char state[] __attribute__((aligned(16)));
};

/* What a new actor needs once: the argument of its init and who waits for the outcome. */
struct start {
    struct ln_caller caller; /* pid 0: no one */
    bool told;
    uint32_t bytes;
    unsigned char argument[] __attribute__((aligned(16)));
};

/* What a waiting actor waits for. It lies on the actor's stack; whoever ends it calls wait_end. */
struct wait {
    struct timer timer;
    struct scheduler *scheduler;
    struct actor *actor;
    struct ln_msg *answer;
    uint64_t ref;     /* the request whose answer ends it */
    bool cancellable; /* false: buffers on this stack are in the kernel's or a worker's hands */
    bool for_message;
    bool (*match)(const struct ln_msg *msg, void *context);
    void *match_context;
    int result;
};

/* Between schedulers, flagged LN_MSG_SIGNAL. EXIT and DOWN travel under their public tags. */
enum signal {
    SIGNAL_SPAWN = LN_TAG_RUNTIME + 0x100, /* request to a scheduler: struct spawn_request */
    SIGNAL_END,                            /* struct ln_reason: ln_kill */
    SIGNAL_LINK,                           /* struct ln_down: the notice to keep for the sender */
    SIGNAL_UNLINK,
    SIGNAL_MONITOR, /* likewise; ref is the monitor's */
    SIGNAL_DEMONITOR,
    SIGNAL_LIST,      /* request to a scheduler: inspect.c */
    SIGNAL_INSPECT,   /* request to a scheduler: inspect.c */
    SIGNAL_SHUT_DOWN, /* to a scheduler */
};

/* actor.c: the life */
/* Ends it here and now, on whatever stack runs: terminate, release, tell, free. It may yield inside
 * terminate. */
void actor_end(struct scheduler *scheduler, struct actor *actor);
/* Notes that it shall end, and wakes it if it waits. The first reason stays, but KILLED
 * overrides. */
void actor_end_soon(struct scheduler *scheduler, struct actor *actor, struct ln_reason reason);
/* Runs its init if it has not, then messages, until the budget or the mailbox is used up or it
 * ended. */
void actor_turn(struct scheduler *scheduler, struct actor *actor);
/* A process's fiber begins here. */
void actor_run_process(void *actor);

/* wait.c: waiting */
/* Hangs a cancellable wait onto the calling actor. */
void wait_begin(struct wait *wait);
/* Waits until wait_end, the timeout or a cancel. Yields, unless wait_end came already. The wait's
 * result. */
int wait_for(struct wait *wait, uint64_t timeout_ms);
void wait_end(struct wait *wait, int result);
/* The same, from a completion of io. */
void wait_end_by_io(struct wait *wait, int result);
/* Gives the message its record as a request, so that its sender is told if the receiver ends
 * without answering. */
void message_opened(struct scheduler *scheduler, struct actor *receiver, struct ln_msg *msg);

/* send.c: delivery */
/* Takes *msg to a pid of this scheduler: mailbox, signal, or answer of a wait. */
void message_deliver(struct scheduler *scheduler, ln_pid to, struct ln_msg **msg);
/* Takes a message that will not be handled: answers it if it is a request, releases what hangs on
 * it. */
void message_discard(struct scheduler *scheduler, struct ln_msg **msg, int error);
/* Answers a request that has no record (yet). Takes *answer; NULL inside: an empty one. */
void message_answer(struct ln_caller caller, struct ln_msg **answer, int error);

/* signal.c: what schedulers say to one another. `actor` is the receiver, or NULL when there is
 * none. Takes *msg. */
void scheduler_signal(struct scheduler *scheduler, struct actor *actor, struct ln_msg **msg);
/* Tells all who linked or watch the actor. */
void notices_send(struct scheduler *scheduler, struct actor *actor);

/* actor.c */
/* Puts it at the head of one of an actor's lists. */
void resource_add(struct ln_resource **list, struct ln_resource *resource,
                  void (*release)(struct ln_resource *resource));
/* Puts a new actor on this scheduler. 0, -EEXIST or -EAGAIN. `start` waits for its init, if its pid
 * is not 0. */
int actor_spawn(struct scheduler *scheduler, const struct ln_behaviour *behaviour,
                const void *argument, size_t bytes, const char *name, struct ln_caller start,
                ln_pid *out);
struct spawn_request {
    const struct ln_behaviour *behaviour;
    ln_pid parent;
    char name[LN_NAME_BYTES_MAX + 1]; /* empty: none */
    bool wait_for_init;
    uint32_t bytes;
    unsigned char argument[] __attribute__((aligned(16)));
};

/* socket.c */
void socket_consumed(struct ln_msg *msg);
void socket_event_discard(struct ln_msg *msg);
