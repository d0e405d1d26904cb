/* SPDX-License-Identifier: Apache-2.0 */
/* uring_priv.h - the inside of the real driver; for uring*.c alone.
 *
 *     uring.c          opens and closes the driver, the table of calls, time and chance
 *     uring_probe.c    why a ring could not be opened, as a sentence for the operator
 *     uring_ring.c     the two rings: entries out, one system call, completions in
 *     uring_table.c    further rings, each with a table of sockets that take no descriptor; its
 *                      header is uring_table.h
 *     uring_loop.c     the thread: turn, sleep, wake, completions
 *     uring_op.c       the life of an operation: begun, completed, cancelled
 *     uring_socket.c   the operations on sockets
 *     uring_file.c     the durable append
 *
 * What the kernel hands back is told apart by user_data: the address of the io_op, or, for the
 * driver's own entries, a tag in the bits that are zero in such an address. An entry with the
 * address of an op is in flight only while the op is active, and the op stays at its place so long;
 * that is the whole lifetime rule.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io_priv.h"
#include "runtime/io/uring.h"
#include "runtime/io/uring_clock.h"
#include "runtime/io/worker.h"

#include <liburing.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum {
    CACHE_LINE_BYTES = 64,
    URING_LOOPS_MAX = 1024,         /* more than there are cores; a typing mistake, not a machine */
    URING_RING_ENTRIES_MAX = 32768, /* the kernel's own */
    URING_RECEIVE_BUFFERS_MAX = 65536,
    URING_TABLE_SLOTS_MAX = 1 << 20, /* the kernel's own */
    URING_RELEASE_TEXT_MAX = 65,     /* as in struct utsname */
};

/* The low bits of user_data; what else a tag has to say is above them. */
enum uring_tag {
    URING_TAG_OP,      /* none: it is the address of an op */
    URING_TAG_NOTHING, /* a cancel that came too late: nothing to do */
    URING_TAG_WAKE,    /* the poll on wake_fd */
    URING_TAG_BELL,    /* the poll on bell_fd */
    URING_TAG_LENT,    /* a descriptor of a socket in a table, to end our side with */
    URING_TAG_CLOSED,  /* a slot of a table is free again; the slot is above */
};
enum { URING_TAG_BITS = 3, URING_TAG_MASK = (1 << URING_TAG_BITS) - 1 };
_Static_assert(_Alignof(struct io_op) >= 1 << URING_TAG_BITS, "an address leaves room for a tag");

/* io_op.kind: one of these in the low byte, flags above. */
enum uring_kind {
    URING_KIND_NONE, /* never started: what a zeroed op says */
    URING_KIND_ACCEPT,
    URING_KIND_CONNECT,
    URING_KIND_POLL,
    URING_KIND_RECEIVE,
    URING_KIND_SEND,
    URING_KIND_WRITE_SYNC,
};
enum {
    URING_KIND_MASK = 0xff,
    URING_OP_CANCELLED = 0x100, /* io_cancel was called: only the last completion still counts */
    URING_OP_ENDED = 0x200,     /* in the loop's list `ended`; the kernel knows it no more */
    URING_OP_PAUSED = 0x400,    /* in one of the lists `paused` and `dropped`, out of the ring */
};

/* Written by the loop's thread alone (wakes apart) and read by any: relaxed, each by itself. */
struct uring_counters {
    _Atomic uint64_t enters, submitted, completed, receives, receive_bytes, sends, send_bytes;
    _Atomic uint64_t accepts, file_syncs, file_bytes, receive_buffers_short;
    /* sockets that are in tables now; that found no room */
    _Atomic uint64_t settled, settles_failed;
};

/* One completion, copied out of the ring. */
struct uring_completion {
    uint64_t user_data;
    int32_t result;
    uint32_t flags;
};

struct op_list {
    struct io_op *head, *tail;
};

/* One submission and one completion queue. Its loop's thread alone uses it. */
struct uring_ring {
    struct io_uring queues;
    struct uring_counters *counters; /* the loop's */
    unsigned enter_flags;            /* in every io_uring_enter */
    struct msghdr *headers;          /* [entries], one beside each entry */
    struct op_list dropped; /* polls that the kernel gave up; armed again when there is room */
};

/* One loop. Padded on purpose: what other threads touch has a cache line of its own. */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct uring {
    struct io io; /* first: a struct io * of this driver is a struct uring * */

    /* ---- Set before the thread starts, then read only. */
    struct io_loop loop;
    pthread_t thread;
    int wake_fd;
    int bell_fd; /* rung by the rings of tables, when there is something to work off in them */
    uint64_t spin_ns;

    /* ---- Any thread. On a line of its own: wakers read it at each message they send to this
     * loop. */
    _Alignas(CACHE_LINE_BYTES) atomic_bool sleeping;
    _Atomic uint64_t wakes;
    _Atomic(struct io_work *) finished; /* a stack, newest first */

    /* ---- The loop's thread alone. */
    _Alignas(CACHE_LINE_BYTES) struct uring_ring ring; /* of all but what is in tables */
    struct uring_table **tables;                       /* [tables_count], in order of opening */
    unsigned tables_count;
    bool bell_armed;             /* the poll on bell_fd is in the ring */
    bool running;                /* the thread is between its first turn and its last */
    unsigned appends_active;     /* io_write_sync handed to the kernel and not completed */
    struct append *append_spare; /* the last one's memory, for the next; NULL: none */
    unsigned char *buffers;      /* [receive_buffers][IO_RECEIVE_BYTES] */
    uint32_t *buffers_free;      /* a stack: the warmest buffer is used first */
    unsigned buffers_free_count, buffers_count;
    unsigned buffers_free_least; /* of buffers_free_count, since the last trim */
    unsigned buffers_cold;       /* at the stack's bottom: no memory behind them, as of that trim */
    struct op_list ended; /* ops that end without the kernel: done is called when completions are */
    struct op_list paused;    /* accepts that met a limit; armed again at paused_until_ns */
    uint64_t paused_until_ns; /* IO_NEVER while the list is empty */

    struct uring_counters counters;
};

struct uring_driver {
    struct io_driver base; /* first */
    struct uring *urings;  /* [base.loops] */
    struct worker_pool *pool;
    unsigned workers;
    unsigned threads_count; /* running loops */
    enum io_level level;
    unsigned table_slots; /* sockets in one table; 0: this kernel can't have any */
    unsigned table_entries, table_completions; /* of its ring */
    pthread_mutex_t start_lock;
    bool start_failed; /* under start_lock */
    char name[96];
};

static inline struct uring *
uring_of(struct io *io)
{
    return (struct uring *)io;
}

/* One writer, so no read-modify-write is needed. */
static inline void
uring_count(_Atomic uint64_t *counter, uint64_t more)
{
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + more, memory_order_relaxed);
}

static inline void
uring_uncount(_Atomic uint64_t *gauge, uint64_t less)
{
    uint64_t now = atomic_load_explicit(gauge, memory_order_relaxed);
    atomic_store_explicit(gauge, now - less, memory_order_relaxed);
}

/* ------------------------------------------------------------------------ uring_probe.c */

/* What the host says about itself; read apart so that the sentences can be tested. */
struct uring_host {
    char release[URING_RELEASE_TEXT_MAX];
    int disabled; /* kernel.io_uring_disabled; -1 where there is no such setting */
    uint64_t memlock_bytes;
};

void uring_host_read(struct uring_host *out);
/* The sentence for `error`, a negative errno met while `what` was done. `why` may be NULL. */
void uring_explain(const struct uring_host *host, const char *what, int error, char *why,
                   size_t why_bytes);

/* ------------------------------------------------------------------------ uring_ring.c */

/* Opens the ring, disabled: its thread enables it and is from then on the only one that may use
 * it. */
MUST_CHECK int uring_ring_open(struct uring_ring *ring, unsigned entries, unsigned completions,
                               enum io_level level);
void uring_ring_close(struct uring_ring *ring);
/* By the loop's thread, before its first use. */
void uring_ring_enable(struct uring_ring *ring);

/* An empty entry to fill by one io_uring_prep_*; submits what is there when the queue is full. */
struct io_uring_sqe *uring_sqe(struct uring_ring *ring, uint64_t user_data);
/* The zeroed header that belongs to an entry: stays as it is until the kernel has taken the entry,
 * and longer it is not needed (IORING_FEAT_SUBMIT_STABLE). */
struct msghdr *uring_header(struct uring_ring *ring, const struct io_uring_sqe *sqe);
/* True when the kernel holds completions for us. No system call. */
bool uring_pending(const struct uring_ring *ring);
/* True when there are completions that had no room in the ring. */
bool uring_overflown(const struct uring_ring *ring);
/* Submits what is queued and lets the kernel deliver what it holds; no system call when there is
 * neither. */
void uring_submit(struct uring_ring *ring);
/* The same, but waits for a completion until `deadline_ns`. One system call, always. */
void uring_wait(struct uring_ring *ring, uint64_t deadline_ns);
/* How many completions lie in the ring, and the oldest of them, taken out. */
unsigned uring_ready(const struct uring_ring *ring);
struct uring_completion uring_pop(struct uring_ring *ring);
/* What the completion is for that comes so many behind the one popped last and lies in the ring
 * already, so that a cache can be asked for it. It may be gone by then, or no address at all:
 * nothing else may be done with it. */
enum { URING_AHEAD = 2 };
const void *uring_ahead(const struct uring_ring *ring);

/* ------------------------------------------------------------------------ uring_loop.c */

int uring_start(struct io_driver *driver, const struct io_loop *loops);
void uring_join(struct io_driver *driver);
void uring_run_all(void (*run)(void *context), void *const *contexts, unsigned count);
void uring_wake(struct io *io);
void uring_work_start(struct io *io, struct io_work *work, enum io_priority priority);
bool uring_work_withdraw(struct io *io, struct io_work *work);

/* ------------------------------------------------------------------------ uring_op.c */

/* Marks a newly started op as being of `kind`. */
void uring_op_begin(struct io_op *op, enum uring_kind kind);
/* Hands the op back to its owner and calls done for the last time. */
void uring_op_end(struct io_op *op, int32_t result);
/* Calls done with more to follow. The op may be cancelled when this returns. */
void uring_op_report(struct io_op *op, int32_t result);
/* The op will end with `result` when completions are next run. The kernel must not know the op. */
void uring_op_end_later(struct uring *uring, struct io_op *op, int32_t result);
/* Runs those. */
void uring_op_run_ended(struct uring *uring);
/* Runs the completion of an op. */
void uring_op_complete(struct uring *uring, struct io_op *op, int32_t result, uint32_t flags);
void uring_cancel(struct io *io, struct io_op *op);

void op_list_push(struct op_list *list, struct io_op *op);
struct io_op *op_list_pop(struct op_list *list);
void op_list_remove(struct op_list *list, struct io_op *op);

/* ------------------------------------------------------------------------ uring_socket.c */

MUST_CHECK int uring_buffers_open(struct uring *uring, unsigned count);
void uring_buffers_close(struct uring *uring);

int uring_listen(struct io *io, const struct io_address *address, int backlog, io_socket *out,
                 struct io_address *out_bound);
int uring_peer(struct io *io, io_socket socket, struct io_address *out);
void uring_accept(struct io *io, struct io_op *op, io_socket listener);
void uring_connect(struct io *io, struct io_op *op, const struct io_address *address);
void uring_poll(struct io *io, struct io_op *op, io_socket socket);
void uring_receive(struct io *io, struct io_op *op, io_socket socket);
const unsigned char *uring_received(struct io *io, const struct io_op *op);
void uring_release(struct io *io, struct io_op *op);
uint32_t uring_receive_room(struct io *io);
void uring_trim(struct io *io);
void uring_send(struct io *io, struct io_op *op, io_socket socket, const struct iovec *pieces,
                unsigned count);
void uring_shutdown(struct io *io, io_socket socket);
void uring_close(struct io *io, io_socket socket, bool abort);
/* Arms the paused accepts again when their time has come. */
void uring_accept_resume(struct uring *uring);
/* Arms the dropped polls of a ring again, as many as it has room for. */
void uring_poll_resume(struct uring *uring, struct uring_ring *ring);

void uring_accept_complete(struct uring *uring, struct io_op *op, int32_t result, bool more);
void uring_connect_complete(struct io_op *op, int32_t result);
void uring_poll_complete(struct uring *uring, struct io_op *op, int32_t result, bool more);
void uring_receive_complete(struct uring *uring, struct io_op *op, int32_t result);
void uring_send_complete(struct uring *uring, struct io_op *op, int32_t result);

/* ------------------------------------------------------------------------ uring_file.c */

void uring_write_sync(struct io *io, struct io_op *op, io_file file, const struct iovec *pieces,
                      unsigned count, uint64_t offset);
void uring_write_sync_complete(struct uring *uring, struct io_op *op, int32_t result);
/* Of the completion of an op when the loop has ended: frees what an append has; done is not called.
 * Ops of other kinds are left alone. */
void uring_write_sync_forget(struct uring *uring, struct io_op *op);
/* Frees what is kept for the next. */
void uring_write_sync_fini(struct uring *uring);
