/* SPDX-License-Identifier: Apache-2.0 */
/* An actor's life: spawned, its init, its turns, its end. */
#include "runtime/actor.h"

#include "runtime/bounds.h"
#include "runtime/node_priv.h"
#include "runtime/registry.h"
#include "runtime/scheduler.h"

#include <errno.h>
#include <string.h>

/* ------------------------------------------------------------------------------------ beginning */

static struct actor *
actor_new(struct scheduler *self, const struct ln_behaviour *behaviour, const void *argument,
          size_t bytes)
{
    ASSERT((behaviour->handle != NULL) != (behaviour->run != NULL));
    struct actor *actor = slab_alloc(&self->slab, sizeof *actor + behaviour->state_bytes);
    memset(actor, 0, sizeof *actor + behaviour->state_bytes);
    actor->behaviour = behaviour;
    actor->start = slab_alloc(&self->slab, sizeof *actor->start + bytes);
    memset(actor->start, 0, sizeof *actor->start);
    actor->start->bytes = (uint32_t)bytes;
    if (bytes > 0) {
        memcpy(actor->start->argument, argument, bytes);
    }
    return actor;
}

static void
actor_free(struct scheduler *self, struct actor *actor)
{
    if (actor->start != NULL) {
        slab_free(&self->slab, actor->start, sizeof *actor->start + actor->start->bytes);
    }
    slab_free(&self->slab, actor, sizeof *actor + actor->behaviour->state_bytes);
}

int
actor_spawn(struct scheduler *self, const struct ln_behaviour *behaviour, const void *argument,
            size_t bytes, const char *name, struct ln_caller start, ln_pid *out)
{
    struct actor *actor = actor_new(self, behaviour, argument, bytes);
    int error = -EAGAIN;
    if (self->shutting_down || (actor->pid = scheduler_adopt(self, actor)) == 0) {
        goto failed;
    }
    if (name != NULL &&
        (error = registry_add(self->node->registry, self->index, name, actor)) != 0) {
        scheduler_forget(self, actor);
        goto failed;
    }
    actor->start->caller = start;
    self->stats.spawned++;
    scheduler_ready(self, actor);
    *out = actor->pid;
    return 0;
failed:
    actor_free(self, actor);
    return error;
}

static int
spawn_here(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
           const struct ln_spawn_options *options, struct wait *wait, ln_pid *out)
{
    struct scheduler *self = scheduler_current();
    struct actor *parent = actor_current();
    struct ln_caller start = {0};
    if (wait != NULL) {
        wait_begin(wait);
        wait->ref = scheduler_ref(self);
        start = (struct ln_caller){.pid = parent->pid, .ref = wait->ref};
    }
    ln_pid pid;
    int error = actor_spawn(self, behaviour, argument, bytes, options->name, start, &pid);
    if (error != 0) {
        parent->wait = NULL;
        return error;
    }
    scheduler_find(self, pid)->parent = parent->pid;
    *out = pid;
    return 0;
}

static int
spawn_there(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
            const struct ln_spawn_options *options, bool wait_for_init, unsigned scheduler,
            ln_pid *out)
{
    struct ln_msg *request =
        ln_msg_new(SIGNAL_SPAWN, LN_SYSTEM, offsetof(struct spawn_request, argument) + bytes);
    request->flags = LN_MSG_SIGNAL;
    request->from = ln_self();
    struct spawn_request *spawn = (struct spawn_request *)(void *)request->data;
    spawn->behaviour = behaviour;
    spawn->parent = ln_self();
    spawn->wait_for_init = wait_for_init;
    spawn->bytes = (uint32_t)bytes;
    if (options->name != NULL) {
        size_t name_bytes = strnlen(options->name, sizeof spawn->name);
        if (name_bytes == sizeof spawn->name) {
            ln_msg_free(&request);
            return -EINVAL;
        }
        memcpy(spawn->name, options->name, name_bytes);
    }
    if (bytes > 0) {
        memcpy(spawn->argument, argument, bytes);
    }
    struct ln_msg *answer = NULL;
    int error = ln_call(scheduler_pid(scheduler), &request, LN_FOREVER, &answer);
    if (error == 0) {
        memcpy(out, answer->data, sizeof *out);
        ln_msg_free(&answer);
    }
    return error;
}

static unsigned
spawn_place(const struct ln_spawn_options *options)
{
    if (!options->elsewhere || options->scheduler == LN_HERE) {
        return ln_scheduler();
    }
    if (options->scheduler == LN_ANYWHERE) {
        return node_least_loaded(scheduler_current()->node);
    }
    ASSERT(options->scheduler >= 0 && (unsigned)options->scheduler < ln_schedulers());
    return (unsigned)options->scheduler;
}

static int
spawn(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
      const struct ln_spawn_options *options, bool wait_for_init, ln_pid *out)
{
    static const struct ln_spawn_options none = {0};
    options = options != NULL ? options : &none;
    unsigned place = spawn_place(options);
    bool here = place == ln_scheduler();
    struct wait wait;
    ln_pid pid = 0;
    int error =
        here ? spawn_here(behaviour, argument, bytes, options, wait_for_init ? &wait : NULL, &pid)
             : spawn_there(behaviour, argument, bytes, options, wait_for_init, place, &pid);
    if (error != 0) {
        return error;
    }
    /* On this scheduler it has not run yet, so nothing of its life is missed. */
    if (options->link) {
        ln_link(pid);
    }
    if (options->monitor) {
        uint64_t monitor = ln_monitor(pid);
        if (options->out_monitor != NULL) {
            *options->out_monitor = monitor;
        }
    }
    if (here && wait_for_init) {
        error = wait_for(&wait, LN_FOREVER);
        ln_msg_free(&wait.answer);
    }
    if (error == 0) {
        *out = pid;
    }
    return error;
}

int
ln_spawn(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
         const struct ln_spawn_options *options, ln_pid *out)
{
    return spawn(behaviour, argument, bytes, options, false, out);
}

int
ln_start(const struct ln_behaviour *behaviour, const void *argument, size_t bytes,
         const struct ln_spawn_options *options, ln_pid *out)
{
    return spawn(behaviour, argument, bytes, options, true, out);
}

/* ---------------------------------------------------------------------------------------- turns */

static void
start_tell(struct scheduler *self, struct actor *actor, int error)
{
    struct start *start = actor->start;
    if (start == NULL) {
        return;
    }
    actor->start = NULL;
    if (start->caller.pid != 0) {
        struct ln_msg *answer = ln_msg_new(0, LN_REPLY, sizeof actor->pid);
        memcpy(answer->data, &actor->pid, sizeof actor->pid);
        message_answer(start->caller, &answer, error);
    }
    slab_free(&self->slab, start, sizeof *start + start->bytes);
}

static void
begin(struct scheduler *self, struct actor *actor)
{
    const struct ln_behaviour *behaviour = actor->behaviour;
    int error = behaviour->init != NULL ? behaviour->init(actor->state, actor->start->argument) : 0;
    if (error != 0) {
        struct ln_reason reason = {LN_EXIT_ERROR, error, "init failed", behaviour->name};
        actor_end_soon(self, actor, reason);
    } else if (!actor->ending) {
        actor->begun = true;
    }
    start_tell(self, actor, actor->ending && error == 0 ? -ECANCELED : error);
}

static void
handle(struct scheduler *self, struct actor *actor, struct ln_msg **msg)
{
    message_opened(self, actor, *msg);
    actor->handling = msg;
    actor->behaviour->handle(actor->state, msg);
    actor->handling = NULL;
}

void
actor_turn(struct scheduler *self, struct actor *actor)
{
    ASSERT(actor->run_state == ACTOR_READY && actor->fiber == NULL);
    actor->run_state = ACTOR_RUNNING;
    self->current = actor;
    if (!actor->begun && !actor->ending) {
        begin(self, actor);
    }
    for (unsigned n = 0; n < self->node->turn_messages && !actor->ending; n++) {
        struct ln_msg *msg = mailbox_pop(&actor->mailbox);
        if (msg == NULL) {
            break;
        }
        actor->reductions++;
        handle(self, actor, &msg);
        ln_msg_free(&msg);
    }
    if (actor->ending) {
        actor_end(self, actor);
    } else if (!mailbox_empty(&actor->mailbox)) {
        scheduler_ready(self, actor);
    } else {
        actor->run_state = ACTOR_IDLE;
    }
    self->current = NULL;
}

void
actor_run_process(void *argument)
{
    struct actor *actor = argument;
    struct scheduler *self = scheduler_current();
    struct fiber *fiber = self->running;
    if (!actor->ending) {
        begin(self, actor);
    }
    if (!actor->ending) {
        actor->behaviour->run(actor->state);
    }
    actor_end(self, actor);
    scheduler_abandon(self, fiber);
}

/* --------------------------------------------------------------------------------------- ending */

void
actor_end_soon(struct scheduler *self, struct actor *actor, struct ln_reason reason)
{
    if (!actor->ending || reason.kind == LN_EXIT_KILLED) {
        actor->reason = reason;
    }
    actor->ending = true;
    actor->cancelled = true;
    if (actor == self->current) {
        return;
    }
    if (actor->run_state == ACTOR_IDLE) {
        scheduler_ready(self, actor);
    } else if (actor->wait != NULL && actor->wait->cancellable) {
        wait_end(actor->wait, -ECANCELED);
    }
}

static void
resources_release(struct ln_resource **list)
{
    while (*list != NULL) {
        struct ln_resource *resource = *list;
        ln_disown(resource);
        resource->release(resource);
    }
}

static void
release_all(struct scheduler *self, struct actor *actor)
{
    struct ln_msg *msg;
    resources_release(&actor->resources);
    resources_release(&actor->memory);
    while ((msg = mailbox_pop(&actor->mailbox)) != NULL) {
        message_discard(self, &msg, -ESRCH);
    }
    ASSERT(actor->memory_bytes == 0);
}

void
actor_end(struct scheduler *self, struct actor *actor)
{
    ASSERT(self->current == actor);
    if (!actor->ending) {
        actor->reason = (struct ln_reason){.kind = LN_EXIT_NORMAL, .text = "returned"};
        actor->ending = true;
    }
    const struct ln_behaviour *behaviour = actor->behaviour;
    if (actor->begun && !actor->terminated && actor->reason.kind != LN_EXIT_KILLED &&
        behaviour->terminate != NULL) {
        actor->terminated = true;
        actor->cancelled = false; /* what it does to end well may wait, until it is killed */
        behaviour->terminate(actor->state, &actor->reason);
    }
    actor->terminated = true;
    self->stats.ended++;
    self->stats.crashed += actor->reason.kind == LN_EXIT_ERROR;
    start_tell(self, actor, -ECANCELED);
    release_all(self, actor);
    if (actor->name != NULL) {
        registry_remove(self->node->registry, self->index, actor);
    }
    scheduler_forget(self, actor);
    notices_send(self, actor);
    node_actor_ended(self->node, actor);
    self->current = NULL;
    actor_free(self, actor);
}

void
ln_exit_at(enum ln_exit_kind kind, const char *text, const char *file, int line)
{
    struct scheduler *self = scheduler_current();
    struct actor *actor = actor_current();
    struct fiber *process_fiber = actor->behaviour->run != NULL ? self->running : NULL;
    if (!actor->ending) {
        actor->reason = (struct ln_reason){kind, line, text, file};
        actor->ending = true;
    }
    if (actor->handling != NULL) {
        struct ln_msg **handling = actor->handling;
        actor->handling = NULL;
        ln_msg_free(handling);
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
    if (!actor->ending) {
        actor->reason = (struct ln_reason){.kind = kind, .text = text};
        actor->ending = true;
    }
}

/* --------------------------------------------------------------------------------- what it owns */

void
resource_add(struct ln_resource **list, struct ln_resource *resource,
             void (*release)(struct ln_resource *resource))
{
    ASSERT(release != NULL);
    resource->release = release;
    resource->next = *list;
    resource->previous = list;
    if (resource->next != NULL) {
        resource->next->previous = &resource->next;
    }
    *list = resource;
}

void
ln_own(struct ln_resource *resource, void (*release)(struct ln_resource *resource))
{
    resource_add(&actor_current()->resources, resource, release);
}

void
ln_disown(struct ln_resource *resource)
{
    ASSERT(resource->previous != NULL);
    *resource->previous = resource->next;
    if (resource->next != NULL) {
        resource->next->previous = resource->previous;
    }
    resource->previous = NULL;
    resource->next = NULL;
}

struct owned_memory {
    struct ln_resource own;
    struct actor *actor;
    uint64_t bytes;
    unsigned char data[] __attribute__((aligned(16)));
};

static void
owned_memory_release(struct ln_resource *resource)
{
    struct owned_memory *memory = (struct owned_memory *)resource;
    ASSERT(memory->actor->memory_bytes >= memory->bytes);
    memory->actor->memory_bytes -= (uint32_t)memory->bytes;
    slab_free(&scheduler_current()->slab, memory, sizeof *memory + memory->bytes);
}

void *
ln_alloc(size_t bytes)
{
    struct actor *actor = actor_current();
    ASSERT(bytes <= UINT32_MAX - actor->memory_bytes);
    struct owned_memory *memory = slab_alloc(&scheduler_current()->slab, sizeof *memory + bytes);
    memset(memory, 0, sizeof *memory + bytes);
    memory->bytes = bytes;
    memory->actor = actor;
    actor->memory_bytes += (uint32_t)bytes;
    resource_add(&actor->memory, &memory->own, owned_memory_release);
    return memory->data;
}

void
ln_free(void *data)
{
    if (data == NULL) {
        return;
    }
    struct owned_memory *memory =
        (void *)((unsigned char *)data - offsetof(struct owned_memory, data));
    ln_disown(&memory->own);
    owned_memory_release(&memory->own);
}
