/* SPDX-License-Identifier: Apache-2.0 */
/* The loop that every loop fiber runs, and an actor's turn in it: what happens once for each
 * message. Nearly every turn is of an idle behaviour that was sent something and has nothing else
 * about it; one look tells, and for it loop, turn and mailbox are one piece of code. The others
 * take another way, out of line. */
#include "runtime/bounds.h"
#include "runtime/message.h"
#include "runtime/node_priv.h"
#include "runtime/overflow.h"

enum {
    /* The clock is read once in so many messages and actors' turns, and other schedulers get what
     * is for them; between, a turn may be this much longer than its budget. */
    STEPS_PER_LOOK = 64,
    /* Where the driver chooses who goes first, it does so among so many. */
    READY_CHOICES_MAX = 16,
};

/* ------------------------------------------------------------------------------------ run queue */

static struct actor *
ready_pop(struct scheduler *self)
{
    struct actor *actor = self->ready_head;
    if (actor != NULL) {
        self->ready_head = actor->next;
        if (actor->next == NULL) {
            self->ready_tail = &self->ready_head;
        } else {
            __builtin_prefetch(actor->next, 1);
        }
        self->ready_count--;
    }
    return actor;
}

/* Any of the first few. What an actor is sent stays in order: its mailbox is not touched. */
static struct actor *
ready_pop_any(struct scheduler *self)
{
    uint32_t count = self->ready_count;
    if (count > 1) {
        struct actor *before = NULL;
        struct actor *chosen = self->ready_head;
        uint32_t at = io_choose(self->io, count < READY_CHOICES_MAX ? count : READY_CHOICES_MAX);
        for (; at > 0; at--) {
            before = chosen;
            chosen = chosen->next;
        }
        if (before != NULL) { /* it goes to the front */
            before->next = chosen->next;
            self->ready_tail = before->next == NULL ? &before->next : self->ready_tail;
            chosen->next = self->ready_head;
            self->ready_head = chosen;
        }
    }
    return ready_pop(self);
}

/* -------------------------------------------------------------------------------- actors' turns */

static bool
look(struct scheduler *self)
{
    self->turn_steps = 0;
    scheduler_publish(self);
    self->now_ns = io_now_ns(self->io);
    return self->now_ns >= self->turn_end_ns || self->turn_actors >= LN_TURN_ACTORS;
}

/* After each actor's turn. */
static inline bool
turn_over(struct scheduler *self)
{
    self->turn_actors++;
    return ++self->turn_steps >= STEPS_PER_LOOK && __builtin_expect(look(self), 0);
}

static inline void
turn_begin(struct scheduler *self, struct actor *actor)
{
    ASSERT(actor->run_state == ACTOR_READY);
    actor->run_state = ACTOR_RUNNING;
    self->current = actor;
    self->turn_expired = 0;
    self->turn_receives = 0;
}

/* Messages, until the budget or the mailbox is used up or the actor ends. Whether it is known that
 * none is left. */
static inline __attribute__((always_inline)) bool
serve(struct scheduler *self, struct actor *actor)
{
    for (uint32_t left = self->turn_messages; left > 0; left--) {
        struct ln_msg *msg = mailbox_pop(&actor->mailbox);
        if (msg == NULL) {
            return true;
        }
        self->turn_steps++;
        message_hold_first(self, msg);
        message_open(self, actor, msg);
        actor->behaviour->handle(actor->body->state, &msg);
        if (msg != NULL) {
            message_free(self, msg);
        }
        message_settle(self);
        if (actor->ending != NULL || self->turn_expired) {
            break;
        }
    }
    return false;
}

/* The end of a turn that may have left messages, or of the actor. */
static __attribute__((noinline)) void
leave(struct scheduler *self, struct actor *actor)
{
    self->stats.turns_cut += self->turn_expired && actor->ending == NULL;
    if (actor->ending != NULL) {
        actor_end(self, actor);
    } else if (!mailbox_empty(&actor->mailbox)) {
        scheduler_ready(self, actor);
    } else {
        actor->run_state = ACTOR_IDLE;
        if (actor->asked_idle) {
            idle_begin(self, actor);
        }
    }
}

/* A turn of a behaviour that has more about it than messages: its init, its end, a wait for nothing
 * to come. */
static ENTERS_ACTOR void
turn_with_more(struct scheduler *self, struct actor *actor)
{
    turn_begin(self, actor);
    if (actor->asked_idle) {
        idle_end(actor);
    }
    if (actor->unbegun && actor->ending == NULL) {
        actor_run_init(self, actor);
        message_settle(self);
    }
    if (actor->ending == NULL && !self->turn_expired) {
        (void)serve(self, actor);
    }
    leave(self, actor);
    self->current = NULL;
}

/* Whoever has a stack, is about to get one, or has more about it than messages. */
static __attribute__((noinline)) void
run_any(struct scheduler *self, struct actor *actor)
{
    if (actor->process) {
        scheduler_run_process(self, actor);
    } else if (actor->fiber != NULL) {
        scheduler_resume(self, actor);
    } else {
        turn_with_more(self, actor);
    }
}

static inline __attribute__((always_inline)) void
run(struct scheduler *self, struct actor *actor)
{
    bool more = actor->process || actor->unbegun || actor->asked_idle;
    if (__builtin_expect(more || actor->fiber != NULL || actor->ending != NULL, 0)) {
        run_any(self, actor);
        return;
    }
    turn_begin(self, actor);
    if (__builtin_expect(serve(self, actor) && !actor->asked_idle, 1)) {
        actor->run_state = ACTOR_IDLE;
    } else {
        leave(self, actor);
    }
    self->current = NULL;
}

/* ------------------------------------------------------------------------------------- the loop */

/* Every loop fiber, for ever. All of its state is the scheduler's, so it may be left and begun
 * again anywhere. Inlined into the two below, so that nobody asks each time who chooses. */
static inline __attribute__((always_inline)) void
loop_for_ever(struct scheduler *self, struct actor *(*pop)(struct scheduler *self))
{
    scheduler_arrive(self);
    for (;;) {
        struct actor *actor = pop(self);
        if (actor == NULL) {
            fiber_switch(self->running, &self->host);
            continue;
        }
        run(self, actor);
        if (turn_over(self)) {
            fiber_switch(self->running, &self->host);
        }
    }
}

ENTERS_ACTOR void
scheduler_loop(void *scheduler)
{
    loop_for_ever(scheduler, ready_pop);
}

ENTERS_ACTOR void
scheduler_loop_by_choice(void *scheduler)
{
    loop_for_ever(scheduler, ready_pop_any);
}
