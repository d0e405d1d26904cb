/* SPDX-License-Identifier: Apache-2.0 */
/* bare_ring.h - a ring with liburing alone, for programs that show what the kernel gives at best:
 * echo_bare and chat_bare.
 *
 * Receives of many shots stand on the connections, into buffers that all share and that go back at
 * once; what is ready is taken together, and what is queued meanwhile shares one system call. One
 * thread opens a ring, uses it and closes it. What fails ends the program. */
#pragma once

#include <liburing.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum {
    BARE_BUFFER_BYTES = 4096,
    BARE_NS_PER_S = 1000000000,
    BARE_NS_PER_US = 1000,
};

struct bare_ring {
    struct io_uring queues;
    struct io_uring_buf_ring *buffers;
    char *room; /* of the buffers, BARE_BUFFER_BYTES each */
};

/* Whoever takes a completion. `context` is that of bare_ring_run, `done` the kernel's. */
typedef void bare_ring_taker(void *context, const struct io_uring_cqe *done);

void bare_ring_open(struct bare_ring *ring);
void bare_ring_close(struct bare_ring *ring);
/* An entry to fill in; those before it are handed over where there is no room. */
struct io_uring_sqe *bare_ring_entry(struct bare_ring *ring);
/* Reports what comes over a connection, time and again; each with `user_data`. */
void bare_ring_receive(struct bare_ring *ring, int descriptor, uint64_t user_data);
/* The bytes of a receive that brought some; they go back with bare_ring_give. */
const char *bare_ring_received(const struct bare_ring *ring, const struct io_uring_cqe *done);
void bare_ring_give(struct bare_ring *ring, const struct io_uring_cqe *done);
/* One round: hands over what was queued, waits some milliseconds at most for a completion, and
 * calls `take` for each that is there. */
void bare_ring_run(struct bare_ring *ring, bare_ring_taker *take, void *context);

uint64_t bare_ring_now_ns(clockid_t clock);
void bare_ring_sleep_s(unsigned long seconds);
