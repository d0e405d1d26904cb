/* SPDX-License-Identifier: Apache-2.0 */
/* What a process knows of the requests that it made with ln_request: where in its mailbox their
 * answers can be, and which answers it does not want any more.
 *
 * An answer that was given up before it came is remembered until it comes, which it does, since
 * every request is answered once. Those come first that were asked first, as a rule, so the list is
 * in the order of giving up and is looked through from the front. */
#include "runtime/message.h"

struct forgotten {
    struct forgotten *next;
    uint64_t ref;
};

struct ln_msg *
actor_pop(struct actor *actor)
{
    struct process *process = actor_process(actor);
    return mailbox_pop_any(&actor->mailbox, process != NULL ? &process->marks : NULL);
}

struct ln_msg *
actor_pop_match(struct actor *actor, bool (*match)(const struct ln_msg *msg, void *context),
                void *context)
{
    struct process *process = actor_process(actor);
    return mailbox_pop_match(&actor->mailbox, process != NULL ? &process->marks : NULL, match,
                             context);
}

bool
request_is_answered_by(const struct ln_msg *msg, void *context)
{
    struct answer_look *look = context;
    ++*look->looks;
    return msg->ref == look->ref && (msg->flags & LN_MSG_ANSWER) != 0;
}

bool
request_was_forgotten(struct scheduler *self, struct process *process, uint64_t ref)
{
    struct forgotten *before = NULL;
    struct forgotten *found = process->forgotten;
    while (found != NULL && found->ref != ref) {
        before = found;
        found = found->next;
    }
    if (found == NULL) {
        return false;
    }
    *(before != NULL ? &before->next : &process->forgotten) = found->next;
    if (process->forgotten_last == found) {
        process->forgotten_last = before;
    }
    slab_free(&self->slab, found, sizeof *found);
    return true;
}

void
requests_release(struct scheduler *self, struct process *process)
{
    while (process->forgotten != NULL) {
        struct forgotten *forgotten = process->forgotten;
        process->forgotten = forgotten->next;
        slab_free(&self->slab, forgotten, sizeof *forgotten);
    }
    process->forgotten_last = NULL;
}

void
ln_forget_answer(uint64_t ref)
{
    struct scheduler *self = scheduler_current();
    struct actor *actor = actor_current();
    struct process *process = actor_process(actor);
    ln_actor_check(ref != 0 && process != NULL);
    struct answer_look look = {.ref = ref, .looks = &self->stats.answer_looks};
    struct ln_msg *answer =
        mailbox_pop_behind(&actor->mailbox, &process->marks, ref, request_is_answered_by, &look);
    if (answer != NULL) {
        ln_msg_free(&answer);
        return;
    }
    struct forgotten *forgotten = slab_alloc(&self->slab, sizeof *forgotten);
    *forgotten = (struct forgotten){.ref = ref};
    *(process->forgotten_last != NULL ? &process->forgotten_last->next : &process->forgotten) =
        forgotten;
    process->forgotten_last = forgotten;
}
