/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_work.h"

#include "runtime/check.h"

#include <stdlib.h>

enum { DELAY_NS_MAX_DEFAULT = 1000 * 1000 };

struct sim_job {
    struct sim *sim;
    struct io_work *work; /* NULL: withdrawn */
    enum io_priority priority;
    struct sim_job *next;                             /* of the low ones that wait */
    struct sim_job *unbegun_next, **unbegun_previous; /* previous NULL: it has begun */
};

struct sim_work_queue {
    uint64_t charged_ns; /* by the job that runs */
    bool low_busy;
    struct sim_job *first, **last; /* low ones that wait for those before them */
    struct sim_job *unbegun;       /* all that were started and have not run */
};

struct sim_work_queue *
sim_work_queue_new(struct sim *sim)
{
    (void)sim;
    struct sim_work_queue *queue = sim_memory(sizeof(*queue));
    queue->last = &queue->first;
    return queue;
}

void
sim_work_queue_free(struct sim_work_queue *queue)
{
    for (struct sim_job *at = queue->first, *next; at; at = next) {
        next = at->next;
        free(at);
    }
    free(queue);
}

void
sim_work_charge(struct sim *sim, uint64_t cost_ns)
{
    sim->work->charged_ns += cost_ns;
}

static uint64_t
work_delay_ns(struct sim *sim)
{
    uint64_t max_ns = sim->options.work_delay_ns_max ? sim->options.work_delay_ns_max
                                                     : (uint64_t)DELAY_NS_MAX_DEFAULT;
    return 1 + sim_chance_below(&sim->work_chance, max_ns);
}

static void
job_drop(void *context)
{
    free(context);
}

static void
unbegun_add(struct sim_work_queue *queue, struct sim_job *job)
{
    job->unbegun_next = queue->unbegun;
    job->unbegun_previous = &queue->unbegun;
    if (queue->unbegun) {
        queue->unbegun->unbegun_previous = &job->unbegun_next;
    }
    queue->unbegun = job;
}

static void
unbegun_remove(struct sim_job *job)
{
    *job->unbegun_previous = job->unbegun_next;
    if (job->unbegun_next) {
        job->unbegun_next->unbegun_previous = job->unbegun_previous;
    }
    job->unbegun_previous = NULL;
}

static void job_run(void *context);

/* Lets the next low job begin when this was one, and frees it. */
static void
job_over(struct sim_job *job)
{
    struct sim *sim = job->sim;
    struct sim_work_queue *queue = sim->work;
    if (job->priority == IO_WORK_LOW) {
        struct sim_job *next = queue->first;
        queue->low_busy = next != NULL;
        if (next) {
            queue->first = next->next;
            queue->last = queue->first ? queue->last : &queue->first;
            sim_later(sim, work_delay_ns(sim), job_run, job_drop, next);
        }
    }
    free(job);
}

static void
job_done(void *context)
{
    struct sim_job *job = context;
    sim_loop_complete_work(sim_loop_of(job->work->io), job->work);
    job_over(job);
}

static void
job_run(void *context)
{
    struct sim_job *job = context;
    struct sim *sim = job->sim;
    if (!job->work) {
        job_over(job);
        return;
    }
    unbegun_remove(job);
    sim->work->charged_ns = 0;
    job->work->run(job->work);
    sim_later(sim, work_delay_ns(sim) + sim->work->charged_ns, job_done, job_drop, job);
}

void
sim_work_start(struct io *io, struct io_work *work, enum io_priority priority)
{
    ASSERT(work->run && work->done && priority < IO_WORK_PRIORITIES);
    struct sim *sim = sim_of_io(io);
    struct sim_work_queue *queue = sim->work;
    struct sim_job *job = sim_memory(sizeof(*job));
    *job = (struct sim_job){.sim = sim, .work = work, .priority = priority};
    unbegun_add(queue, job);
    if (priority == IO_WORK_LOW && queue->low_busy) {
        *queue->last = job;
        queue->last = &job->next;
        return;
    }
    queue->low_busy = queue->low_busy || priority == IO_WORK_LOW;
    sim_later(sim, work_delay_ns(sim), job_run, job_drop, job);
}

bool
sim_work_withdraw(struct io *io, struct io_work *work)
{
    struct sim_job *job = sim_of_io(io)->work->unbegun;
    while (job && job->work != work) {
        job = job->unbegun_next;
    }
    if (job) {
        unbegun_remove(job);
        job->work = NULL;
    }
    return job != NULL;
}
