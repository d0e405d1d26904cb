/* SPDX-License-Identifier: Apache-2.0 */
/* An actor's life: made, its init, its turns, its end. */
#include "runtime/actor.h"

#include "runtime/message.h"
#include "runtime/node_priv.h"
#include "runtime/overflow.h"
#include "runtime/registry.h"

#include <errno.h>
#include <string.h>

/* An argument of this size may lie in the state's place, and on the stack while init runs. */
enum { ARGUMENT_BYTES_MAX = 128 };

/* What bodies consist of. */
struct grain {
    uint64_t words[2];
};
_Static_assert(sizeof(struct actor_body) % sizeof(struct grain) == 0, "the state begins with one");

/* ------------------------------------------------------------------------------------ beginning */

static struct start *
start_new(struct scheduler *self, const void *argument, size_t bytes)
{
    struct start *start = slab_alloc(&self->slab, sizeof *start + bytes);
    start->caller = (struct ln_caller){0};
    start->bytes = (uint32_t)bytes;
    if (bytes > 0) {
        memcpy(start->argument, argument, bytes);
    }
    return start;
}

static void
start_free(struct scheduler *self, struct start *start)
{
    if (start != NULL) {
        slab_free(&self->slab, start, sizeof *start + start->bytes);
    }
}

static size_t
whole_grains(size_t bytes)
{
    return (bytes + sizeof(struct grain) - 1) & ~(sizeof(struct grain) - 1);
}

/* Where there is no process behind the state, an argument of its size or so is put into its place,
 * so that most actors begin with one block of memory. */
void
actor_init(struct scheduler *self, struct actor *actor, const struct ln_behaviour *behaviour,
           const void *argument, size_t bytes)
{
    ASSERT((behaviour->handle != NULL) != (behaviour->run != NULL));
    ASSERT(bytes <= UINT32_MAX);
    bool in_place = behaviour->run == NULL && bytes <= ARGUMENT_BYTES_MAX;
    size_t body_bytes =
        sizeof(struct actor_body) +
        whole_grains(in_place && bytes > behaviour->state_bytes ? bytes : behaviour->state_bytes) +
        (behaviour->run != NULL ? sizeof(struct process) : 0);
    struct actor_body *body = slab_alloc(&self->slab, body_bytes);
    *body = (struct actor_body){.bytes = (uint32_t)body_bytes};
    if (!in_place) {
        memset(body->state, 0, body_bytes - sizeof *body);
        body->start = start_new(self, argument, bytes);
    } else if (bytes > 0) {
        memcpy(body->state, argument, bytes);
        body->argument_bytes = (uint32_t)bytes;
    }
    actor->body = body;
    actor->behaviour = behaviour;
    mailbox_init(&actor->mailbox, behaviour);
    actor->run_state = ACTOR_HELD;
    actor->unbegun = true;
    actor->process = behaviour->run != NULL;
    actor->traps_exit = behaviour->trap_exit;
}

void
actor_fini(struct scheduler *self, struct actor *actor)
{
    start_free(self, actor->body->start);
    slab_free(&self->slab, actor->ending, sizeof *actor->ending);
    slab_free(&self->slab, actor->body, actor->body->bytes);
}

void
actor_init_awaited(struct scheduler *self, struct actor *actor, struct ln_caller caller)
{
    ASSERT(actor->unbegun);
    if (actor->body->start == NULL) {
        actor->body->start = start_new(self, NULL, 0);
    }
    actor->body->start->caller = caller;
}

void
actor_begin(struct scheduler *self, struct actor *actor)
{
    if (actor->run_state == ACTOR_HELD) {
        scheduler_ready(self, actor);
    }
}

/* Ends the start. A cancel that made init fail is the child's own affair: its caller was not
 * cancelled. */
static void
start_end(struct scheduler *self, struct actor *actor, int error)
{
    struct start *start = actor->body->start;
    if (start == NULL) {
        return;
    }
    actor->body->start = NULL;
    if (start->caller.pid != 0) {
        struct ln_msg *answer = NULL;
        message_answer(start->caller, &answer, error == -ECANCELED ? -ESRCH : error);
    }
    start_free(self, start);
}

/* Where a reason of this kind is to be noted, to be filled at once; NULL: the one that is there
 * stays. Filled in place, since a reason that is put together elsewhere and then copied in larger
 * pieces waits for its own stores. */
static struct ln_reason *
ending_place(struct scheduler *self, struct actor *actor, enum ln_exit_kind kind)
{
    if (actor->ending == NULL) {
        actor->ending = slab_alloc(&self->slab, sizeof *actor->ending);
        if (actor->body->name != NULL) {
            name_leave(actor->body->name);
        }
    } else if (kind != LN_EXIT_KILLED || actor->ending->kind == LN_EXIT_KILLED) {
        return NULL;
    }
    return actor->ending;
}

static void
note_end(struct scheduler *self, struct actor *actor, struct ln_reason reason)
{
    struct ln_reason *place = ending_place(self, actor, reason.kind);
    if (place != NULL) {
        *place = reason;
    }
}

static void
note_failure(struct actor *actor)
{
    if (actor->failure == FAILURE_NONE) {
        actor->failure = FAILURE_NOTED;
    }
}

/* The first failure is reported, also where something else was the first reason to end. */
static void
report_failure(struct scheduler *self, struct actor *actor, const struct ln_reason *reason)
{
    if (actor->failure != FAILURE_REPORTED) {
        actor->failure = FAILURE_REPORTED;
        crash_report(self, actor, reason);
    }
}

/* A whole argument is read at once by most who take it, and right after this: pieces that overlap,
 * as memcpy copies so few bytes, would make it wait until they have left the store buffer. */
static inline void
argument_copy(struct grain *to, const struct grain *from, size_t bytes)
{
    if (bytes > 4 * sizeof *to) {
        memcpy(to, from, bytes);
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (bytes > i * sizeof *to) {
            to[i] = from[i];
        }
    }
}

/* The argument of its init. What lies in the state's place is copied, and the state zeroed. */
static const void *
argument_take(struct actor *actor, struct grain *copy)
{
    struct actor_body *body = actor->body;
    if (body->start != NULL && body->start->bytes > 0) {
        return body->start->argument;
    }
    argument_copy(copy, (const struct grain *)(const void *)body->state, body->argument_bytes);
    memset(body->state, 0, actor->behaviour->state_bytes);
    return copy;
}

ENTERS_ACTOR void
actor_run_init(struct scheduler *self, struct actor *actor)
{
    const struct ln_behaviour *behaviour = actor->behaviour;
    struct grain copy[ARGUMENT_BYTES_MAX / sizeof(struct grain)];
    const void *argument = argument_take(actor, copy);
    int error = behaviour->init != NULL ? behaviour->init(actor->body->state, argument) : 0;
    if (error != 0) {
        note_failure(actor);
        note_end(self, actor,
                 (struct ln_reason){LN_EXIT_ERROR, error, "init failed", behaviour->name});
    }
    actor->unbegun = error != 0;
    start_end(self, actor, error);
}

ENTERS_ACTOR void
actor_run_process(void *argument)
{
    struct actor *actor = argument;
    struct scheduler *self = scheduler_current();
    struct fiber *fiber = self->running;
    if (actor->ending == NULL) {
        actor_run_init(self, actor);
    }
    if (actor->ending == NULL) {
        actor->behaviour->run(actor->body->state);
    }
    actor_end(self, actor);
    scheduler_abandon(self, fiber);
}

/* --------------------------------------------------------------------------------------- ending */

void
actor_end_soon(struct scheduler *self, struct actor *actor, struct ln_reason reason)
{
    note_end(self, actor, reason);
    actor->cancelled = true;
    if (actor->run_state == ACTOR_IDLE || actor->run_state == ACTOR_HELD) {
        scheduler_ready(self, actor);
    } else if (actor->run_state == ACTOR_WAITING && actor->wait != NULL &&
               actor->wait->cancellable) {
        wait_end(actor->wait, -ECANCELED);
    }
}

void
actor_fail_soon(struct scheduler *self, struct actor *actor, const char *text)
{
    note_failure(actor);
    actor_end_soon(self, actor, (struct ln_reason){LN_EXIT_ERROR, 0, text, actor->behaviour->name});
}

static ENTERS_ACTOR void
terminate(struct actor *actor)
{
    const struct ln_behaviour *behaviour = actor->behaviour;
    bool wanted = !actor->unbegun && !actor->terminated && actor->ending->kind != LN_EXIT_KILLED;
    actor->terminated = true;
    if (wanted && behaviour->terminate != NULL) {
        actor->cancelled = false; /* what it does to end well may wait, until it is killed */
        behaviour->terminate(actor->body->state, actor->ending);
    }
}

static void
mailbox_discard(struct scheduler *self, struct actor *actor)
{
    struct ln_msg *msg;
    while ((msg = mailbox_pop(&actor->mailbox)) != NULL) {
        message_discard(self, &msg, -ESRCH);
    }
    ASSERT(mailbox_settled(&actor->mailbox, actor->behaviour));
}

void
actor_end(struct scheduler *self, struct actor *actor)
{
    ASSERT(self->current == actor);
    if (actor->ending == NULL) {
        note_end(self, actor, (struct ln_reason){.kind = LN_EXIT_NORMAL, .text = "returned"});
    }
    if (actor->failure == FAILURE_NOTED && actor->ending->kind == LN_EXIT_ERROR) {
        report_failure(self, actor, actor->ending);
    }
    terminate(actor);
    if (actor->body->name != NULL) {
        registry_remove(self->node->registry, self->index, actor);
    }
    start_end(self, actor, -ESRCH); /* from here on others learn of the end: the name is gone */
    resources_release(actor);
    mailbox_discard(self, actor);
    if (actor->traced != 0) {
        trace_ended(self, actor);
    }
    self->stats.ended++;
    self->stats.crashed += actor->ending->kind == LN_EXIT_ERROR;
    ln_pid pid = actor->pid;
    scheduler_forget(self, actor); /* nobody begins in its slot before this is over */
    notices_send(self, actor, pid);
    node_actor_ended(self->node, pid, actor->ending);
    self->current = NULL;
    actor_fini(self, actor);
}

void
actor_end_overflown(struct scheduler *self, struct actor *actor, unsigned depth)
{
    struct ln_reason reason = {LN_EXIT_ERROR, (int32_t)depth, "stack overflow",
                               actor->behaviour->name};
    note_end(self, actor, reason);
    actor->terminated = true;
    report_failure(self, actor, &reason);
    actor_end(self, actor);
}

void
actor_discard(struct scheduler *self, struct actor *actor)
{
    self->current = actor;
    resources_release(actor);
    mailbox_discard(self, actor);
    struct actor_body *body = actor->body;
    while (body->notices != NULL) {
        struct ln_msg *notice = body->notices;
        body->notices = notice->next;
        ln_msg_free(&notice);
    }
    self->current = NULL;
    actor_fini(self, actor);
}

void
ln_exit_at(enum ln_exit_kind kind, const char *text, const char *file, int line)
{
    struct scheduler *self = scheduler_current();
    struct actor *actor = actor_current();
    struct fiber *process_fiber = actor->behaviour->run != NULL ? self->running : NULL;
    struct ln_reason reason = {kind, line, text, file};
    note_end(self, actor, reason);
    /* Who is being ended and does not expect what a cancelled wait returned has not failed. */
    if (kind == LN_EXIT_ERROR && !actor->cancelled) {
        report_failure(self, actor, &reason);
    }
    actor_end(self, actor);
    scheduler_abandon(self, process_fiber);
}

void
ln_exit(enum ln_exit_kind kind, const char *text)
{
    ln_exit_at(kind, text, NULL, 0);
}

void
ln_stop(enum ln_exit_kind kind, const char *text)
{
    struct actor *actor = actor_current();
    if (kind == LN_EXIT_ERROR) {
        note_failure(actor);
    }
    struct ln_reason *place = ending_place(scheduler_current(), actor, kind);
    if (place != NULL) {
        *place = (struct ln_reason){.kind = kind, .text = text};
    }
}
