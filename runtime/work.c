/* SPDX-License-Identifier: Apache-2.0 */
/* Work on other threads that an actor waits for: as long as it takes, or up to a deadline.
 *
 * Without a deadline all of it lies on the caller's stack, and so nothing may end the wait before
 * the worker is through. With one the worker has an errand instead, a copy of the argument in a
 * block of its own:
 *
 *     the actor's resource     while the wait begins, which may end the actor
 *     the scheduler's          from when it is handed over until it is done, withdrawn, or taken
 *                              back; what then still waits or runs when the node has ended is
 *                              released by scheduler_discard, after the workers have stopped
 *
 * Only errands that run can be without somebody who waits, one for each worker thread at most,
 * since those that have not begun are withdrawn. */
#include "runtime/work.h"

#include "runtime/larger.h"
#include "runtime/message.h"
#include "runtime/scheduler.h"

#include <errno.h>
#include <string.h>

/* A piece of work in its scheduler's counters, and in the row of those under way. */
struct tally {
    struct tally *next, **previous;
    struct work_kind *kind;
    uint64_t asked_at_ns;
};

static void
tally_asked(struct tally *tally, struct scheduler *self, enum ln_work_kind kind)
{
    ASSERT(kind < LN_WORK_KINDS);
    struct work_kind *of = &self->work[kind];
    *tally = (struct tally){.previous = of->last, .kind = of, .asked_at_ns = io_now_ns(self->io)};
    *of->last = tally;
    of->last = &tally->next;
    of->counts.under_way++;
}

static void
tally_over(struct tally *tally, uint64_t queued_ns)
{
    struct work_kind *of = tally->kind;
    *tally->previous = tally->next;
    *(tally->next != NULL ? &tally->next->previous : &of->last) = tally->previous;
    of->counts.under_way--;
    of->counts.queued_ns += queued_ns;
    of->counts.queued_ns_max = larger(of->counts.queued_ns_max, queued_ns);
}

static void
tally_taken_back(struct tally *tally, struct scheduler *self)
{
    tally->kind->counts.taken_back++;
    tally_over(tally, io_now_ns(self->io) - tally->asked_at_ns);
}

static void
tally_done(struct tally *tally, const struct io_work *work)
{
    struct ln_work_info *counts = &tally->kind->counts;
    uint64_t run_ns = work->through_at_ns - work->begun_at_ns;
    counts->done++;
    counts->run_ns += run_ns;
    counts->run_ns_max = larger(counts->run_ns_max, run_ns);
    tally_over(tally, work->begun_at_ns - tally->asked_at_ns);
}

void
work_init(struct work_kind kinds[LN_WORK_KINDS])
{
    for (unsigned kind = 0; kind < LN_WORK_KINDS; kind++) {
        kinds[kind].first = NULL;
        kinds[kind].last = &kinds[kind].first;
    }
}

void
work_info(const struct work_kind kinds[LN_WORK_KINDS], uint64_t now_ns,
          struct ln_work_info out[LN_WORK_KINDS])
{
    for (unsigned kind = 0; kind < LN_WORK_KINDS; kind++) {
        const struct tally *oldest = kinds[kind].first;
        out[kind] = kinds[kind].counts;
        out[kind].oldest_ns = oldest != NULL ? now_ns - oldest->asked_at_ns : 0;
    }
}

struct job {
    struct io_work work;
    struct wait wait;
    struct tally tally;
    void (*run)(void *argument);
    void *argument;
};

static void
job_run(struct io_work *work)
{
    struct job *job = (struct job *)work;
    job->run(job->argument);
}

static void
job_done(struct io_work *work)
{
    struct job *job = (struct job *)work;
    tally_done(&job->tally, work);
    wait_end_by_io(&job->wait, 0);
}

static enum io_priority
priority_of(enum ln_work_kind kind)
{
    static const enum io_priority priorities[LN_WORK_KINDS] = {
        [LN_WORK_NORMAL] = IO_WORK_NORMAL,
        [LN_WORK_LOW] = IO_WORK_LOW,
        [LN_WORK_LONG] = IO_WORK_LONG,
    };
    return priorities[kind];
}

void
ln_work(void (*run)(void *argument), void *argument, enum ln_work_kind kind)
{
    struct job job = {.work = {.run = job_run, .done = job_done}, .run = run, .argument = argument};
    wait_begin(&job.wait, WAIT_WORKER);
    job.wait.cancellable = false;
    tally_asked(&job.tally, scheduler_current(), kind);
    io_work_start(scheduler_current()->io, &job.work, priority_of(kind));
    int error = wait_for(&job.wait, LN_FOREVER);
    ASSERT(error == 0);
}

/* ------------------------------------------------------------------------------ with a deadline */

struct errand {
    struct io_work work;
    struct ln_resource own;
    struct scheduler *scheduler;
    const struct ln_job *job;
    struct wait *wait; /* NULL: nobody waits any more */
    struct tally tally;
    bool over; /* it is not, or no more, in a worker's hands */
    size_t bytes;
    unsigned char argument[] __attribute__((aligned(16)));
};

static void
errand_free(struct errand *errand)
{
    slab_free(&errand->scheduler->slab, errand, sizeof *errand + errand->bytes);
}

/* Nobody takes what it brings. */
static void
errand_release(struct ln_resource *own)
{
    struct errand *errand = (void *)((unsigned char *)own - offsetof(struct errand, own));
    if (errand->job->release != NULL) {
        errand->job->release(errand->argument);
    }
    errand_free(errand);
}

static void
errand_run(struct io_work *work)
{
    struct errand *errand = (struct errand *)work;
    errand->job->run(errand->argument);
}

static void
errand_done(struct io_work *work)
{
    struct errand *errand = (struct errand *)work;
    errand->over = true;
    tally_done(&errand->tally, work);
    if (errand->wait != NULL) {
        wait_end_by_io(errand->wait, 0);
        return;
    }
    scheduler_enter(errand->scheduler);
    ln_disown(&errand->own);
    errand_release(&errand->own);
}

static struct errand *
errand_new(struct scheduler *self, const struct ln_job *job, const void *argument, size_t bytes)
{
    struct errand *errand = slab_alloc(&self->slab, sizeof *errand + bytes);
    memset(errand, 0, sizeof *errand);
    errand->work = (struct io_work){.run = errand_run, .done = errand_done};
    errand->scheduler = self;
    errand->job = job;
    errand->bytes = bytes;
    if (bytes > 0) {
        memcpy(errand->argument, argument, bytes);
    }
    return errand;
}

/* A caller that is being ended hands nothing over. */
static int
errand_wait(struct scheduler *self, struct errand *errand, struct wait *wait, uint64_t timeout_ms)
{
    errand->wait = wait;
    errand->over = actor_current()->cancelled;
    if (!errand->over) {
        tally_asked(&errand->tally, self, errand->job->kind);
        io_work_start(self->io, &errand->work, priority_of(errand->job->kind));
    }
    int error = wait_for(wait, timeout_ms);
    errand->wait = NULL;
    return error;
}

int
ln_work_for(const struct ln_job *job, void *argument, size_t bytes, uint64_t timeout_ms)
{
    struct scheduler *self = scheduler_current();
    struct errand *errand = errand_new(self, job, argument, bytes);
    struct wait wait;
    resource_add(&actor_current()->resources, &errand->own, errand_release);
    wait_begin(&wait, WAIT_WORKER);
    ln_disown(&errand->own);
    resource_add(&self->errands, &errand->own, errand_release);
    int error = errand_wait(self, errand, &wait, timeout_ms);
    if (error != 0 && !errand->over && !io_work_withdraw(self->io, &errand->work)) {
        return error; /* errand_done does the rest */
    }
    if (error != 0 && !errand->over) {
        tally_taken_back(&errand->tally, self);
    }
    ln_disown(&errand->own);
    if (error != 0) {
        errand_release(&errand->own);
        return error;
    }
    if (bytes > 0) {
        memcpy(argument, errand->argument, bytes);
    }
    errand_free(errand);
    return 0;
}
