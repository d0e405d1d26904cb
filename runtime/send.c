/* SPDX-License-Identifier: Apache-2.0 */
/* How a message gets from one actor to another, and what becomes of it where there is none.
 *
 * A delivery may post another message, which is delivered at once when its receiver lives here: the
 * answer to a request that is refused or has no receiver, a refused message on its way back. Both
 * travel in the lane that refuses nothing, so there is never a third. */
// NOLINTBEGIN(misc-no-recursion)
#include "runtime/door.h"
#include "runtime/message.h"
#include "runtime/node_priv.h"

#include <errno.h>
#include <string.h>

/* A request that was handed to an actor and not answered yet. It is a resource of the actor: if
 * that ends first, the asker is told. */
struct open_call {
    struct ln_resource own;
    struct ln_caller caller;
};

void
message_post(struct scheduler *self, ln_pid to, struct ln_msg **msg)
{
    unsigned target = ln_pid_scheduler(to);
    if (__builtin_expect(self->tracing != 0, 0)) {
        trace_sent(self, *msg, to);
    }
    message_let_go(self, *msg);
    (*msg)->to = to;
    if (self->node->closing) {
        ln_msg_free(msg);
        return;
    }
    if (target == self->index) {
        message_deliver(self, to, msg);
        return;
    }
    if (to == 0 || target >= self->node->schedulers_count) {
        message_discard(self, msg, -ESRCH);
        return;
    }
    self->stats.messages_remote++;
    self->unpublished++;
    channel_send(self->out[target], msg);
}

/* -------------------------------------------------------------------------------------- answers */

void
message_answer(struct ln_caller caller, struct ln_msg **answer, int error)
{
    struct scheduler *self = scheduler_current();
    struct ln_msg *msg = *answer != NULL ? *answer : message_new(self, 0, LN_REPLY, 0);
    *answer = NULL;
    message_let_go(self, msg);
    msg->lane = LN_REPLY;
    msg->flags = LN_MSG_ANSWER | (caller.async ? LN_MSG_ASYNC : 0);
    msg->ref = caller.ref;
    msg->error = error;
    msg->from = self->current != NULL ? self->current->pid : scheduler_pid(self->index);
    message_post(self, caller.pid, &msg);
}

static void
open_call_release(struct ln_resource *resource)
{
    struct open_call *open = (struct open_call *)resource;
    struct scheduler *self = scheduler_current();
    struct ln_caller caller = open->caller;
    (void)handle_free(&self->handles, caller.open);
    slab_free(&self->slab, open, sizeof *open);
    struct ln_msg *answer = NULL;
    message_answer(caller, &answer, -ESRCH);
}

/* A request's `key` and `error` are free once it has arrived: they hold the handle of its
 * open_call. */
void
request_open(struct scheduler *self, struct actor *receiver, struct ln_msg *msg)
{
    struct open_call *open = slab_alloc(&self->slab, sizeof *open);
    memset(open, 0, sizeof *open);
    uint64_t handle = handle_new(&self->handles, open);
    open->caller =
        (struct ln_caller){msg->from, msg->ref, handle, (msg->flags & LN_MSG_ASYNC) != 0};
    msg->key = (uint32_t)handle;
    msg->error = (int32_t)(uint32_t)(handle >> 32);
    resource_add(&receiver->resources, &open->own, open_call_release);
}

struct ln_caller
ln_caller(const struct ln_msg *request)
{
    ln_actor_check((request->flags & LN_MSG_REQUEST) != 0);
    uint64_t handle = (uint64_t)(uint32_t)request->error << 32 | request->key;
    return (struct ln_caller){request->from, request->ref, handle,
                              (request->flags & LN_MSG_ASYNC) != 0};
}

static void
reply(struct ln_caller caller, struct ln_msg **answer, int error)
{
    struct scheduler *self = scheduler_current();
    struct open_call *open = handle_get(&self->handles, caller.open);
    if (open == NULL || open->own.release != open_call_release || open->caller.ref != caller.ref) {
        self->stats.answers_late++;
        ln_msg_free(answer);
        return;
    }
    (void)handle_free(&self->handles, caller.open);
    ln_disown(&open->own);
    slab_free(&self->slab, open, sizeof *open);
    message_answer(caller, answer, error);
}

void
ln_reply(struct ln_caller caller, struct ln_msg **answer)
{
    ln_actor_check(*answer == NULL || (*answer)->tag != LN_TAG_DATA);
    reply(caller, answer, 0);
}

void
ln_reply_error(struct ln_caller caller, int error)
{
    ASSERT(error < 0);
    struct ln_msg *answer = NULL;
    reply(caller, &answer, error);
}

/* ------------------------------------------------------------------------------------- requests */

uint64_t
ln_request(ln_pid to, struct ln_msg **request)
{
    struct scheduler *self = scheduler_current();
    uint64_t ref = scheduler_ref(self);
    message_renew(self, *request);
    ln_actor_check((*request)->lane != LN_LOSSY);
    struct process *process = actor_process(self->current);
    if (process != NULL) {
        mailbox_mark(&self->current->mailbox, &process->marks, ref);
    }
    (*request)->ref = ref;
    (*request)->flags |= LN_MSG_REQUEST | LN_MSG_ASYNC;
    message_post(self, to, request);
    return ref;
}

int
message_call(ln_pid to, struct ln_msg **request, uint64_t timeout_ms, bool cancellable,
             struct ln_msg **out_answer)
{
    struct scheduler *self = scheduler_current();
    struct wait wait;
    if (((*request)->flags & LN_MSG_HELD) == 0) {
        message_hold(self, *request); /* should wait_begin end the caller */
    }
    wait_begin(&wait, WAIT_ANSWER); /* before the request leaves: it may be answered at once */
    wait.cancellable = cancellable;
    wait.callee = to;
    wait.tag = (*request)->tag;
    wait.ref = scheduler_ref(self);
    (*request)->ref = wait.ref;
    (*request)->from = actor_current()->pid;
    (*request)->flags |= LN_MSG_REQUEST;
    message_post(self, to, request);
    int error = wait_for(&wait, timeout_ms);
    if (error == 0 && out_answer != NULL) {
        *out_answer = wait.answer;
        return 0;
    }
    ln_msg_free(&wait.answer);
    return error;
}

int
ln_call(ln_pid to, struct ln_msg **request, uint64_t timeout_ms, struct ln_msg **out_answer)
{
    message_renew(scheduler_current(), *request);
    ln_actor_check((*request)->lane != LN_LOSSY);
    return message_call(to, request, timeout_ms, true, out_answer);
}

/* ------------------------------------------------------------------------------------- delivery */

void
message_discard(struct scheduler *self, struct ln_msg **msg, int error)
{
    struct ln_msg *discarded = *msg;
    self->stats.messages_dropped++;
    if ((discarded->flags & LN_MSG_SIGNAL) != 0) {
        scheduler_signal(self, NULL, msg);
        return;
    }
    if ((discarded->flags & LN_MSG_REQUEST) != 0) {
        struct ln_caller caller = {discarded->from, discarded->ref, 0,
                                   (discarded->flags & LN_MSG_ASYNC) != 0};
        struct ln_msg *answer = NULL;
        message_answer(caller, &answer, error);
    }
    if (discarded->tag >= LN_TAG_ACCEPT && discarded->tag <= LN_TAG_CLOSED) {
        socket_event_discard(discarded);
    }
    ln_msg_free(msg);
}

/* At its limit: a request is answered, anything else goes back to its sender, unless it has come
 * back already. */
static void
deliver_refused(struct scheduler *self, struct ln_msg **msg)
{
    self->stats.messages_refused++;
    if (((*msg)->flags & (LN_MSG_REQUEST | LN_MSG_REFUSED)) != 0 || (*msg)->from == 0) {
        message_discard(self, msg, -EAGAIN);
        return;
    }
    ln_pid sender = (*msg)->from;
    (*msg)->from = (*msg)->to;
    (*msg)->flags |= LN_MSG_REFUSED;
    (*msg)->lane = LN_REPLY; /* whoever sent it has room for what comes back: it was his credit */
    message_post(self, sender, msg);
}

/* `queued` is the message that came, or NULL when one that lay there was renewed in its place. */
static void
wake_receiver(struct scheduler *self, struct actor *actor, const struct ln_msg *queued)
{
    struct wait *wait = actor->wait;
    if (actor->run_state == ACTOR_IDLE) {
        scheduler_ready(self, actor);
    } else if (wait != NULL && wait->kind == WAIT_MESSAGE &&
               (queued == NULL || wait->match(queued, wait->match_context))) {
        wait_end(wait, 0); /* renewed: the waiter looks itself */
    }
}

/* Any message. */
static void
deliver_by_lane(struct scheduler *self, struct actor *actor, struct ln_msg **msg)
{
    const struct ln_msg *queued = *msg;
    switch (mailbox_push(&actor->mailbox, actor->behaviour, msg)) {
    case MAILBOX_REFUSED:
        deliver_refused(self, msg);
        if (actor->behaviour->mailbox_kill && actor->ending == NULL) {
            actor_fail_soon(self, actor, "mailbox over its limit");
        }
        return;
    case MAILBOX_DROPPED:
        self->stats.lossy_dropped++;
        return;
    case MAILBOX_COALESCED:
        self->stats.lossy_coalesced++;
        wake_receiver(self, actor, NULL);
        return;
    case MAILBOX_TAKEN:
        wake_receiver(self, actor, queued);
        return;
    }
}

static __attribute__((noinline)) void
deliver_queued_any(struct scheduler *self, struct actor *actor, struct ln_msg *msg)
{
    deliver_by_lane(self, actor, &msg);
}

/* Takes msg. */
static inline void
deliver_queued(struct scheduler *self, struct actor *actor, struct ln_msg *msg)
{
    if (!mailbox_push_plain(&actor->mailbox, msg)) {
        deliver_queued_any(self, actor, msg);
    } else if (actor->run_state == ACTOR_IDLE) {
        __builtin_prefetch(actor->body->state, 1);
        scheduler_ready(self, actor);
    } else if (actor->wait != NULL) {
        wake_receiver(self, actor, msg);
    }
}

static void
deliver_answer(struct scheduler *self, struct actor *actor, struct ln_msg **msg)
{
    if (((*msg)->flags & LN_MSG_ASYNC) != 0) {
        struct process *process = actor_process(actor);
        if (process == NULL || !request_was_forgotten(self, process, (*msg)->ref)) {
            deliver_queued(self, actor, *msg);
            *msg = NULL;
            return;
        }
    }
    struct wait *wait = actor->wait;
    if (wait == NULL || wait->ref != (*msg)->ref) {
        self->stats.answers_late++;
        ln_msg_free(msg);
        return;
    }
    int error = (*msg)->error;
    if (__builtin_expect(self->tracing != 0, 0) && wait->tag < LN_TAG_RUNTIME) {
        trace_taken(self, actor, *msg);
    }
    (*msg)->flags |= LN_MSG_HELD;
    message_link(actor, *msg); /* should it not run again: the node closes */
    wait->answer = *msg;
    *msg = NULL;
    wait_end(wait, error);
}

void
message_deliver(struct scheduler *self, ln_pid to, struct ln_msg **msg)
{
    struct actor *actor = scheduler_find(self, to);
    self->stats.messages++;
    if (((*msg)->flags & LN_MSG_SIGNAL) != 0) {
        scheduler_signal(self, actor, msg);
    } else if (to == scheduler_pid(self->index) && ((*msg)->flags & LN_MSG_ANSWER) != 0) {
        door_answered(self, msg);
    } else if (actor == NULL) {
        message_discard(self, msg, -ESRCH);
    } else if (((*msg)->flags & LN_MSG_ANSWER) != 0) {
        deliver_answer(self, actor, msg);
    } else {
        deliver_queued(self, actor, *msg);
        *msg = NULL;
    }
}

/* Any message to anybody. */
static __attribute__((noinline)) void
send_any(struct scheduler *self, ln_pid to, struct ln_msg **msg)
{
    message_renew(self, *msg);
    message_post(self, to, msg);
}

/* Whether there is nothing to forget of what it was: made or taken last, no request, not refused,
 * not out of a socket. */
static inline bool
is_plain(const struct scheduler *self, const struct ln_msg *msg)
{
    return msg == self->newest && msg->flags == LN_MSG_HELD && msg->tag < LN_TAG_RUNTIME;
}

void
ln_send(ln_pid to, struct ln_msg **msg)
{
    struct scheduler *self = scheduler_current();
    struct ln_msg *sent = *msg;
    struct actor *actor = scheduler_find(self, to);
    if (__builtin_expect(!is_plain(self, sent) || actor == NULL || self->tracing != 0, 0)) {
        send_any(self, to, msg);
        return;
    }
    /* What message_renew, message_post and message_deliver would do, without asking what it can't
     * be. */
    *msg = NULL;
    self->newest = NULL;
    self->stats.messages++;
    sent->to = to;
    sent->from = self->current->pid;
    sent->ref = 0;
    sent->error = 0;
    sent->flags = 0;
    deliver_queued(self, actor, sent);
}

// NOLINTEND(misc-no-recursion)
