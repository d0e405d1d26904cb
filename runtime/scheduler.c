/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/scheduler.h"

#include "runtime/alarm.h"
#include "runtime/bounds.h"
#include "runtime/door.h"
#include "runtime/io/trap.h"
#include "runtime/message.h"
#include "runtime/node_priv.h"
#include "runtime/overflow.h"
#include "runtime/registry.h"
#include "runtime/socket_priv.h"
#include "runtime/trace_priv.h"

#include <stdio.h>
#include <string.h>

_Thread_local struct scheduler *scheduler_self;

enum { TRIM_PERIOD_MS = 1000 };

/* ---------------------------------------------------------------------------------- loop fibers */

/* All stacks are counted by the node: where guards are mappings, there are only so many. NULL: none
 * is left, or no memory. */
static struct fiber *
stack_new(struct scheduler *self, size_t bytes, void (*entry)(void *argument), void *argument)
{
    struct ln_node *node = self->node;
    /* Relaxed: only a count. */
    unsigned before = atomic_fetch_add_explicit(&node->stacks_count, 1, memory_order_relaxed);
    struct fiber *fiber = before < node->stacks_max ? fiber_new(bytes, entry, argument) : NULL;
    if (fiber == NULL) {
        atomic_fetch_sub_explicit(&node->stacks_count, 1, memory_order_relaxed);
    }
    return fiber;
}

static void
stack_free(struct scheduler *self, struct fiber *fiber)
{
    if (fiber != NULL) {
        fiber_free(fiber);
        atomic_fetch_sub_explicit(&self->node->stacks_count, 1, memory_order_relaxed);
    }
}

static void
loop_fiber_set_aside(struct scheduler *self, struct fiber *fiber)
{
    fiber->next = self->idle;
    self->idle = fiber;
    self->idle_count++;
}

static struct fiber *
loop_fiber(struct scheduler *self)
{
    struct fiber *fiber = self->idle;
    if (fiber != NULL) {
        self->idle = fiber->next;
        self->idle_count--;
        if (self->idle_count < self->idle_least) {
            self->idle_least = self->idle_count;
        }
        return fiber;
    }
    fiber = stack_new(self, LN_LENT_STACK_BYTES, self->loop, self);
    ASSERT(fiber != NULL && "no memory or mapping for a stack");
    self->fibers_count++;
    return fiber;
}

bool
scheduler_can_park(struct scheduler *self)
{
    if (self->idle != NULL) {
        return true;
    }
    struct fiber *fiber = stack_new(self, LN_LENT_STACK_BYTES, self->loop, self);
    if (fiber == NULL) {
        return false;
    }
    self->fibers_count++;
    loop_fiber_set_aside(self, fiber);
    return true;
}

void
scheduler_arrive(struct scheduler *self)
{
    stack_free(self, self->reap);
    self->reap = NULL;
    struct fiber *overflown = self->overflown;
    if (overflown != NULL) {
        self->overflown = NULL;
        self->fibers_count -= self->current->behaviour->run == NULL;
        actor_end_overflown(self, self->current, self->overflow_depth);
        stack_free(self, overflown); /* last, since resources may lie on it */
    }
}

void
scheduler_resume(struct scheduler *self, struct actor *actor)
{
    struct fiber *here = self->running;
    struct fiber *there = actor->fiber;
    if (!actor->process) {
        actor->fiber = NULL;
    }
    actor->run_state = ACTOR_RUNNING;
    self->current = actor;
    self->turn_expired = 0;
    self->turn_receives = 0;
    self->running = there;
    loop_fiber_set_aside(self, here);
    fiber_switch(here, there);
    scheduler_arrive(self);
}

static void
end_stackless(struct scheduler *self, struct actor *actor)
{
    self->current = actor;
    actor_fail_soon(self, actor, "no memory or mapping for a stack");
    actor_end(self, actor);
}

void
scheduler_run_process(struct scheduler *self, struct actor *actor)
{
    if (actor->fiber == NULL) {
        size_t bytes = actor->behaviour->stack_bytes;
        actor->fiber =
            stack_new(self, bytes != 0 ? bytes : LN_PROCESS_STACK_BYTES, actor_run_process, actor);
        if (actor->fiber == NULL) {
            end_stackless(self, actor);
            return;
        }
    }
    scheduler_resume(self, actor);
}

void
scheduler_park(struct scheduler *self)
{
    struct actor *actor = actor_current();
    struct fiber *here = self->running;
    self->stats.parked++;
    actor->fiber = here;
    message_settle(self);
    self->current = NULL;
    self->running = loop_fiber(self);
    fiber_switch(here, self->running);
    /* Resumed, by a loop fiber that set current and running. A process's fiber may have ended just
     * before. */
    ASSERT(self->current == actor && self->running == here);
}

void
scheduler_abandon(struct scheduler *self, struct fiber *process_fiber)
{
    self->current = NULL;
    io_fault_forget();
    if (process_fiber == NULL) {
        fiber_restart(self->running);
    }
    ASSERT(self->running == process_fiber && self->reap == NULL);
    self->reap = process_fiber;
    self->running = loop_fiber(self);
    fiber_switch(process_fiber, self->running);
    __builtin_unreachable();
}

/* From the handler, on its stack: what runs there is not resumed, nor is the overflown stack. */
static NORETURN void
leave_overflown(struct scheduler *self, unsigned depth)
{
    struct fiber *overflown = self->running;
    ASSERT(self->overflown == NULL && self->reap == NULL);
    self->overflown = overflown;
    self->overflow_depth = depth;
    self->running = loop_fiber(self);
    io_fault_over();
    fiber_switch(overflown, self->running);
    __builtin_unreachable();
}

void
scheduler_faulted(void *scheduler, const struct io_fault *fault)
{
    struct scheduler *self = scheduler;
    unsigned depth = 0;
    if (overflow_is_actors(self, fault, &depth) && scheduler_can_park(self)) {
        leave_overflown(self, depth);
    }
    const struct actor *actor = self->current;
    const struct fiber *fiber = self->running;
    bool overflow = fiber != NULL && fiber_guards(fiber, fault->address);
    char where[128];
    (void)snprintf(where, sizeof where, "scheduler %u, %s%s%s", self->index,
                   actor != NULL ? "actor " : "no actor's turn",
                   actor != NULL ? actor->behaviour->name : "",
                   overflow ? ", beyond the end of its stack" : "");
    io_fault_print(fault, where);
    if (actor != NULL) {
        io_say("linnet: the actor is %u.%u.%u\n", ln_pid_scheduler(actor->pid),
               pid_slot(actor->pid), (unsigned)(uint32_t)actor->pid);
    }
}

/* ------------------------------------------------------------------------------------- the turn */

static void
receive_all(struct scheduler *self)
{
    for (unsigned i = 0; i < self->node->schedulers_count; i++) {
        struct channel *channel = self->in[i];
        struct ln_msg *msg;
        bool homeward;
        /* At most one ring's worth each, so that a flood from one side leaves the turn its end;
         * what was handed out to a group counts for each member. */
        self->handed_out = 0;
        for (unsigned n = 0; channel != NULL && n + self->handed_out < LN_CHANNEL_SLOTS; n++) {
            if ((msg = channel_receive(channel, &homeward)) == NULL) {
                break;
            }
            if (!homeward) {
                message_deliver(self, msg->to, &msg);
                continue;
            }
            while (msg != NULL) {
                struct ln_msg *next = msg->next;
                slab_free(&self->slab, msg, msg->block_bytes);
                msg = next;
            }
        }
    }
}

void
scheduler_publish(struct scheduler *self)
{
    if (self->unpublished == 0) {
        return;
    }
    self->unpublished = 0;
    for (unsigned i = 0; i < self->node->schedulers_count; i++) {
        if (self->out[i] == NULL) {
            continue;
        }
        if (channel_publish(self->out[i])) {
            io_wake(self->node->schedulers[i].io);
        }
        self->unpublished += channel_unpublished(self->out[i]);
    }
}

static void
load_note(struct scheduler *self)
{
    self->load[0] = self->load[1];
    self->load[1] = (struct load_sample){io_cpu_ns(self->io), self->now_ns};
}

const struct load_sample *
scheduler_load_since(const struct scheduler *self, uint64_t now_ns)
{
    const struct load_sample *newer = &self->load[1];
    return now_ns - newer->now_ns >= UINT64_C(1000000) * TRIM_PERIOD_MS ? newer : &self->load[0];
}

/* Frees the stacks that were idle all the while since the last trim. */
static void
trim_stacks(struct scheduler *self)
{
    uint32_t kept = LN_LENT_STACKS_KEPT;
    uint32_t surplus = self->idle_least > kept ? self->idle_least - kept : 0;
    for (; surplus > 0; surplus--) {
        struct fiber *fiber = loop_fiber(self);
        self->fibers_count--;
        stack_free(self, fiber);
    }
    self->idle_least = self->idle_count;
}

/* What a crowd needed at once and nobody needs any more goes back, however long the thread stays
 * busy with others; a thread that sleeps does so when it wakes. */
static void
trim(struct scheduler *self)
{
    if (scheduler_now_ms(self) < self->trim_at_ms) {
        return;
    }
    self->trim_at_ms = scheduler_now_ms(self) + TRIM_PERIOD_MS;
    load_note(self);
    trim_stacks(self);
    spares_trim(&self->spares, &self->node->surplus);
    io_trim(self->io);
}

/* Whoever has nothing left still takes what others send, and lets it go: all stop together. */
static void
settle(struct scheduler *self)
{
    if (self->shutting_down && !self->settled && self->sockets_count == 0 &&
        atomic_load_explicit(&self->actors_count, memory_order_relaxed) == 0) {
        self->settled = true;
        groups_forget(self);
        traces_close(self);
        door_close(self);
        node_settle(self->node);
    }
}

uint64_t
scheduler_turn(void *scheduler)
{
    struct scheduler *self = scheduler;
    scheduler_self = self;
    if (self->running == NULL) {
        fiber_init_thread(&self->host);
        self->running = loop_fiber(self);
    }
    self->stats.turns++;
    self->now_ns = io_now_ns(self->io);
    self->turn_end_ns = self->now_ns + (uint64_t)self->node->turn_us * 1000;
    self->turn_actors = 0;
    self->turn_steps = 0;
    receive_all(self);
    door_receive(self);
    timer_wheel_advance_some(&self->timers, scheduler_now_ms(self), LN_TURN_TIMERS);
    if (self->index == 0) {
        node_look_for_stop(self->node);
    }
    if (self->ready_head != NULL) {
        fiber_switch(&self->host, self->running);
        self->stats.actors_run += self->turn_actors;
        self->turn_actors = 0; /* at once: the watchdog tells turns apart by their sum */
    }
    watchdog_report(self);
    sockets_flush(self);
    alarms_settle(self);
    if (timer_wheel_waits(&self->timers)) {
        self->now_ns = io_now_ns(self->io);
        timer_wheel_start(&self->timers, scheduler_now_ms(self));
    }
    scheduler_publish(self);
    trim(self);
    settle(self);
    if (self->ready_head != NULL || self->unpublished > 0) {
        return 0;
    }
    uint64_t next_ms = timer_wheel_next_ms(&self->timers);
    return next_ms == UINT64_MAX ? IO_NEVER : next_ms * 1000000;
}

bool
scheduler_idle(void *scheduler)
{
    struct scheduler *self = scheduler;
    for (unsigned i = 0; i < self->node->schedulers_count; i++) {
        if (self->in[i] != NULL && channel_waiting(self->in[i])) {
            return false;
        }
    }
    if (door_waiting(self->door)) {
        return false;
    }
    return !node_settled(self->node) && !(self->index == 0 && node_stop_waits(self->node));
}

bool
scheduler_stopped(void *scheduler)
{
    struct scheduler *self = scheduler;
    return node_settled(self->node);
}

uint64_t
scheduler_work(void *scheduler)
{
    return ((const struct scheduler *)scheduler)->stats.actors_run;
}

void
scheduler_shut_down(struct scheduler *self)
{
    static const struct ln_reason reason = {.kind = LN_EXIT_KILLED, .text = "the node stops"};
    self->shutting_down = true;
    uint32_t slots = pool_records(&self->actors);
    for (uint32_t slot = 1; (slot = pool_next(&self->actors, slot)) < slots; slot++) {
        actor_end_soon(self, scheduler_actor_at(self, slot), reason);
    }
    sockets_hurry(self);
}

/* ----------------------------------------------------------------------------------------- life */

void
scheduler_init(struct scheduler *self, struct ln_node *node, unsigned index, uint32_t actors_max)
{
    memset(self, 0, sizeof *self);
    self->node = node;
    self->index = index;
    self->io = io_of(node->driver, index);
    self->loop = io_chooses(self->io) ? scheduler_loop_by_choice : scheduler_loop;
    self->turn_messages = node->turn_messages;
    self->ready_tail = &self->ready_head;
    self->starving_last = &self->starving;
    work_init(self->work);
    slab_init(&self->slab);
    spares_init(&self->spares);
    slots_init(self, actors_max);
    handle_table_init(&self->handles);
    self->door = door_new();
    self->now_ns = io_now_ns(self->io);
    self->load[0].now_ns = self->now_ns;
    self->load[1].now_ns = self->now_ns;
    timer_wheel_init(&self->timers, scheduler_now_ms(self));
    pool_init(&self->alarms, ALARM_BYTES, POOL_RECORDS_MAX);
}

void
scheduler_discard(struct scheduler *self)
{
    scheduler_self = self;
    struct actor *actors = NULL;
    struct fiber *stacks = NULL;
    alarms_settle(self);
    /* First nobody can be found any more: what one sends while it is released reaches no other. */
    uint32_t slots = pool_records(&self->actors);
    for (uint32_t slot = 1; (slot = pool_next(&self->actors, slot)) < slots; slot++) {
        struct actor *actor = scheduler_actor_at(self, slot);
        scheduler_forget(self, actor);
        actor->next = actors;
        actors = actor;
    }
    while (actors != NULL) {
        struct actor *actor = actors;
        actors = actor->next;
        if (actor->fiber != NULL) {
            actor->fiber->next = stacks;
            stacks = actor->fiber;
        }
        actor_discard(self, actor);
    }
    resource_list_release(&self->errands);
    work_init(self->work); /* what was under way is no more */
    sockets_discard(self);
    /* Last, since timers and waits lie on them. */
    while (stacks != NULL) {
        struct fiber *next = stacks->next;
        stack_free(self, stacks);
        stacks = next;
    }
}

void
scheduler_fini(struct scheduler *self)
{
    struct fiber *fiber;
    while ((fiber = self->idle) != NULL) {
        self->idle = fiber->next;
        stack_free(self, fiber);
    }
    stack_free(self, self->running);
    stack_free(self, self->reap);
    slots_fini(self);
    handle_table_fini(&self->handles);
    traces_close(self);
    pool_fini(&self->alarms);
    timer_wheel_fini(&self->timers);
    crash_log_free(self);
    spares_fini(&self->spares);
    slab_fini(&self->slab);
}

/* ----------------------------------------------------------------------------------- for actors */

ln_pid
ln_self(void)
{
    return actor_current()->pid;
}

void *
ln_state(void)
{
    return actor_current()->body->state;
}

unsigned
ln_scheduler(void)
{
    return scheduler_current()->index;
}

unsigned
ln_schedulers(void)
{
    return scheduler_current()->node->schedulers_count;
}

uint64_t
ln_now_ns(void)
{
    return scheduler_current()->now_ns;
}

int64_t
ln_wall_ms(void)
{
    return io_wall_ms(scheduler_current()->io);
}

void
ln_random(void *out, size_t bytes)
{
    io_random(scheduler_current()->io, out, bytes);
}

struct io *
ln_io(void)
{
    return scheduler_current()->io;
}
