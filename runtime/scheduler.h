/* SPDX-License-Identifier: Apache-2.0 */
/* scheduler.h - one thread's actors, and the loop that runs them. For runtime/ alone.
 *
 * A turn: take what came from other schedulers, fire timers, run ready actors until the time or the
 * queue is used up, start the sends of this round, publish to other schedulers. The io driver calls
 * it, and completes operations between.
 *
 * Actors run inside "loop fibers": a loop fiber takes the next ready actor and calls its handler on
 * its own stack. When the handler waits, the stack stays with the actor, and another loop fiber
 * goes on with the loop; when the wait is over, whichever loop fiber finds the actor ready switches
 * to its stack and is set aside, and the handler, once it returns, finds itself inside the loop
 * again. A handler that does not wait costs no switch.
 */
#pragma once

#include "runtime/actor.h"
#include "runtime/channel.h"
#include "runtime/check.h"
#include "runtime/crash_priv.h"
#include "runtime/handle.h"
#include "runtime/io/io.h"
#include "runtime/pool.h"
#include "runtime/slab.h"
#include "runtime/spares.h"
#include "runtime/trace.h"
#include "runtime/work.h"

#include <stdatomic.h>

enum {
    ALARMS_CANCELLED = 8,
};

struct scheduler_stats {
    uint64_t turns, actors_run, messages, messages_remote, messages_dropped, messages_refused;
    uint64_t lossy_dropped, lossy_coalesced, answers_late, spawned, ended, crashed, parked;
    uint64_t accepts_failed;
    uint64_t stalls, turns_cut, reports_left_out;
    uint64_t answer_looks; /* at messages, in search of an answer */
};

/* How busy the thread was up to an instant. */
struct load_sample {
    uint64_t busy_ns, now_ns;
};

struct scheduler {
    struct io *io;
    struct ln_node *node;
    unsigned index;
    volatile int turn_expired; /* a tick found that the current actor has had its time */

    struct actor *ready_head, **ready_tail; /* the tail: where the next one's pointer goes */
    uint32_t ready_count;
    uint8_t tracing; /* a bit for each of `traces` that runs; 0 nearly always */
    struct actor *current;
    struct ln_msg *newest;         /* of those it holds, not yet among `held`; NULL: none */
    struct fiber host;             /* the thread's own stack, where turn is called */
    struct fiber *running;         /* the fiber that runs or last ran the loop */
    struct fiber *idle;            /* loop fibers set aside */
    void (*loop)(void *scheduler); /* what they run */
    uint32_t idle_count, fibers_count;
    uint32_t idle_least; /* of idle_count, since the last trim */
    uint64_t trim_at_ms;
    struct load_sample load[2]; /* the last two trims: the older, the newer */
    struct fiber *reap;         /* an ended process's fiber, freed by the next loop fiber */
    struct fiber *overflown;    /* the current actor's, which the next loop fiber ends */
    unsigned overflow_depth;
    uint64_t turn_end_ns;
    uint32_t turn_messages; /* one actor's turn: the node's option */
    uint32_t turn_actors;   /* that ran in this turn */
    uint32_t turn_steps;    /* actors run and messages handled since the clock was looked at */
    uint32_t turn_receives; /* of the process that runs, since it was switched to */
    uint32_t handed_out;    /* to members of groups, of what a channel brought in this turn */
    uint32_t recent_next;   /* of `recent`, below */

    uint64_t now_ns;
    struct timer_wheel timers;
    struct pool alarms;                          /* alarm.h: messages that are sent later */
    uint32_t alarms_cancelled[ALARMS_CANCELLED]; /* a ring; 0: none */
    uint32_t alarms_cancelled_next;
    struct slab slab;
    struct spares spares;
    struct handle_table handles; /* monitors, open calls */
    uint64_t ref_last;

    struct pool actors; /* the slots */
    uint32_t actors_max;
    atomic_uint actors_count; /* written by this thread, read by all */

    struct channel **out; /* [schedulers]: to each other scheduler; NULL at our own index */
    struct channel **in;
    struct door *door; /* from other threads */
    uint32_t unpublished;

    struct output *unsent; /* of sockets with bytes to send when the turn ends */
    struct starving *starving, **starving_last; /* sockets that found no receive buffer */
    struct farewell *closing;    /* of sockets without an owner, until they are settled */
    struct ln_resource *errands; /* work.c: in the hands of workers */
    struct group **groups;       /* buckets by name; NULL: there is none */
    uint32_t sockets_count, groups_max, groups_count;

    bool shutting_down;
    bool settled; /* nothing lives here any more: counted in the node */
    struct scheduler_stats stats;
    struct work_kind work[LN_WORK_KINDS];

    struct recorder *traces[LN_TRACES_MAX];
    struct watch watch;
    struct crash_log *crash_log;                   /* made when there is something to keep */
    struct recent_message recent[RECENT_MESSAGES]; /* that were handled, of all actors */
};

extern _Thread_local struct scheduler *scheduler_self;

static inline struct scheduler *
scheduler_current(void)
{
    ASSERT(scheduler_self != NULL);
    return scheduler_self;
}
/* Completions of io run before their loop's turn; under sim loops share a thread, so whoever is
 * called by io first says whose it is. */
static inline void
scheduler_enter(struct scheduler *scheduler)
{
    scheduler_self = scheduler;
}
/* The calling actor. */
static inline struct actor *
actor_current(void)
{
    struct actor *actor = scheduler_current()->current;
    ASSERT(actor != NULL);
    return actor;
}

void scheduler_init(struct scheduler *scheduler, struct ln_node *node, unsigned index,
                    uint32_t actors_max);
/* After its thread has stopped: frees the actors that are left (the machine crashed), then, with
 * scheduler_fini, the rest. */
void scheduler_discard(struct scheduler *scheduler);
void scheduler_fini(struct scheduler *scheduler);

/* The io driver's loop (struct io_loop). */
uint64_t scheduler_turn(void *scheduler);
bool scheduler_idle(void *scheduler);
bool scheduler_stopped(void *scheduler);
uint64_t scheduler_work(void *scheduler);

/* Likewise, when code of it faulted. Returns only when the process shall end. */
void scheduler_faulted(void *scheduler, const struct io_fault *fault);

/* Whether there is a stack for the loop to go on with, so that the current actor may keep this
 * one. */
bool scheduler_can_park(struct scheduler *scheduler);
/* The current actor's stack stays with it and the loop goes on elsewhere; returns when the actor
 * runs again. */
void scheduler_park(struct scheduler *scheduler);
/* Leaves an ended actor's stack for good: a lent one begins its loop again, a process's own is
 * freed. */
NORETURN void scheduler_abandon(struct scheduler *scheduler, struct fiber *process_fiber);

/* From a loop fiber to the stack of an actor that waited, or of a process. Returns when somebody
 * needs a loop. */
void scheduler_resume(struct scheduler *scheduler, struct actor *actor);
/* The same for a process, which may have no stack yet; without one for it, it ends. */
void scheduler_run_process(struct scheduler *scheduler, struct actor *actor);
/* On every loop fiber that was switched to, first of all: what the fiber that was left could not do
 * on its own stack. */
void scheduler_arrive(struct scheduler *scheduler);
/* What other schedulers were sent becomes visible to them. */
void scheduler_publish(struct scheduler *scheduler);

/* What a loop fiber runs, for ever: turn.c. Where the io driver chooses who goes first, the
 * second. */
void scheduler_loop(void *scheduler);
void scheduler_loop_by_choice(void *scheduler);

/* Their slots: slots.c. */
void slots_init(struct scheduler *scheduler, uint32_t actors_max);
void slots_fini(struct scheduler *scheduler);
/* Whoever lives in a used slot, or NULL. */
struct actor *scheduler_actor_at(const struct scheduler *scheduler, uint32_t slot);
/* A slot with its pid, zeroed but for that; NULL when there is none left. */
struct actor *scheduler_adopt(struct scheduler *scheduler);
/* Nobody finds the actor any more, and its slot is free: what is in it lasts until the next one
 * begins. */
void scheduler_forget(struct scheduler *scheduler, struct actor *actor);
/* A new reference, unique in this node's life. */
uint64_t scheduler_ref(struct scheduler *scheduler);
/* When to compare with to tell how busy it was lately: a second ago, or longer. */
const struct load_sample *scheduler_load_since(const struct scheduler *scheduler, uint64_t now_ns);
/* Kills every actor; the scheduler stops when none is left. */
void scheduler_shut_down(struct scheduler *scheduler);

/* The pid under which the scheduler itself takes messages. */
static inline ln_pid
scheduler_pid(unsigned index)
{
    return (ln_pid)index << 56 | 1;
}
static inline uint32_t
pid_slot(ln_pid pid)
{
    return (uint32_t)(pid >> 32) & 0xffffff;
}
static inline uint64_t
scheduler_now_ms(const struct scheduler *scheduler)
{
    return scheduler->now_ns / 1000000;
}
/* NULL when no such actor lives here. */
static inline struct actor *
scheduler_find(const struct scheduler *self, ln_pid pid)
{
    /* The upper half less that of our own pids: the slot, or, of another scheduler's pid, more than
     * there are. What a free slot has for a pid is nobody's. */
    uint32_t slot = (uint32_t)(pid >> 32) - (self->index << 24);
    if (slot >= pool_records(&self->actors)) {
        return NULL;
    }
    struct actor *found = pool_at(&self->actors, slot, ACTOR_BYTES);
    return found->pid == pid ? found : NULL;
}
static inline void
scheduler_ready(struct scheduler *self, struct actor *actor)
{
    ASSERT(actor->run_state != ACTOR_READY);
    actor->run_state = ACTOR_READY;
    actor->next = NULL;
    *self->ready_tail = actor;
    self->ready_tail = &actor->next;
    self->ready_count++;
}
