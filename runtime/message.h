/* SPDX-License-Identifier: Apache-2.0 */
/* message.h - making, holding and freeing messages: what happens to every one of them, and is
 * therefore inlined. For runtime/ alone. */
#pragma once

#include "runtime/scheduler.h"
#include "runtime/trace_priv.h"

/* Like ln_msg_new, but nobody holds it. */
struct ln_msg *message_new(struct scheduler *self, uint32_t tag, enum ln_lane lane, size_t bytes);
/* Frees a message that is on its way or held. */
void message_free_any(struct scheduler *self, struct ln_msg *msg);

/* An actor's own messages hang in a list, so that none is lost when it ends. */
static inline void
message_link(struct actor *actor, struct ln_msg *msg)
{
    msg->next = actor->held;
    msg->previous = &actor->held;
    if (msg->next != NULL) {
        msg->next->previous = &msg->next;
    }
    actor->held = msg;
}

/* The current actor is left. */
static inline void
message_settle(struct scheduler *self)
{
    if (self->newest != NULL) {
        message_link(self->current, self->newest);
        self->newest = NULL;
    }
}

/* For the current actor. Most are sent on or freed before there is another, so the newest is not in
 * the list until then, or until the actor is left. */
static inline void
message_hold(struct scheduler *self, struct ln_msg *msg)
{
    ASSERT((msg->flags & LN_MSG_HELD) == 0);
    message_settle(self);
    msg->flags |= LN_MSG_HELD;
    self->newest = msg;
}
/* The same where the current actor has no newest. */
static inline void
message_hold_first(struct scheduler *self, struct ln_msg *msg)
{
    ASSERT_SLOW(self->newest == NULL);
    msg->flags |= LN_MSG_HELD;
    self->newest = msg;
}

static inline void
message_let_go(struct scheduler *self, struct ln_msg *msg)
{
    if (self->newest == msg) {
        self->newest = NULL;
    } else if ((msg->flags & LN_MSG_HELD) != 0) {
        *msg->previous = msg->next;
        if (msg->next != NULL) {
            msg->next->previous = msg->previous;
        }
    }
    msg->flags &= (uint8_t)~LN_MSG_HELD;
    msg->next = NULL;
}

/* Likewise, without a call where nothing hangs on it and its memory is ours. */
static inline void
message_free(struct scheduler *self, struct ln_msg *msg)
{
    if (msg->tag == LN_TAG_DATA || msg->buffer != NULL || msg->home != self->index) {
        message_free_any(self, msg);
        return;
    }
    message_let_go(self, msg);
    slab_free(&self->slab, msg, msg->block_bytes);
}

/* A message that its receiver, the current actor, holds and is about to handle. */
static inline void
message_open(struct scheduler *self, struct actor *receiver, struct ln_msg *msg)
{
    receiver->reductions++;
    self->recent[self->recent_next++ % RECENT_MESSAGES] =
        (struct recent_message){receiver->pid, msg->from, msg->tag, msg->bytes};
    if (__builtin_expect(self->tracing != 0, 0)) {
        trace_taken(self, receiver, msg);
    }
    if ((msg->flags & LN_MSG_REQUEST) != 0) {
        request_open(self, receiver, msg);
    }
}

/* What it was when it was received: refused, or a request. */
void message_forget(struct ln_msg *msg);
/* Before it is sent, by the current actor: it may be one that was received, and what it was then is
 * forgotten. */
static inline void
message_renew(const struct scheduler *self, struct ln_msg *msg)
{
    /* Received bytes lie in a buffer of their socket and are its owner's alone. */
    ln_actor_check(msg->tag != LN_TAG_DATA);
    if (__builtin_expect((msg->flags & (LN_MSG_REFUSED | LN_MSG_REQUEST)) != 0, 0)) {
        message_forget(msg);
    }
    ASSERT(self->current != NULL);
    msg->flags &= LN_MSG_HELD;
    msg->error = 0;
    msg->ref = 0;
    msg->from = self->current->pid;
}
