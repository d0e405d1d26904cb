/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bare_ring.h"

#include "runtime/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ENTRIES = 8192, /* as many completions as connections, and some */
    COMPLETIONS = 4 * ENTRIES,
    BUFFERS = 1024, /* a power of two */
    GROUP = 0,
    PATIENCE_NS = 10 * 1000 * 1000,
};

/* -------------------------------------------------------------------------------------- buffers */

static void
buffer_give(struct bare_ring *ring, unsigned buffer)
{
    io_uring_buf_ring_add(ring->buffers, ring->room + (size_t)buffer * BARE_BUFFER_BYTES,
                          BARE_BUFFER_BYTES, (unsigned short)buffer, BUFFERS - 1, 0);
    io_uring_buf_ring_advance(ring->buffers, 1);
}

static unsigned
buffer_of(const struct io_uring_cqe *done)
{
    return done->flags >> IORING_CQE_BUFFER_SHIFT;
}

const char *
bare_ring_received(const struct bare_ring *ring, const struct io_uring_cqe *done)
{
    return ring->room + (size_t)buffer_of(done) * BARE_BUFFER_BYTES;
}

void
bare_ring_give(struct bare_ring *ring, const struct io_uring_cqe *done)
{
    buffer_give(ring, buffer_of(done));
}

static void
buffers_open(struct bare_ring *ring)
{
    struct io_uring_buf_reg group = {.ring_entries = BUFFERS, .bgid = GROUP};
    size_t bytes = BUFFERS * sizeof(struct io_uring_buf);
    ring->room = calloc(BUFFERS, BARE_BUFFER_BYTES);
    ring->buffers = aligned_alloc((size_t)sysconf(_SC_PAGESIZE), bytes);
    ASSERT(ring->room != NULL && ring->buffers != NULL);
    memset(ring->buffers, 0, bytes);
    group.ring_addr = (uint64_t)(uintptr_t)ring->buffers;
    int error = io_uring_register_buf_ring(&ring->queues, &group, 0);
    ASSERT(error == 0);
    io_uring_buf_ring_init(ring->buffers);
    for (unsigned i = 0; i < BUFFERS; i++) {
        buffer_give(ring, i);
    }
}

/* ----------------------------------------------------------------------------------------- ring */

void
bare_ring_open(struct bare_ring *ring)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER |
                                              IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE,
                                     .cq_entries = COMPLETIONS};
    int error = io_uring_queue_init_params(ENTRIES, &ring->queues, &params);
    ASSERT(error == 0);
    buffers_open(ring);
}

void
bare_ring_close(struct bare_ring *ring)
{
    io_uring_queue_exit(&ring->queues);
    free(ring->buffers);
    free(ring->room);
}

struct io_uring_sqe *
bare_ring_entry(struct bare_ring *ring)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring->queues);
    if (entry == NULL) {
        int count = io_uring_submit(&ring->queues);
        ASSERT(count > 0);
        entry = io_uring_get_sqe(&ring->queues);
    }
    ASSERT(entry != NULL);
    return entry;
}

void
bare_ring_receive(struct bare_ring *ring, int descriptor, uint64_t user_data)
{
    struct io_uring_sqe *entry = bare_ring_entry(ring);
    io_uring_prep_recv_multishot(entry, descriptor, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = GROUP;
    entry->user_data = user_data;
}

void
bare_ring_run(struct bare_ring *ring, bare_ring_taker *take, void *context)
{
    struct __kernel_timespec patience = {.tv_nsec = PATIENCE_NS};
    struct io_uring_cqe *done = NULL;
    int result = io_uring_submit_and_wait_timeout(&ring->queues, &done, 1, &patience, NULL);
    ASSERT(result >= 0 || result == -ETIME || result == -EINTR);
    unsigned head;
    unsigned count = 0;
    io_uring_for_each_cqe(&ring->queues, head, done)
    {
        take(context, done);
        count++;
    }
    io_uring_cq_advance(&ring->queues, count);
}

/* ----------------------------------------------------------------------------------------- time */

uint64_t
bare_ring_now_ns(clockid_t clock)
{
    struct timespec now;
    int error = clock_gettime(clock, &now);
    ASSERT(error == 0);
    return (uint64_t)now.tv_sec * BARE_NS_PER_S + (uint64_t)now.tv_nsec;
}

void
bare_ring_sleep_s(unsigned long seconds)
{
    struct timespec pause = {.tv_sec = (time_t)seconds};
    int error = clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    ASSERT(error == 0);
}
