/* SPDX-License-Identifier: Apache-2.0 */
/* uring_table.h - settled sockets: those that take no descriptor, and the rings that know them.
 *
 * For uring*.c alone. Whoever fills an entry for a socket asks for its place:
 *
 *     struct uring_place place = uring_place(uring, socket);
 *     struct io_uring_sqe *sqe = uring_sqe(place.ring, user_data);
 *     io_uring_prep_recv(sqe, place.fd, ...);
 *     sqe->flags |= place.entry_flags;
 *
 * and the loop does with each table's ring what it does with its own, but sleep in it.
 */
#pragma once

#include "runtime/io/uring_priv.h"

/* Where the entries of a socket go, and what they call it. */
struct uring_place {
    struct uring_ring *ring;
    int fd;              /* the descriptor, or the slot in the ring's table */
    uint8_t entry_flags; /* to be set in each entry when it is filled */
};
struct uring_place uring_settled_place(struct uring *uring, io_socket socket);

/* Descriptors are below it. */
enum { URING_SETTLED = 1 << 30 };

static inline bool
uring_settled(io_socket socket)
{
    return socket >= URING_SETTLED;
}

static inline struct uring_place
uring_place(struct uring *uring, io_socket socket)
{
    if (uring_settled(socket)) {
        return uring_settled_place(uring, socket);
    }
    return (struct uring_place){.ring = &uring->ring, .fd = socket};
}

/* The ring of the table `index`, below uring->tables_count. */
struct uring_ring *uring_table_ring(struct uring *uring, unsigned index);

int uring_settle(struct io *io, io_socket socket, io_socket *out);
uint64_t uring_settled_max(const struct io_driver *driver, uint32_t *out_each);
/* io_shutdown and io_close of a settled socket. */
void uring_settled_shutdown(struct uring *uring, io_socket socket);
void uring_settled_close(struct uring *uring, io_socket socket, bool abort);
/* Their completions. */
void uring_lent(int32_t result);
void uring_slot_closed(struct uring *uring, unsigned table, uint64_t slot, int32_t result);
/* Submits what is queued in the tables' rings and lets the kernel deliver what it holds there; no
 * system call for a ring that has neither. */
void uring_tables_submit(struct uring *uring);
/* Whether completions lie in one of them, or polls wait to be armed again. */
bool uring_tables_ready(const struct uring *uring);
/* Whether the kernel holds completions for one of them. */
bool uring_tables_pending(const struct uring *uring);
/* From now on the first ring completes something when one of the others has work. */
void uring_bell_arm(struct uring *uring);
void uring_tables_close(struct uring *uring);
