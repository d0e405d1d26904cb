/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_work.h"

#include "runtime/check.h"

#include <stdlib.h>

enum { DELAY_NS_MAX_DEFAULT = 1000 * 1000 };

struct sim_job {
    struct sim *sim;
    struct io_work *work; /* NULL: withdrawn */
    enum io_priority priority;
    struct sim_job *next;                             /* of those that wait in line */
    struct sim_job *unbegun_next, **unbegun_previous; /* previous NULL: it has begun */
};

/* Jobs of one priority that wait for those before them. */
struct sim_line {
    bool busy;
    struct sim_job *first, **last;
};

struct sim_work_queue {
    uint64_t charged_ns;                       /* by the job that runs */
    struct sim_line lines[IO_WORK_PRIORITIES]; /* normal ones don't stand in theirs */
    struct sim_job *unbegun;                   /* all that were started and have not run */
};

struct sim_work_queue *
sim_work_queue_new(struct sim *sim)
{
    (void)sim;
    struct sim_work_queue *queue = sim_memory(sizeof(*queue));
    for (unsigned i = 0; i < IO_WORK_PRIORITIES; i++) {
        queue->lines[i].last = &queue->lines[i].first;
    }
    return queue;
}

void
sim_work_queue_free(struct sim_work_queue *queue)
{
    for (unsigned i = 0; i < IO_WORK_PRIORITIES; i++) {
        for (struct sim_job *at = queue->lines[i].first, *next; at; at = next) {
            next = at->next;
            free(at);
        }
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

/* Lets the next job in its line begin, and frees it. */
static void
job_over(struct sim_job *job)
{
    struct sim *sim = job->sim;
    struct sim_line *line = &sim->work->lines[job->priority];
    if (job->priority != IO_WORK_NORMAL) {
        struct sim_job *next = line->first;
        line->busy = next != NULL;
        if (next) {
            line->first = next->next;
            line->last = line->first ? line->last : &line->first;
            sim_later(sim, work_delay_ns(sim), job_run, job_drop, next);
        }
    }
    free(job);
}

static void
job_done(void *context)
{
    struct sim_job *job = context;
    job->work->through_at_ns = job->sim->now_ns;
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
    job->work->begun_at_ns = sim->now_ns;
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
    struct sim_line *line = &queue->lines[priority];
    if (line->busy) {
        *line->last = job;
        line->last = &job->next;
        return;
    }
    line->busy = priority != IO_WORK_NORMAL;
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
