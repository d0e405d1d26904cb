/* SPDX-License-Identifier: Apache-2.0 */
/* A mutex and a condition per queue. Work here takes from 10 us (a read in cache) to seconds (a
 * fold), so a lock of 50 ns that is hardly ever contended is not what limits it, and a worker that
 * sleeps in the kernel is what we want. */
#include "runtime/io/worker.h"

#include "runtime/io/uring_clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    /* Added to what the process was started with. It leaves a tenth of a core to it beside a thread
     * that never rests: a fold of 60,000 messages takes a second of CPU, and its cell is full ten
     * seconds after it has begun when both cores store what they can. */
    LOW_NICE = 10,
    HELPED = 2,        /* so many that wait get help */
    OTHER_THREADS = 3, /* the low one, its helper, the one for long work */
    /* From linux/ioprio.h, which Debian's headers have but not every distribution's. */
    IOPRIO_TARGET_THREAD = 1,
    IOPRIO_BEST_EFFORT_LOWEST = (2 << 13) | 7,
};

struct worker_queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    pthread_cond_t crowded; /* so many wait that the helper is wanted */
    /* Under lock, as are next and previous of all that wait. */
    struct io_work *head, **tail; /* the tail: where the next one's pointer goes */
    unsigned count;
    bool stopping;
};

struct worker_pool {
    worker_finished *finished;
    struct worker_queue queues[IO_WORK_PRIORITIES];
    unsigned threads_count; /* started so far; those for normal work come last */
    pthread_t threads[];
};

/* Under lock. */
static void
queue_remove(struct worker_queue *queue, struct io_work *work)
{
    *work->previous = work->next;
    *(work->next != NULL ? &work->next->previous : &queue->tail) = work->previous;
    work->next = NULL;
    work->previous = NULL;
    queue->count--;
}

/* The next work in order of starting when at least so many wait, or NULL when the pool stops. */
static struct io_work *
queue_pop(struct worker_queue *queue, unsigned least)
{
    struct io_work *work = NULL;
    pthread_mutex_lock(&queue->lock);
    while (queue->count < least && !queue->stopping) {
        pthread_cond_wait(least == HELPED ? &queue->crowded : &queue->filled, &queue->lock);
    }
    if (!queue->stopping) {
        work = queue->head;
        queue_remove(queue, work);
    }
    pthread_mutex_unlock(&queue->lock);
    return work;
}

static void
worker_run(struct worker_pool *pool, enum io_priority priority, unsigned least)
{
    struct io_work *work;
    while ((work = queue_pop(&pool->queues[priority], least)) != NULL) {
        work->begun_at_ns = uring_clock_ns();
        work->run(work);
        work->through_at_ns = uring_clock_ns();
        pool->finished(work);
    }
}

static void *
normal_main(void *argument)
{
    (void)pthread_setname_np(pthread_self(), "linnet-work");
    worker_run(argument, IO_WORK_NORMAL, 1);
    return NULL;
}

/* What gives way to all others is never through while they have no end: where it piles up, that is
 * worth a share of what they have. */
static void *
helper_main(void *argument)
{
    (void)pthread_setname_np(pthread_self(), "linnet-help");
    worker_run(argument, IO_WORK_LOW, HELPED);
    return NULL;
}

static void *
long_main(void *argument)
{
    (void)pthread_setname_np(pthread_self(), "linnet-long");
    worker_run(argument, IO_WORK_LONG, 1);
    return NULL;
}

static void *
low_main(void *argument)
{
    (void)pthread_setname_np(pthread_self(), "linnet-low");
    /* Both are wishes: without them low work is merely less polite. On Linux they hold for this
     * thread alone. Not SCHED_IDLE and not the idle disk class: a fold holds LMDB's writer lock and
     * pages of the journal's running transaction, and a thread that may be starved for ever would
     * make others wait for it as long. */
    int nice = getpriority(PRIO_PROCESS, 0); /* of this thread: as the process was started */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), nice + LOW_NICE);
    (void)syscall(SYS_ioprio_set, IOPRIO_TARGET_THREAD, 0, IOPRIO_BEST_EFFORT_LOWEST);
    worker_run(argument, IO_WORK_LOW, 1);
    return NULL;
}

int
worker_pool_start(unsigned threads, worker_finished *finished, struct worker_pool **out)
{
    ASSERT(threads > 0);
    size_t threads_bytes = ((size_t)threads + OTHER_THREADS) * sizeof(pthread_t);
    struct worker_pool *pool = calloc(1, sizeof(*pool) + threads_bytes);
    if (pool == NULL) {
        return -ENOMEM;
    }
    pool->finished = finished;
    for (unsigned i = 0; i < IO_WORK_PRIORITIES; i++) {
        (void)pthread_mutex_init(&pool->queues[i].lock, NULL); /* cannot fail on Linux */
        (void)pthread_cond_init(&pool->queues[i].filled, NULL);
        (void)pthread_cond_init(&pool->queues[i].crowded, NULL);
        pool->queues[i].tail = &pool->queues[i].head;
    }
    static void *(*const others[OTHER_THREADS])(void *) = {low_main, helper_main, long_main};
    for (unsigned i = 0; i < threads + OTHER_THREADS; i++) {
        void *(*run)(void *) = i < OTHER_THREADS ? others[i] : normal_main;
        int error = pthread_create(&pool->threads[i], NULL, run, pool);
        if (error != 0) {
            worker_pool_stop(pool);
            return -error;
        }
        pool->threads_count++;
    }
    *out = pool;
    return 0;
}

void
worker_pool_push(struct worker_pool *pool, struct io_work *work, enum io_priority priority)
{
    struct worker_queue *queue = &pool->queues[priority];
    work->next = NULL;
    work->priority = (uint8_t)priority;
    pthread_mutex_lock(&queue->lock);
    ASSERT(!queue->stopping);
    work->previous = queue->tail;
    *queue->tail = work;
    queue->tail = &work->next;
    bool crowded = ++queue->count >= HELPED;
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_signal(&queue->filled);
    if (crowded) {
        pthread_cond_signal(&queue->crowded);
    }
}

bool
worker_pool_withdraw(struct worker_pool *pool, struct io_work *work)
{
    struct worker_queue *queue = &pool->queues[work->priority];
    pthread_mutex_lock(&queue->lock);
    bool waits = work->previous != NULL;
    if (waits) {
        queue_remove(queue, work);
    }
    pthread_mutex_unlock(&queue->lock);
    return waits;
}

void
worker_pool_stop(struct worker_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    for (unsigned i = 0; i < IO_WORK_PRIORITIES; i++) {
        pthread_mutex_lock(&pool->queues[i].lock);
        pool->queues[i].stopping = true;
        pthread_mutex_unlock(&pool->queues[i].lock);
        pthread_cond_broadcast(&pool->queues[i].filled);
        pthread_cond_broadcast(&pool->queues[i].crowded);
    }
    for (unsigned i = 0; i < pool->threads_count; i++) {
        (void)pthread_join(pool->threads[i], NULL);
    }
    for (unsigned i = 0; i < IO_WORK_PRIORITIES; i++) {
        (void)pthread_mutex_destroy(&pool->queues[i].lock);
        (void)pthread_cond_destroy(&pool->queues[i].filled);
        (void)pthread_cond_destroy(&pool->queues[i].crowded);
    }
    free(pool);
}
