/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/worker.h"
#include "tests/runtime/io/rig.h"
#include "tests/spec.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { JOBS = 1000 };

/* A gate that a work waits at until the test opens it. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    bool reached;
};

static struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};

static void
gate_set(bool open)
{
    pthread_mutex_lock(&gate.lock);
    gate.open = open;
    gate.reached = false;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

static void
gate_await_reached(void)
{
    pthread_mutex_lock(&gate.lock);
    while (!gate.reached) {
        pthread_cond_wait(&gate.changed, &gate.lock);
    }
    pthread_mutex_unlock(&gate.lock);
}

static void
run_gate(struct io_work *work)
{
    (void)work;
    pthread_mutex_lock(&gate.lock);
    gate.reached = true;
    pthread_cond_broadcast(&gate.changed);
    while (!gate.open) {
        pthread_cond_wait(&gate.changed, &gate.lock);
    }
    pthread_mutex_unlock(&gate.lock);
}

/* Ten above the process's own, as far as that goes. */
static int
low_nice(void)
{
    int nice = getpriority(PRIO_PROCESS, 0) + 10;
    return nice < 19 ? nice : 19;
}

/* A job: notes where it ran; done tells the test. */
struct job {
    struct io_work work;
    struct probe probe; /* told when it is done */
    enum io_priority priority;
    pid_t run_on, done_on;
    int nice;
};

static void
job_run(struct io_work *work)
{
    struct job *job = (struct job *)work;
    job->run_on = gettid();
    job->nice = getpriority(PRIO_PROCESS, (id_t)gettid());
}

static void
job_done(struct io_work *work)
{
    struct job *job = (struct job *)work;
    job->done_on = gettid();
    probe_tell(job->probe.rig, &job->probe, 1);
}

static void
job_start(struct io *io, void *context)
{
    struct job *job = context;
    job->work.run = job_run;
    job->work.done = job_done;
    io_work_start(io, &job->work, job->priority);
}

static void
note_loop(struct io *io, void *context)
{
    (void)io;
    *(pid_t *)context = gettid();
}

static void
job_prepare(struct rig *rig, struct job *job, enum io_priority priority)
{
    memset(job, 0, sizeof(*job));
    job->priority = priority;
    job->probe.rig = rig;
}

static void
runs_elsewhere(void **state)
{
    (void)state;
    struct rig rig;
    pid_t loops[2];
    rig_open(&rig, &(struct rig_options){.loops = 2});
    for (unsigned loop = 0; loop < 2; loop++) {
        struct job job;
        rig_do(&rig, loop, note_loop, &loops[loop]);
        job_prepare(&rig, &job, IO_WORK_NORMAL);
        rig_do(&rig, loop, job_start, &job);
        assert_int_equal(probe_await_end(&job.probe), 1);
        assert_int_equal(job.done_on, loops[loop]);
        assert_int_not_equal(job.run_on, loops[0]);
        assert_int_not_equal(job.run_on, loops[1]);
        assert_int_equal(job.nice, getpriority(PRIO_PROCESS, 0));
    }
    rig_close(&rig);
}

static void
low_is_low(void **state)
{
    (void)state;
    struct rig rig;
    struct job job;
    rig_open(&rig, &(struct rig_options){0});
    job_prepare(&rig, &job, IO_WORK_LOW);
    rig_do(&rig, 0, job_start, &job);
    assert_int_equal(probe_await_end(&job.probe), 1);
    assert_int_equal(job.nice, low_nice());
    rig_close(&rig);
}

static void
start_gate(struct io *io, void *context)
{
    struct job *job = context;
    job->work.run = run_gate;
    job->work.done = job_done;
    io_work_start(io, &job->work, job->priority);
}

/* Two of it. */
static void
keeps_none_waiting(enum io_priority priority)
{
    struct rig rig;
    struct job gated;
    struct job behind;
    struct job normal;
    gate_set(false);
    rig_open(&rig, &(struct rig_options){0});
    job_prepare(&rig, &gated, priority);
    job_prepare(&rig, &behind, priority);
    job_prepare(&rig, &normal, IO_WORK_NORMAL);
    rig_do(&rig, 0, start_gate, &gated);
    gate_await_reached();
    rig_do(&rig, 0, job_start, &behind);
    rig_do(&rig, 0, job_start, &normal);
    assert_int_equal(probe_await_end(&normal.probe), 1);
    assert_int_equal(probe_count(&gated.probe), 0);
    assert_int_equal(probe_count(&behind.probe), 0);
    gate_set(true);
    assert_int_equal(probe_await_end(&gated.probe), 1);
    assert_int_equal(probe_await_end(&behind.probe), 1);
    rig_close(&rig);
}

static void
low_in_nobodys_way(void **state)
{
    (void)state;
    keeps_none_waiting(IO_WORK_LOW);
}

static void
long_in_nobodys_way(void **state)
{
    (void)state;
    keeps_none_waiting(IO_WORK_LONG);
}

static void
low_is_helped(void **state)
{
    (void)state;
    struct rig rig;
    struct job jobs[3];
    gate_set(false);
    rig_open(&rig, &(struct rig_options){0});
    for (unsigned i = 0; i < 3; i++) {
        job_prepare(&rig, &jobs[i], IO_WORK_LOW);
    }
    rig_do(&rig, 0, start_gate, &jobs[0]);
    gate_await_reached();
    rig_do(&rig, 0, job_start, &jobs[1]);
    rig_do(&rig, 0, job_start, &jobs[2]);
    assert_int_equal(probe_await_end(&jobs[1].probe), 1);
    assert_int_equal(jobs[1].nice, getpriority(PRIO_PROCESS, 0));
    assert_int_equal(probe_count(&jobs[2].probe), 0);
    gate_set(true);
    assert_int_equal(probe_await_end(&jobs[2].probe), 1);
    assert_int_equal(jobs[2].nice, low_nice());
    assert_int_equal(probe_await_end(&jobs[0].probe), 1);
    rig_close(&rig);
}

/* ------------------------------------------------------------------------ the pool by itself */

static atomic_uint finished_count;

static void
count_finished(struct io_work *work)
{
    (void)work;
    atomic_fetch_add(&finished_count, 1);
}

static void
run_nothing(struct io_work *work)
{
    (void)work;
}

static unsigned order[JOBS];
static unsigned order_count;

static void
run_order(struct io_work *work)
{
    /* One thread: no lock needed, stop joins it. */
    order[order_count++] = (unsigned)(uintptr_t)work->io;
}

/* A pool whose thread of that priority is held at the gate, with JOBS behind it that note their
 * order. */
static struct worker_pool *
queued_behind(struct io_work *gated, struct io_work works[JOBS], enum io_priority priority)
{
    struct worker_pool *pool;
    order_count = 0;
    gate_set(false);
    assert_int_equal(worker_pool_start(1, count_finished, &pool), 0);
    worker_pool_push(pool, gated, priority);
    gate_await_reached();
    for (unsigned i = 0; i < JOBS; i++) {
        works[i].run = run_order;
        works[i].io = (struct io *)(uintptr_t)i;
        worker_pool_push(pool, &works[i], priority);
    }
    return pool;
}

static void
in_order(void **state)
{
    (void)state;
    static struct io_work works[JOBS];
    static struct io_work gated = {.run = run_gate};
    static struct io_work last = {.run = run_gate};
    struct worker_pool *pool = queued_behind(&gated, works, IO_WORK_NORMAL);
    worker_pool_push(pool, &last, IO_WORK_NORMAL);
    gate_set(true);
    gate_await_reached(); /* by the last one */
    worker_pool_stop(pool);
    assert_int_equal(order_count, JOBS);
    for (unsigned i = 0; i < JOBS; i++) {
        assert_int_equal(order[i], i);
    }
}

static void
run_opener(struct io_work *work)
{
    (void)work;
    gate_set(true);
}

/* The low thread is held, so the helper runs all of them but the last. */
static void
low_in_order(void **state)
{
    (void)state;
    static struct io_work works[JOBS];
    static struct io_work gated = {.run = run_gate};
    static struct io_work opener = {.run = run_opener};
    static struct io_work last = {.run = run_gate};
    struct worker_pool *pool = queued_behind(&gated, works, IO_WORK_LOW);
    gate_set(false); /* which forgets that it was reached */
    worker_pool_push(pool, &opener, IO_WORK_LOW);
    worker_pool_push(pool, &last, IO_WORK_LOW);
    gate_await_reached(); /* by the last one */
    worker_pool_stop(pool);
    assert_int_equal(order_count, JOBS);
    for (unsigned i = 0; i < JOBS; i++) {
        assert_int_equal(order[i], i);
    }
}

static void *
stop_main(void *argument)
{
    worker_pool_stop(argument);
    return NULL;
}

static void
stop_waits(void **state)
{
    (void)state;
    static struct io_work gated = {.run = run_gate};
    static struct io_work waiting = {.run = run_nothing};
    struct worker_pool *pool;
    pthread_t stopper;
    gate_set(false);
    atomic_store(&finished_count, 0);
    assert_int_equal(worker_pool_start(1, count_finished, &pool), 0);
    worker_pool_push(pool, &gated, IO_WORK_LOW);
    gate_await_reached();
    worker_pool_push(pool, &waiting, IO_WORK_LOW);
    assert_int_equal(pthread_create(&stopper, NULL, stop_main, pool), 0);
    assert_int_equal(atomic_load(&finished_count), 0);
    gate_set(true);
    assert_int_equal(pthread_join(stopper, NULL), 0);
    assert_true(atomic_load(&finished_count) >= 1);
}

/* Of JOBS that wait behind a gate every third is taken back, the first and the last among them. */
static void
withdrawn_never_run(void **state)
{
    (void)state;
    static struct io_work works[JOBS];
    static struct io_work gated = {.run = run_gate};
    static struct io_work last = {.run = run_gate};
    struct worker_pool *pool = queued_behind(&gated, works, IO_WORK_NORMAL);
    assert_false(worker_pool_withdraw(pool, &gated)); /* it runs */
    for (unsigned i = 0; i < JOBS; i += 3) {
        assert_true(worker_pool_withdraw(pool, &works[i]));
        assert_false(worker_pool_withdraw(pool, &works[i]));
    }
    worker_pool_push(pool, &last, IO_WORK_NORMAL);
    gate_set(true);
    gate_await_reached();                                /* by the last one */
    assert_false(worker_pool_withdraw(pool, &works[1])); /* it is through */
    worker_pool_stop(pool);
    assert_int_equal(order_count, JOBS - (JOBS + 2) / 3);
    for (unsigned i = 0; i < order_count; i++) {
        assert_int_equal(order[i], i / 2 * 3 + 1 + i % 2);
    }
}

static void
stop_of_nothing(void **state)
{
    (void)state;
    worker_pool_stop(NULL);
}

/* ------------------------------------------------------------------- many works from many loops */

struct swarm {
    struct io_work work;
    struct swarm_total *total;
    unsigned runs_left;
};

struct swarm_total {
    struct probe probe;
    unsigned left; /* the loop's thread alone */
};

static void
swarm_done(struct io_work *work)
{
    struct swarm *swarm = (struct swarm *)work;
    if (--swarm->runs_left > 0) {
        io_work_start(work->io, work, IO_WORK_NORMAL);
    } else if (--swarm->total->left == 0) {
        probe_tell(swarm->total->probe.rig, &swarm->total->probe, 1);
    }
}

enum { SWARM = 64, SWARM_RUNS = 200 };

struct swarm_of_loop {
    struct swarm_total total;
    struct swarm swarm[SWARM];
};

static void
swarm_start(struct io *io, void *context)
{
    struct swarm_of_loop *all = context;
    for (unsigned i = 0; i < SWARM; i++) {
        all->swarm[i] = (struct swarm){
            .work = {.run = run_nothing, .done = swarm_done},
            .total = &all->total,
            .runs_left = SWARM_RUNS,
        };
        io_work_start(io, &all->swarm[i].work, IO_WORK_NORMAL);
    }
}

static void
none_lost(void **state)
{
    (void)state;
    static struct swarm_of_loop all[2];
    struct rig rig;
    rig_open(&rig, &(struct rig_options){.loops = 2});
    for (unsigned loop = 0; loop < 2; loop++) {
        memset(&all[loop], 0, sizeof(all[loop]));
        all[loop].total.probe.rig = &rig;
        all[loop].total.left = SWARM;
        rig_do(&rig, loop, swarm_start, &all[loop]);
    }
    for (unsigned loop = 0; loop < 2; loop++) {
        assert_int_equal(probe_await_end(&all[loop].total.probe), 1);
    }
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("work runs on a worker and is done on the loop that started it", runs_elsewhere),
        SPEC("low work runs on a thread of low priority", low_is_low),
        SPEC("low work that takes long keeps no normal work waiting", low_in_nobodys_way),
        SPEC("nor does long work, which is done one after the other", long_in_nobodys_way),
        SPEC("of low work that waits while some runs the first gets help, the last does not",
             low_is_helped),
        SPEC("low work begins in the order it was started, though it is helped", low_in_order),
        SPEC("what one thread runs it runs in the order it was started", in_order),
        SPEC("work that is taken back before it begins never runs, the rest keeps its order",
             withdrawn_never_run),
        SPEC("stopping a pool waits for what runs", stop_waits),
        SPEC("stopping no pool is allowed", stop_of_nothing),
        SPEC("of many works started by two loops none is lost", none_lost),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
