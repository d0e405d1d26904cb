/* SPDX-License-Identifier: Apache-2.0 */
/* The watchdog: every half of its limit, counted in the CPU time of the scheduler's thread, a tick
 * looks whether the same turn is running as at the last one. Code that sleeps, and a machine that
 * was paused, use no CPU time and are not blamed.
 *
 *     found once      the turn has had its time: an actor that goes through its mailbox stops
 *                     between two messages and waits for its next turn
 *     found twice     it has held the scheduler for the limit: noted with a backtrace, and reported
 *                     when the turn ends, since the log is not for handlers
 *     found for long  it will not end: the node does, with a report
 *
 * Between ticks it costs nothing: what tells turns apart are counters that are there anyway. Under
 * sim, where code takes no time, there are no ticks. */
#include "runtime/crash_priv.h"
#include "runtime/io/trap.h"
#include "runtime/scheduler.h"

#include <execinfo.h>
#include <stdlib.h>

struct trace {
    void *frames[LN_STALL_FRAMES];
    int count;
};

static void
trace_take(void *argument)
{
    struct trace *trace = argument;
    trace->count = backtrace(trace->frames, LN_STALL_FRAMES);
}

/* An instruction may be one where no backtrace can begin: then there is none. */
static void
notice(struct scheduler *self, const struct actor *actor)
{
    struct ln_stall *stall = &self->watch.noticed;
    struct trace trace = {.count = 0};
    if (!io_fault_try(trace_take, &trace)) {
        trace.count = 0;
    }
    *stall = (struct ln_stall){.pid = actor->pid, .behaviour = actor->behaviour->name};
    for (int i = 0; i < trace.count; i++) {
        stall->frames[stall->frames_count++] = (uintptr_t)trace.frames[i];
    }
    self->watch.notices = 1;
}

static LN_NORETURN void
end_stuck(const struct scheduler *self)
{
    const struct actor *actor = self->current;
    unsigned long long held_ms = self->watch.ticks * self->watch.tick_ms;
    if (actor != NULL) {
        io_say("linnet: scheduler %u is stuck: actor %u.%u.%u (%s) has held it for %llu ms of CPU "
               "time\n",
               self->index, ln_pid_scheduler(actor->pid), pid_slot(actor->pid),
               (unsigned)(uint32_t)actor->pid, actor->behaviour->name, held_ms);
    } else {
        io_say("linnet: scheduler %u is stuck for %llu ms of CPU time, in no actor's turn\n",
               self->index, held_ms);
    }
    io_say_backtrace();
    abort();
}

void
watchdog_tick(void *scheduler)
{
    struct scheduler *self = scheduler;
    struct watch *watch = &self->watch;
    const struct actor *actor = self->current;
    uint64_t turn = self->stats.actors_run + self->turn_actors + self->stats.turns;
    if (turn != watch->turn) {
        watch->turn = turn;
        watch->ticks = 0;
        return;
    }
    watch->ticks++;
    self->turn_expired = 1;
    if (watch->ticks == watch->ticks_stall && actor != NULL && !watch->notices) {
        notice(self, actor);
    }
    if (watch->notices && actor != NULL && watch->noticed.pid == actor->pid) {
        watch->noticed.cpu_ms = watch->ticks * watch->tick_ms;
    }
    if (watch->ticks >= watch->ticks_stuck) {
        end_stuck(self);
    }
}
