/* SPDX-License-Identifier: Apache-2.0 */
/* The rings themselves. liburing opens and maps them and fills entries; the two hot paths, handing
 * entries over and entering the kernel, are ours, for three reasons: liburing leaves out
 * IORING_ENTER_GETEVENTS when a completion already lies there, and with DEFER_TASKRUN that is what
 * lets the kernel do its share; it writes the index array anew for each entry although it never
 * changes; and it needs two calls where one will do.
 *
 * The flags, all of Linux 6.1 or older:
 *   SINGLE_ISSUER   only one thread submits: the kernel may leave out locking
 *   DEFER_TASKRUN   completions are worked off when we ask, never in the middle of other code
 *                   (which is more than COOP_TASKRUN promises)
 *   TASKRUN_FLAG    a flag in shared memory tells that there is something to work off, so that a
 *                   busy loop with nothing to submit needs no system call at all
 *   SUBMIT_ALL      a bad entry completes with its error and does not hold up those behind it
 *   CQSIZE          more completions than entries: most come from polls armed long ago. What still
 *                   does not fit the kernel keeps (NODROP) and hands over later
 *   R_DISABLED      the opener is not the thread that will submit
 *
 * And of newer kernels, at IO_LEVEL_PROBE: NO_IOWAIT (6.15), so that a loop that sleeps counts as
 * idle. Without it the kernel books an idle node as one that waits for its disk, and every monitor
 * shows it so. */
#include "runtime/io/uring_priv.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    /* Of Linux 5.18, 6.15 and 6.15; liburing 2.3 does not export or know them. */
    ENTER_REGISTERED_RING = 1 << 4,
    ENTER_NO_IOWAIT = 1 << 7,
    FEATURE_NO_IOWAIT = 1 << 17,
    NS_PER_SECOND = 1000000000,
};

static const unsigned setup_flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                                    IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL |
                                    IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED;
static const unsigned features_needed = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP |
                                        IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_EXT_ARG |
                                        IORING_FEAT_CQE_SKIP;

int
uring_ring_open(struct uring_ring *ring, unsigned entries, unsigned completions,
                enum io_level level)
{
    ASSERT(entries > 0 && completions >= entries);
    struct io_uring_params params = {.flags = setup_flags, .cq_entries = completions};
    int error = io_uring_queue_init_params(entries, &ring->queues, &params);
    if (error < 0) {
        return error;
    }
    if ((params.features & features_needed) != features_needed) {
        error = -EINVAL;
        goto out;
    }
    /* The index array: entries are taken in their order, for good. liburing 2.3 fills it too, older
     * and newer ones need not. */
    for (unsigned i = 0; i < entries; i++) {
        ring->queues.sq.array[i] = i;
    }
    ring->headers = calloc(entries, sizeof(*ring->headers));
    if (ring->headers == NULL) {
        error = -ENOMEM;
        goto out;
    }
    /* What else newer kernels have was tried and left: dropping the index array (6.6) gains nothing
     * that can be measured. */
    if (level == IO_LEVEL_PROBE && (params.features & FEATURE_NO_IOWAIT) != 0) {
        ring->enter_flags = ENTER_NO_IOWAIT;
    }
out:
    if (error < 0) {
        io_uring_queue_exit(&ring->queues);
    }
    return error;
}

void
uring_ring_close(struct uring_ring *ring)
{
    io_uring_queue_exit(&ring->queues);
    free(ring->headers);
    ring->headers = NULL;
}

void
uring_ring_enable(struct uring_ring *ring)
{
    /* Can only fail when the ring is not disabled: a bug. By hand, for liburing 2.3 forgot to
     * export its io_uring_enable_rings. */
    long result =
        syscall(SYS_io_uring_register, ring->queues.ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    ASSERT(result == 0);
    /* Saves looking up the ring's descriptor at each call; without it (16 per thread at most) all
     * works as well. */
    if (io_uring_register_ring_fd(&ring->queues) == 1) {
        ring->enter_flags |= ENTER_REGISTERED_RING;
    }
}

/* ------------------------------------------------------------------------ entering the kernel */

/* Hands over all filled entries; returns how many the kernel has still to take. */
static unsigned
sq_publish(struct uring_ring *ring)
{
    struct io_uring_sq *sq = &ring->queues.sq;
    /* Only the kernel on this very thread reads the tail (no SQPOLL): the system call orders it. */
    *sq->ktail = sq->sqe_tail;
    return sq->sqe_tail - *sq->khead;
}

/* One io_uring_enter. */
static void
ring_enter(struct uring_ring *ring, unsigned wait_count, unsigned flags, uint64_t timeout_ns)
{
    struct __kernel_timespec timeout = {
        .tv_sec = (int64_t)(timeout_ns / NS_PER_SECOND),
        .tv_nsec = (long long)(timeout_ns % NS_PER_SECOND),
    };
    struct io_uring_getevents_arg argument = {.ts = (uint64_t)(uintptr_t)&timeout};
    void *extra = NULL;
    size_t extra_bytes = 0;
    if (wait_count > 0 && timeout_ns != IO_NEVER) {
        flags |= IORING_ENTER_EXT_ARG;
        extra = &argument;
        extra_bytes = sizeof(argument);
    }
    unsigned before = sq_publish(ring);
    int result = io_uring_enter2((unsigned)ring->queues.enter_ring_fd, before, wait_count,
                                 flags | ring->enter_flags, extra, extra_bytes);
    unsigned after = sq_publish(ring);
    uring_count(&ring->counters->enters, 1);
    uring_count(&ring->counters->submitted, before - after);
    /* ETIME: the deadline. EINTR: a signal. EAGAIN, ENOMEM, EBUSY: the kernel is short of memory
     * for requests or for completions that did not fit; the entries stay queued and are tried again
     * at the next call. */
    ASSERT(result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN ||
           result == -ENOMEM || result == -EBUSY);
}

bool
uring_pending(const struct uring_ring *ring)
{
    unsigned flags = __atomic_load_n(ring->queues.sq.kflags, __ATOMIC_RELAXED);
    return (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
}

bool
uring_overflown(const struct uring_ring *ring)
{
    unsigned flags = __atomic_load_n(ring->queues.sq.kflags, __ATOMIC_RELAXED);
    return (flags & IORING_SQ_CQ_OVERFLOW) != 0;
}

void
uring_submit(struct uring_ring *ring)
{
    /* The flag is set by whoever completes something for us, on any thread; relaxed, for it carries
     * no data: that comes over within the system call. */
    if (sq_publish(ring) > 0 || uring_pending(ring)) {
        ring_enter(ring, 0, IORING_ENTER_GETEVENTS, 0);
    }
}

void
uring_wait(struct uring_ring *ring, uint64_t deadline_ns)
{
    uint64_t timeout_ns = IO_NEVER;
    if (deadline_ns != IO_NEVER) {
        uint64_t now_ns = uring_clock_ns();
        timeout_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    }
    ring_enter(ring, timeout_ns > 0 ? 1 : 0, IORING_ENTER_GETEVENTS, timeout_ns);
}

/* ---------------------------------------------------------------------- entries and completions */

struct io_uring_sqe *
uring_sqe(struct uring_ring *ring, uint64_t user_data)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->queues);
    while (sqe == NULL) {
        /* Full in the middle of a turn. Submit without waiting: what completes is queued, no done
         * runs in here. When the kernel has no memory to take even one entry there is nothing to
         * fall back on but to try again. */
        ring_enter(ring, 0, IORING_ENTER_GETEVENTS, 0);
        sqe = io_uring_get_sqe(&ring->queues);
        if (sqe == NULL) {
            (void)sched_yield();
        }
    }
    sqe->user_data = user_data;
    return sqe;
}

struct msghdr *
uring_header(struct uring_ring *ring, const struct io_uring_sqe *sqe)
{
    struct msghdr *header = &ring->headers[sqe - ring->queues.sq.sqes];
    memset(header, 0, sizeof(*header));
    return header;
}

unsigned
uring_ready(const struct uring_ring *ring)
{
    /* Acquire, with the kernel's release of the tail: the completions before it are written. */
    return __atomic_load_n(ring->queues.cq.ktail, __ATOMIC_ACQUIRE) - *ring->queues.cq.khead;
}

struct uring_completion
uring_pop(struct uring_ring *ring)
{
    struct io_uring_cq *cq = &ring->queues.cq;
    const struct io_uring_cqe *cqe = &cq->cqes[*cq->khead & cq->ring_mask];
    struct uring_completion completion = {cqe->user_data, cqe->res, cqe->flags};
    /* Release, with the kernel's acquire of the head: our copy is made before the place is used
     * again. */
    __atomic_store_n(cq->khead, *cq->khead + 1, __ATOMIC_RELEASE);
    return completion;
}

const void *
uring_ahead(const struct uring_ring *ring)
{
    const struct io_uring_cq *cq = &ring->queues.cq;
    uint64_t user_data = cq->cqes[(*cq->khead + URING_AHEAD - 1) & cq->ring_mask].user_data;
    return (const void *)(uintptr_t)user_data; // NOLINT(performance-no-int-to-ptr)
}
