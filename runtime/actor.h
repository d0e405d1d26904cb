/* SPDX-License-Identifier: Apache-2.0 */
/* actor.h - the actor as its scheduler sees it. For runtime/ alone.
 *
 *     held -> ready -> running -> idle -> ready ...     at rest it is this struct, nothing else
 *               ^         |
 *               |         v
 *               +----- waiting                  inside a handler or process: `fiber` is its stack
 *
 *     any -> ended     terminate ran, resources released, links and monitors told,
 *                      the slot's generation raised
 *
 * Ending is noted first (`ending`), and done by the actor's own turn: actor_end runs on its stack.
 * From the note on its waits fail with -ECANCELED, unless it asked for its end itself (ln_stop).
 */
#pragma once

#include "runtime/check.h"
#include "runtime/fiber.h"
#include "runtime/mailbox.h"
#include "runtime/timer.h"

struct scheduler;

enum actor_state {
    ACTOR_HELD, /* spawned; its parent is still linking and monitoring it */
    ACTOR_IDLE,
    ACTOR_READY,
    ACTOR_RUNNING,
    ACTOR_WAITING,
};

enum actor_failure { FAILURE_NONE, FAILURE_NOTED, FAILURE_REPORTED };

/* It lies in its slot, which its pid names: two cache lines. The first is all that a message to an
 * actor at rest touches, the second all that handling it does, its state apart. */
struct actor {
    ln_pid pid; /* of a free slot: its next generation alone */
    const struct ln_behaviour *behaviour;
    struct actor_body *body;
    uint8_t run_state;
    uint8_t traced;      /* a bit for each trace that chose it: trace.c */
    uint8_t failure : 2; /* its own: a crash report tells of it, once */
    bool asked_idle : 1; /* for LN_TAG_TIMEOUT: idle.c */
    bool unbegun : 1;    /* init has not succeeded, or not yet */
    bool process : 1;    /* its behaviour has `run` */
    bool cancelled : 1;  /* its waits fail with -ECANCELED */
    bool terminated : 1; /* terminate has been called */
    bool traps_exit : 1; /* as its behaviour says, until ln_trap_exit */
    uint8_t cancelled_waits : 7;
    bool tells_parent : 1; /* of its end: ln_spawn_options */
    uint32_t reductions;   /* messages handled */
    struct mailbox mailbox;

    struct actor *next;            /* run queue */
    struct ln_msg *held;           /* messages it made or received and has not passed on */
    struct ln_reason *ending;      /* why it ends, once it shall; NULL before */
    struct fiber *fiber;           /* a process's stack, or the lent one it waits on */
    struct wait *wait;             /* what it waits for; on that stack */
    struct ln_resource *resources; /* released when it ends, the newest first */
    uint32_t alarms;               /* alarm.h: the newest; 0: none */
    uint32_t memory_bytes;         /* from ln_alloc */
};

/* The rest of it, which is seldom looked at, and its state. */
struct actor_body {
    ln_pid parent;
    struct name *name;
    struct start *start;        /* until its init has run, if there is something to keep in it */
    struct ln_msg *notices;     /* EXIT and DOWN to send when it ends; to = `from` of each */
    struct ln_resource *memory; /* of ln_alloc; released after resources, which may lie in it */
    uint32_t bytes;             /* all of this */
    uint32_t argument_bytes;    /* of its init's, which lie in the state's place until then */
    unsigned char state[] __attribute__((aligned(16)));
};

/* There may be a million of them. */
enum { ACTOR_BYTES = 128 };
_Static_assert(sizeof(struct actor) == ACTOR_BYTES, "an actor is two cache lines");
_Static_assert(offsetof(struct actor, mailbox.lossy) == ACTOR_BYTES / 2,
               "what a message touches is in the first");
_Static_assert(sizeof(struct actor_body) == 48, "an actor at rest is small");

/* What a process has besides, behind its state: request.c. */
struct process {
    struct mailbox_marks marks;
    struct forgotten *forgotten, *forgotten_last; /* requests whose answers shall reach nobody */
};

/* What a new actor needs once: who waits for the outcome of its init, and the argument of that,
 * where the state's place does not do. */
struct start {
    struct ln_caller caller; /* pid 0: no one */
    uint32_t bytes;
    unsigned char argument[] __attribute__((aligned(16)));
};

enum wait_kind {
    WAIT_ANSWER,
    WAIT_MESSAGE,
    WAIT_TIME,
    WAIT_WORKER,
    WAIT_FILE,
    WAIT_CONNECTION, /* of a socket: that it is made */
    WAIT_SOCKET,     /* that the kernel lets go of it */
};

/* What a waiting actor waits for. It lies on the actor's stack; whoever ends it calls wait_end. */
struct wait {
    struct timer timer;
    struct scheduler *scheduler;
    struct actor *actor;
    struct ln_msg *answer;
    uint64_t ref;      /* the request whose answer ends it */
    ln_pid callee;     /* of that request */
    uint32_t tag;      /* likewise */
    uint64_t since_ns; /* it is parked, for so long at most: */
    uint64_t timeout_ms;
    uint8_t kind;
    bool cancellable; /* false: buffers on this stack are in the kernel's or a worker's hands */
    bool (*match)(const struct ln_msg *msg, void *context);
    void *match_context;
    int result;
};

/* Between schedulers, flagged LN_MSG_SIGNAL. EXIT and DOWN travel under their public tags. */
enum signal {
    SIGNAL_SPAWN = LN_TAG_RUNTIME + 0x100, /* request to a scheduler: struct spawn_request */
    SIGNAL_BEGIN,                          /* lets a held actor run; may be a request: its init */
    SIGNAL_END,                            /* struct ln_down: ln_kill, and who calls it */
    SIGNAL_LINK,                           /* struct ln_down: the notice to keep for the sender */
    SIGNAL_UNLINK,
    SIGNAL_MONITOR, /* likewise; ref is the monitor's */
    SIGNAL_DEMONITOR,
    SIGNAL_LIST,      /* request to a scheduler: inspect.c */
    SIGNAL_RELATIONS, /* request to a scheduler: inspect.c */
    SIGNAL_INSPECT,   /* request to a scheduler: inspect.c */
    SIGNAL_WAIT,      /* request to a scheduler: inspect.c */
    SIGNAL_REGISTER,  /* request to a scheduler: name.c, and the next */
    SIGNAL_UNREGISTER,
    SIGNAL_GROUP_SEND,    /* to a scheduler: group.c, and the three below likewise */
    SIGNAL_GROUP_MEMBERS, /* a request */
    SIGNAL_GROUP_MONITOR,
    SIGNAL_GROUP_DEMONITOR,
    SIGNAL_CRASHES,     /* request to a scheduler: crash.c */
    SIGNAL_TRACE_START, /* request to a scheduler: trace.c, and the next; the third may be one */
    SIGNAL_TRACE_READ,
    SIGNAL_TRACE_STOP,
    SIGNAL_SHUT_DOWN, /* to a scheduler */
};

/* ------------------------------------------------------------------------------------- actor.c */

/* Fills a slot's actor, which is zeroed but for its pid; the argument of its init is copied. */
void actor_init(struct scheduler *scheduler, struct actor *actor,
                const struct ln_behaviour *behaviour, const void *argument, size_t bytes);
/* Frees its memory; its slot has been left. */
void actor_fini(struct scheduler *scheduler, struct actor *actor);
/* Somebody waits for the outcome of its init, which has not run. */
void actor_init_awaited(struct scheduler *scheduler, struct actor *actor, struct ln_caller caller);
/* Lets a held actor run. */
void actor_begin(struct scheduler *scheduler, struct actor *actor);
/* Runs its init, which may end it. */
void actor_run_init(struct scheduler *scheduler, struct actor *actor);
/* A process's fiber begins here. */
void actor_run_process(void *actor);
/* Notes that it shall end, and wakes it if it waits. The first reason stays, but KILLED
 * overrides. */
void actor_end_soon(struct scheduler *scheduler, struct actor *actor, struct ln_reason reason);
/* The same for its own fault, of which a crash report tells. `text` is a literal. */
void actor_fail_soon(struct scheduler *scheduler, struct actor *actor, const char *text);
/* Ends it here and now, on whatever stack runs: terminate, release, tell, free. It may yield inside
 * terminate. */
void actor_end(struct scheduler *scheduler, struct actor *actor);
/* The same on another stack, when its own overflowed `depth` calls deep: like a kill it came upon
 * the actor between any two instructions, so terminate does not run. */
void actor_end_overflown(struct scheduler *scheduler, struct actor *actor, unsigned depth);
/* Frees all that it owns, its stack apart: the node closes, and nobody is told. */
void actor_discard(struct scheduler *scheduler, struct actor *actor);

/* ------------------------------------------------------------------------------------- spawn.c */

/* A held actor on this scheduler. 0, -EEXIST, -EINVAL (the name) or -EAGAIN. */
int actor_spawn(struct scheduler *scheduler, const struct ln_behaviour *behaviour,
                const void *argument, size_t bytes, const char *name, ln_pid parent, ln_pid *out);
/* The same, asked for by another scheduler. Takes *msg. */
void spawn_arrived(struct scheduler *scheduler, struct ln_msg **msg);

/* ---------------------------------------------------------------------------------- resource.c */

/* Puts it at the head of one of an actor's lists. */
void resource_add(struct ln_resource **list, struct ln_resource *resource,
                  void (*release)(struct ln_resource *resource));
/* Releases all of a list, the newest first. */
void resource_list_release(struct ln_resource **list);
/* Releases resources, then memory, then messages and requests. */
void resources_release(struct actor *actor);

/* -------------------------------------------------------------------------------------- wait.c */

/* Whether wait_begin returns. */
bool wait_possible(struct scheduler *scheduler, const struct actor *actor);
/* Hangs a cancellable wait onto the calling actor. Ends the actor where there is no stack to go on
 * with, or when it was cancelled and waits too often; so nothing may be under way before. */
void wait_begin(struct wait *wait, enum wait_kind kind);
/* The same for an operation that is under way and must be waited for. */
void wait_again(struct wait *wait, enum wait_kind kind);
/* Waits until wait_end, the timeout or a cancel. Yields, unless wait_end came already or the
 * timeout is 0. The wait's result. */
int wait_for(struct wait *wait, uint64_t timeout_ms);
void wait_end(struct wait *wait, int result);
/* Whether it is for a message that it chooses, not for any. */
bool wait_chooses(const struct wait *wait);
/* Whether it is ln_receive_answer's. */
bool wait_is_for_request(const struct wait *wait);
/* The same, from a completion of io; no effect when the wait has ended (a timeout, a cancel) and
 * its actor has not run since. */
void wait_end_by_io(struct wait *wait, int result);

/* -------------------------------------------------------------------------------------- idle.c */

/* Both are for an actor that has asked, with ln_idle_after. It has become idle: its time begins. */
void idle_begin(struct scheduler *scheduler, struct actor *actor);
/* It has something to do, or does not ask any more. */
void idle_end(struct actor *actor);

/* ----------------------------------------------------------------------------------- request.c */

/* NULL for an actor with `handle`. */
static inline struct process *
actor_process(struct actor *actor)
{
    struct actor_body *body = actor->body;
    unsigned char *end = (unsigned char *)body + body->bytes;
    return actor->behaviour->run != NULL ? (struct process *)(void *)end - 1 : NULL;
}
/* mailbox_pop_any and mailbox_pop_match for this actor. */
struct ln_msg *actor_pop(struct actor *actor);
struct ln_msg *actor_pop_match(struct actor *actor,
                               bool (*match)(const struct ln_msg *msg, void *context),
                               void *context);
/* Accepts the answer to a request, given a struct answer_look, and counts what it looks at. */
struct answer_look {
    uint64_t ref;
    uint64_t *looks;
};
bool request_is_answered_by(const struct ln_msg *msg, void *look);
/* Whether the answer to `ref` shall not reach this process any more; asked once, when it comes. */
bool request_was_forgotten(struct scheduler *scheduler, struct process *process, uint64_t ref);
/* The process ends. */
void requests_release(struct scheduler *scheduler, struct process *process);

/* -------------------------------------------------------------------------------------- send.c */

/* Takes *msg, as it is, to any pid. */
void message_post(struct scheduler *scheduler, ln_pid to, struct ln_msg **msg);
/* Takes *msg to a pid of this scheduler: mailbox, signal, or answer of a wait. */
void message_deliver(struct scheduler *scheduler, ln_pid to, struct ln_msg **msg);
/* Takes a message that will not be handled: answers it if it is a request, releases what hangs on
 * it. */
void message_discard(struct scheduler *scheduler, struct ln_msg **msg, int error);
/* Gives the runtime a record of a request that an actor is about to handle, so that its sender is
 * told if the actor ends without answering. */
void request_open(struct scheduler *scheduler, struct actor *receiver, struct ln_msg *msg);
/* Answers a request that has no record (yet). Takes *answer; NULL inside: an empty one. */
void message_answer(struct ln_caller caller, struct ln_msg **answer, int error);
/* ln_call, perhaps of a request that can't be cancelled, perhaps of a signal. */
int message_call(ln_pid to, struct ln_msg **request, uint64_t timeout_ms, bool cancellable,
                 struct ln_msg **out_answer);

/* ------------------------------------------------------------------------------------ signal.c */

/* What schedulers say to one another. `actor` is the receiver, or NULL when there is none. Takes
 * *msg. */
void scheduler_signal(struct scheduler *scheduler, struct actor *actor, struct ln_msg **msg);
struct ln_msg *signal_new(struct scheduler *scheduler, uint32_t tag, size_t bytes);
/* Tells all who linked or watch the actor, whose slot has been left, that `pid` has ended. */
void notices_send(struct scheduler *scheduler, struct actor *actor, ln_pid pid);

/* -------------------------------------------------------------------------------------- name.c */

/* A request to give or take a name of an actor that lives here. Takes *msg. */
void name_arrived(struct scheduler *scheduler, struct ln_msg **msg);
/* Who has the name and is ending; 0: nobody, or one who stays. */
ln_pid name_leaving(const char *name);

/* ------------------------------------------------------------------------------------- group.c */

/* A signal of groups to this scheduler. Takes *msg. */
void group_signal(struct scheduler *scheduler, struct ln_msg **msg);
/* A member's coming or going, at an actor that watches. Takes *msg. */
void group_event_arrived(struct scheduler *scheduler, struct actor *actor, struct ln_msg **msg);
/* Nobody lives here any more: those elsewhere who watch groups here are forgotten. */
void groups_forget(struct scheduler *scheduler);

/* ------------------------------------------------------------------------------------ socket.c */

void socket_consumed(struct ln_msg *msg);
void socket_event_discard(struct ln_msg *msg);
