/* SPDX-License-Identifier: Apache-2.0 */
/* The thread of a loop: turn, enter the kernel once, run what completed, again.
 *
 * Sleeping and waking. What others hand to a loop lies in queues they share with it (the runtime's
 * rings, our stack of finished work); io_wake is only the doorbell, and must be nearly free while
 * the loop is awake. It is the classic pair of Dekker:
 *
 *     the loop                                    a waker
 *     sleeping = true                             publish (a ring's release, our stack's)
 *     fence seq_cst                    (A)        fence seq_cst                    (B)
 *     idle()? looks into the queues               sleeping? then write the eventfd
 *
 * Whichever fence comes first in the one order of all seq_cst fences: if A, the waker sees
 * `sleeping`; if B, the loop sees what was published. So never both look away, and never is a
 * wake-up lost. An eventfd written while the loop is no longer asleep (the waker was slow) costs
 * one turn for nothing.
 *
 * The doorbell itself is an eventfd under an edge-triggered multishot poll in the ring: each write
 * is one completion, and the counter is never read, so a wake-up is one system call for the waker
 * and none for the woken. The alternative, IORING_OP_MSG_RING, needs a ring on the waker's side,
 * which workers and signal threads lack, waits there until the waker next submits, and towards a
 * ring with DEFER_TASKRUN works only in kernels younger than 6.1. */
#include "runtime/io/trap.h"
#include "runtime/io/uring_priv.h"
#include "runtime/io/uring_table.h"
#include "runtime/prefetch.h"

#include <ck_pr.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { THREAD_NAME_MAX = 16 };

/* ------------------------------------------------------------------------ wake */

void
uring_wake(struct io *io)
{
    struct uring *uring = uring_of(io);
    /* (B), see above. The flag itself may then be read relaxed; a stale true is corrected by the
     * exchange, which sees the latest value and lets just one of many wakers pay for the system
     * call. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!atomic_load_explicit(&uring->sleeping, memory_order_relaxed) ||
        !atomic_exchange_explicit(&uring->sleeping, false, memory_order_relaxed)) {
        return;
    }
    atomic_fetch_add_explicit(&uring->wakes, 1, memory_order_relaxed);
    /* The counter would need 2^64 wake-ups to block. */
    int result = eventfd_write(uring->wake_fd, 1);
    ASSERT(result == 0);
}

static void
wake_arm(struct uring *uring)
{
    io_uring_prep_poll_multishot(uring_sqe(&uring->ring, URING_TAG_WAKE), uring->wake_fd, POLLIN);
}

/* ------------------------------------------------------------------------ finished work */

/* On a worker's thread. */
static void
work_finished(struct io_work *work)
{
    struct uring *uring = uring_of(work->io);
    struct io_work *head = atomic_load_explicit(&uring->finished, memory_order_relaxed);
    /* Release, with the loop's acquire in finished_run: what the work wrote is seen by its done. A
     * stack that is only ever emptied whole has no ABA. After the push the owner may free the work:
     * only the loop is touched. */
    do {
        work->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&uring->finished, &head, work,
                                                    memory_order_release, memory_order_relaxed));
    uring_wake(&uring->io);
}

static bool
finished_empty(const struct uring *uring)
{
    /* Relaxed: only a hint to go and take; before a sleep fence (A) orders it. */
    return atomic_load_explicit(&uring->finished, memory_order_relaxed) == NULL;
}

static void
finished_run(struct uring *uring)
{
    if (finished_empty(uring)) {
        return;
    }
    /* Acquire, with the worker's release in work_finished. */
    struct io_work *newest = atomic_exchange_explicit(&uring->finished, NULL, memory_order_acquire);
    struct io_work *oldest = NULL;
    while (newest != NULL) {
        struct io_work *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        struct io_work *work = oldest;
        oldest = work->next;
        work->next = NULL;
        work->done(work);
    }
}

void
uring_work_start(struct io *io, struct io_work *work, enum io_priority priority)
{
    struct uring_driver *driver = (struct uring_driver *)io->driver;
    ASSERT(driver->pool != NULL);
    worker_pool_push(driver->pool, work, priority);
}

bool
uring_work_withdraw(struct io *io, struct io_work *work)
{
    return worker_pool_withdraw(((struct uring_driver *)io->driver)->pool, work);
}

/* ------------------------------------------------------------------------ completions */

/* `table` is the one whose ring it came from; none says a bell or a wake-up. */
static void
complete_tagged(struct uring *uring, unsigned table, const struct uring_completion *done)
{
    switch ((enum uring_tag)(done->user_data & URING_TAG_MASK)) {
    case URING_TAG_NOTHING:
        return;
    case URING_TAG_WAKE:
        if ((done->flags & IORING_CQE_F_MORE) == 0) {
            wake_arm(uring);
        }
        return;
    case URING_TAG_BELL:
        uring->bell_armed = false;
        return;
    case URING_TAG_LENT:
        uring_lent(done->result);
        return;
    case URING_TAG_CLOSED:
        uring_slot_closed(uring, table, done->user_data >> URING_TAG_BITS, done->result);
        return;
    case URING_TAG_OP:
        break;
    }
    check_failed("a completion with no such tag", __FILE__, __LINE__);
}

/* Runs what lies in the ring now; what comes meanwhile waits for the next round, so that turns
 * follow one another. */
static void
ring_run(struct uring *uring, struct uring_ring *ring, unsigned table)
{
    enum { AHEAD_BYTES = 128 }; /* an op, and the socket that it is part of */
    unsigned ready = uring_ready(ring);
    uring_count(&uring->counters.completed, ready);
    for (; ready > 0; ready--) {
        struct uring_completion done = uring_pop(ring);
        if (ready > URING_AHEAD) {
            lines_prefetch(uring_ahead(ring), AHEAD_BYTES);
        }
        if ((done.user_data & URING_TAG_MASK) != URING_TAG_OP) {
            complete_tagged(uring, table, &done);
        } else {
            struct io_op *op = (struct io_op *)(uintptr_t)done.user_data;
            uring_op_complete(uring, op, done.result, done.flags);
        }
    }
}

static void
completions_run(struct uring *uring)
{
    /* What runs here may open tables; those have nothing yet. */
    unsigned tables = uring->tables_count;
    if (uring_tables_pending(uring)) {
        uring_tables_submit(uring);
    }
    ring_run(uring, &uring->ring, 0);
    for (unsigned i = 0; i < tables; i++) {
        ring_run(uring, uring_table_ring(uring, i), i);
    }
    uring_op_run_ended(uring);
    finished_run(uring);
    uring_accept_resume(uring);
    uring_poll_resume(uring, &uring->ring);
    for (unsigned i = 0; i < tables; i++) {
        uring_poll_resume(uring, uring_table_ring(uring, i));
    }
}

/* ------------------------------------------------------------------------ turns */

/* True when there is something to do. */
static bool
loop_roused(struct uring *uring)
{
    return uring_ready(&uring->ring) > 0 || uring_pending(&uring->ring) ||
           uring_tables_pending(uring) || !finished_empty(uring) ||
           !uring->loop.idle(uring->loop.context);
}

/* Polls for a while: a message from another core comes within microseconds or not soon, and a
 * wake-up costs more. */
static bool
loop_spin(struct uring *uring, uint64_t deadline_ns)
{
    uint64_t now_ns = uring_clock_ns();
    uint64_t end_ns = now_ns + uring->spin_ns;
    while (now_ns < end_ns && now_ns < deadline_ns) {
        if (loop_roused(uring)) {
            return true;
        }
        ck_pr_stall();
        now_ns = uring_clock_ns();
    }
    return false;
}

static void
loop_sleep(struct uring *uring, uint64_t deadline_ns)
{
    atomic_store_explicit(&uring->sleeping, true, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst); /* (A), see above */
    uring_bell_arm(uring);
    if (!uring_tables_pending(uring) && finished_empty(uring) &&
        uring->loop.idle(uring->loop.context)) {
        uring_wait(&uring->ring, deadline_ns);
    } else {
        uring_submit(&uring->ring);
    }
    /* Relaxed: a waker that still reads true rings once for nothing. */
    atomic_store_explicit(&uring->sleeping, false, memory_order_relaxed);
}

/* Submits what the turn queued and waits for something to happen, `deadline_ns` at the latest. */
static void
loop_wait(struct uring *uring, uint64_t deadline_ns)
{
    if (deadline_ns > uring->paused_until_ns) {
        deadline_ns = uring->paused_until_ns;
    }
    uring_tables_submit(uring);
    if (deadline_ns == 0 || uring->ended.head != NULL || uring->ring.dropped.head != NULL ||
        uring_tables_ready(uring)) {
        uring_submit(&uring->ring);
        return;
    }
    if (uring->spin_ns > 0) {
        uring_submit(&uring->ring);
        if (loop_spin(uring, deadline_ns)) {
            uring_submit(&uring->ring);
            return;
        }
    }
    loop_sleep(uring, deadline_ns);
}

static void
ring_cancel_all(struct uring_ring *ring)
{
    struct io_uring_sync_cancel_reg all = {
        .fd = -1,
        .flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL,
        .timeout = {.tv_sec = -1, .tv_nsec = -1},
    };
    int error;
    do { /* -ENOENT: nothing was left */
        error = io_uring_register_sync_cancel(&ring->queues, &all);
    } while (error == -EINTR);
}

/* Nobody else would close them. */
static void
lent_give_back(struct uring_ring *ring)
{
    do {
        uring_submit(ring);
        for (unsigned ready = uring_ready(ring); ready > 0; ready--) {
            struct uring_completion done = uring_pop(ring);
            if ((done.user_data & URING_TAG_MASK) == URING_TAG_LENT) {
                uring_lent(done.result);
            }
        }
    } while (uring_pending(ring));
}

/* After the last turn: when this returns, the kernel neither reads nor writes any memory of an op's
 * owner. Appends run to their end, all else is cancelled; no done is called any more. */
static void
loop_end(struct uring *uring)
{
    uring_tables_submit(uring);
    uring_submit(&uring->ring);
    while (uring->appends_active > 0) {
        uring_wait(&uring->ring, IO_NEVER);
        for (unsigned ready = uring_ready(&uring->ring); ready > 0; ready--) {
            struct uring_completion done = uring_pop(&uring->ring);
            if ((done.user_data & URING_TAG_MASK) == URING_TAG_OP) {
                uring_write_sync_forget(uring, (struct io_op *)(uintptr_t)done.user_data);
            }
        }
    }
    ring_cancel_all(&uring->ring);
    for (unsigned i = 0; i < uring->tables_count; i++) {
        struct uring_ring *ring = uring_table_ring(uring, i);
        ring_cancel_all(ring);
        lent_give_back(ring);
    }
}

static void
loop_run(struct uring *uring)
{
    uring_ring_enable(&uring->ring);
    wake_arm(uring);
    while (true) {
        uint64_t deadline_ns = uring->loop.turn(uring->loop.context);
        if (uring->loop.stopped(uring->loop.context)) {
            break;
        }
        loop_wait(uring, deadline_ns);
        completions_run(uring);
    }
    loop_end(uring);
}

static void *
loop_main(void *argument)
{
    struct uring *uring = argument;
    struct uring_driver *driver = (struct uring_driver *)uring->io.driver;
    char name[THREAD_NAME_MAX];
    (void)snprintf(name, sizeof(name), "linnet-%u", uring->io.loop);
    (void)pthread_setname_np(pthread_self(), name);
    pthread_mutex_lock(&driver->start_lock);
    bool start = !driver->start_failed;
    pthread_mutex_unlock(&driver->start_lock);
    if (start) {
        struct trap trap = {0};
        trap_enter(&trap, &uring->loop, true);
        loop_run(uring);
        trap_leave(&trap);
        trap_close(&trap);
    }
    return NULL;
}

/* ------------------------------------------------------------------------ start and join */

/* Signals meant for the process are for the thread that opened the driver: ours take none but those
 * that a thread's own fault or its own CPU time raises. */
static void
signals_block(sigset_t *out_before)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE,  SIGILL, SIGTRAP,
                              SIGABRT, SIGSYS, SIGPROF, SIGURG};
    sigset_t blocked;
    (void)sigfillset(&blocked);
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        (void)sigdelset(&blocked, own[i]);
    }
    (void)pthread_sigmask(SIG_BLOCK, &blocked, out_before);
}

static void
threads_join(struct uring_driver *driver)
{
    for (unsigned i = 0; i < driver->threads_count; i++) {
        (void)pthread_join(driver->urings[i].thread, NULL);
    }
    driver->threads_count = 0;
}

/* All threads or none: they wait at start_lock until the last one exists. */
static int
threads_start(struct uring_driver *driver, const struct io_loop *loops)
{
    int error = 0;
    pthread_mutex_lock(&driver->start_lock);
    for (unsigned i = 0; i < driver->base.loops && error == 0; i++) {
        struct uring *uring = &driver->urings[i];
        uring->loop = loops[i];
        error = -pthread_create(&uring->thread, NULL, loop_main, uring);
        driver->threads_count += error == 0 ? 1 : 0;
    }
    driver->start_failed = error != 0;
    pthread_mutex_unlock(&driver->start_lock);
    if (error != 0) {
        threads_join(driver);
    }
    return error;
}

int
uring_start(struct io_driver *base, const struct io_loop *loops)
{
    struct uring_driver *driver = (struct uring_driver *)base;
    ASSERT(driver->pool == NULL && driver->threads_count == 0);
    sigset_t signals;
    signals_block(&signals);
    int error = worker_pool_start(driver->workers, work_finished, &driver->pool);
    if (error == 0) {
        error = threads_start(driver, loops);
        if (error != 0) {
            worker_pool_stop(driver->pool);
            driver->pool = NULL;
        }
    }
    (void)pthread_sigmask(SIG_SETMASK, &signals, NULL);
    return error;
}

/* One of uring_run_all's. */
struct part {
    void (*run)(void *context);
    void *context;
    pthread_t thread;
    bool started;
};

static void *
part_main(void *argument)
{
    struct part *part = argument;
    (void)pthread_setname_np(pthread_self(), "linnet-start");
    part->run(part->context);
    return NULL;
}

/* The caller's thread does the first itself, and then what none could be started for. */
void
uring_run_all(void (*run)(void *context), void *const *contexts, unsigned count)
{
    struct part *parts = calloc(count, sizeof(*parts));
    sigset_t signals;
    ASSERT(parts != NULL || count == 0);
    signals_block(&signals);
    for (unsigned i = 1; i < count; i++) {
        parts[i] = (struct part){.run = run, .context = contexts[i]};
        parts[i].started = pthread_create(&parts[i].thread, NULL, part_main, &parts[i]) == 0;
    }
    (void)pthread_sigmask(SIG_SETMASK, &signals, NULL);
    for (unsigned i = 0; i < count; i++) {
        if (!parts[i].started) {
            run(contexts[i]);
        }
    }
    for (unsigned i = 0; i < count; i++) {
        if (parts[i].started) {
            (void)pthread_join(parts[i].thread, NULL);
        }
    }
    free(parts);
}

void
uring_join(struct io_driver *base)
{
    struct uring_driver *driver = (struct uring_driver *)base;
    threads_join(driver);
    worker_pool_stop(driver->pool);
    driver->pool = NULL;
}
