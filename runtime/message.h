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
message_hold(struct actor *actor, struct ln_msg *msg)
{
    ASSERT((msg->flags & LN_MSG_HELD) == 0);
    msg->flags |= LN_MSG_HELD;
    msg->next = actor->held;
    msg->previous = &actor->held;
    if (msg->next != NULL) {
        msg->next->previous = &msg->next;
    }
    actor->held = msg;
}

static inline void
message_let_go(struct ln_msg *msg)
{
    if ((msg->flags & LN_MSG_HELD) == 0) {
        return;
    }
    msg->flags &= (uint8_t)~LN_MSG_HELD;
    *msg->previous = msg->next;
    if (msg->next != NULL) {
        msg->next->previous = msg->previous;
    }
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
    message_let_go(msg);
    slab_free(&self->slab, msg, msg->block_bytes);
}

/* Gives a message to its receiver, which is about to handle it. */
static inline void
message_open(struct scheduler *self, struct actor *receiver, struct ln_msg *msg)
{
    receiver->reductions++;
    message_hold(receiver, msg);
    self->recent[self->recent_next++ % RECENT_MESSAGES] =
        (struct recent_message){receiver->pid, msg->from, msg->tag, msg->bytes};
    if (__builtin_expect(self->tracing != 0, 0)) {
        trace_taken(self, receiver, msg);
    }
    if ((msg->flags & LN_MSG_REQUEST) != 0) {
        request_open(self, receiver, msg);
    }
}

/* Before it is sent, by the current actor: it may be one that was received, and what it was then is
 * forgotten. */
static inline void
message_renew(const struct scheduler *self, struct ln_msg *msg)
{
    /* Received bytes lie in a buffer of their socket and are its owner's alone. */
    ln_actor_check(msg->tag != LN_TAG_DATA);
    if ((msg->flags & (LN_MSG_REFUSED | LN_MSG_REQUEST)) != 0) {
        if ((msg->flags & LN_MSG_REFUSED) != 0) {
            msg->lane = LN_DURABLE; /* another try, not another lane */
        }
        if ((msg->flags & LN_MSG_REQUEST) != 0) {
            msg->key = 0;
        }
    }
    ASSERT(self->current != NULL);
    msg->flags &= LN_MSG_HELD;
    msg->error = 0;
    msg->ref = 0;
    msg->from = self->current->pid;
}
