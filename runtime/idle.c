/* SPDX-License-Identifier: Apache-2.0 */
/* A behaviour that wants to be told when nothing comes. What it asked for hangs among its
 * resources from the asking to the next message, so who does not ask pays nothing, and it is found
 * behind no more than what the actor took hold of in that time. The clock runs only while the actor
 * is idle: a turn that ends without work begins it, the next turn ends it. */
#include "runtime/message.h"

struct idle {
    struct ln_resource own;
    struct timer timer;
    struct actor *actor;
    uint64_t timeout_ms;
    uint32_t reductions; /* the actor's when it asked: a message since then has voided it */
};

static void
idle_release(struct ln_resource *resource)
{
    struct idle *idle = (struct idle *)resource;
    struct scheduler *self = scheduler_current();
    timer_cancel(&self->timers, &idle->timer);
    idle->actor->asked_idle = false;
    slab_free(&self->slab, idle, sizeof *idle);
}

static struct idle *
idle_find(const struct actor *actor)
{
    struct ln_resource *own = actor->resources;
    while (own != NULL && own->release != idle_release) {
        own = own->next;
    }
    ASSERT(own != NULL);
    return (struct idle *)own;
}

void
idle_end(struct actor *actor)
{
    struct idle *idle = idle_find(actor);
    ln_disown(&idle->own);
    idle_release(&idle->own);
}

static void
idle_tell(struct scheduler *self, struct actor *actor)
{
    idle_end(actor);
    struct ln_msg *told = message_new(self, LN_TAG_TIMEOUT, LN_REPLY, 0);
    told->from = actor->pid;
    message_post(self, actor->pid, &told);
}

static void
idle_expired(struct timer *timer)
{
    struct idle *idle = (struct idle *)(void *)((char *)timer - offsetof(struct idle, timer));
    if (idle->actor->run_state == ACTOR_IDLE) {
        idle_tell(scheduler_current(), idle->actor);
    } else { /* something came in the same turn, before */
        idle_end(idle->actor);
    }
}

void
idle_begin(struct scheduler *self, struct actor *actor)
{
    struct idle *idle = idle_find(actor);
    ASSERT(actor->run_state == ACTOR_IDLE && !timer_is_set(&idle->timer));
    if (idle->reductions != actor->reductions) {
        idle_end(actor);
    } else if (idle->timeout_ms == 0) {
        idle_tell(self, actor);
    } else {
        timer_set_after(&self->timers, &idle->timer, idle->timeout_ms, idle_expired);
    }
}

void
ln_idle_after(uint64_t timeout_ms)
{
    struct scheduler *self = scheduler_current();
    struct actor *actor = actor_current();
    ln_actor_check(actor->behaviour->handle != NULL);
    if (actor->asked_idle) {
        idle_end(actor);
    }
    if (timeout_ms == LN_FOREVER) {
        return;
    }
    struct idle *idle = slab_alloc(&self->slab, sizeof *idle);
    *idle =
        (struct idle){.actor = actor, .timeout_ms = timeout_ms, .reductions = actor->reductions};
    actor->asked_idle = true;
    ln_own(&idle->own, idle_release);
}
