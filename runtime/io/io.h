/* SPDX-License-Identifier: Apache-2.0 */
/* io.h - the one door to the outside: time, chance, sockets, files, worker threads.
 *
 * Everything above reaches the machine through here, so that two drivers can stand behind it:
 * `uring` (uring.h), the real one, and `sim` (sim.h), one thread in which clock, order, network and
 * disk follow from a seed.
 *
 * Called by the thread that runs the loop of the `struct io`, unless a function says "any thread";
 * what takes a driver instead, at start-up, at its end, or from a worker thread. Nothing yields:
 * actors wait through ln_work and what is made of operations.
 *
 * A driver runs a fixed number of loops, one per scheduler. Each loop has a `struct io`; all calls
 * that take one are made by the thread that runs that loop, except where it says "any thread". An
 * operation is started by handing over a struct io_op that the caller owns and keeps at its place
 * until its `done` has been called for the last time:
 *
 *     op->done = on_received;
 *     io_receive(io, op, socket);     starts it; never calls done itself, never yields, cannot fail
 *     ...
 *     on_received(op, 128)            from inside io's part of the loop: result >= 0, or -errno
 *
 * Completions are first gathered, then run; a `done` may start, cancel and finish other operations.
 * Operations started in a turn are submitted together when the turn ends: one system call per loop.
 */
#pragma once

#include "runtime/api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

LN_BEGIN

struct io;
struct io_driver;

/* A socket or listener as the driver knows it; never -1 when valid. Valid on every loop of its
 * driver, until it is settled (io_settle). The real driver's is the descriptor until then, and so a
 * new one is the lowest number that is free. */
typedef int io_socket;
/* An open file. Valid on every thread of its driver. */
typedef int io_file;

/* ----------------------------------------------------------------------------------- operations */

/* `done` gets the result: a count or handle (>= 0) or a negative errno. For multishot operations
 * (accept, poll) it is called once per event; `op->more` tells whether further calls follow. After
 * a call with more == false the op belongs to its owner again. The last four fields are the
 * driver's. */
struct io_op {
    void (*done)(struct io_op *op, int32_t result);
    bool more;
    bool active; /* between start and the last done; read-only for owners */
    uint16_t kind;
    uint32_t buffer; /* the receive buffer held, or IO_BUFFER_NONE */
    struct io_op *next;
    uint64_t cookie;
};

enum { IO_BUFFER_NONE = 0xffffffffu };
#define IO_NEVER UINT64_MAX

/* -------------------------------------------------------------------------------- driver, loops */

/* What the processor refused. Where a signal has another handler already (a sanitizer's, the
 * program's own), that keeps it, and a loop is told nothing. */
struct io_fault {
    int signal; /* SIGSEGV, SIGBUS, SIGILL, SIGFPE */
    uintptr_t address;
    uintptr_t place; /* the instruction */
};

/* What the runtime hangs into a loop. `turn` runs what is ready and returns when it next wants to
 * run: an instant of io_now_ns (0: at once; IO_NEVER: only on an event). `idle` is asked after the
 * loop has announced that it sleeps (and, where a loop polls before it sleeps, over and over): true
 * when nothing arrived meanwhile. It must look at all that those who call io_wake publish.
 * `stopped` true ends the loop after the turn. */
struct io_loop {
    uint64_t (*turn)(void *context);
    bool (*idle)(void *context);
    bool (*stopped)(void *context);
    void *context;
    /* May be NULL. Code of the loop has faulted: called on its thread, on a stack of its own, like
     * any signal's handler. It may go on elsewhere (trap.h); when it returns, the process ends by
     * the signal. */
    void (*fault)(void *context, const struct io_fault *fault);
    /* May be NULL. Called likewise whenever the thread has used up another `tick_cpu_ns` of CPU
     * time; it must return. Never under sim, where code takes no time. */
    void (*tick)(void *context);
    uint64_t tick_cpu_ns;
    /* May be NULL. How much its turns have done so far: what sim reckons their cost by. */
    uint64_t (*work)(void *context);
};

/* Starts every loop: `loops[i]` runs on io_of(driver, i). Under uring each gets a thread and the
 * call returns at once; under sim nothing runs until io_join. 0 or a negative errno (nothing is
 * running then). */
LN_API LN_MUST_CHECK int io_start(struct io_driver *driver, const struct io_loop *loops);

/* Waits until all loops have stopped. Under sim this is where everything happens. Afterwards no
 * memory of an owner is touched: appends handed over have run to their end, all else is cancelled,
 * without a done. */
LN_API void io_join(struct io_driver *driver);

/* Calls `run` with each of the contexts, and returns when all have returned. Under uring they run
 * at the same time, each on a thread of its own as far as there are threads; under sim one after
 * the other. For what a start or an end has to do: before io_start, or after io_join. */
LN_API void io_run_all(struct io_driver *driver, void (*run)(void *context), void *const *contexts,
                       unsigned count);

/* Ends the driver; all loops have stopped. Takes the driver; NULL is allowed. */
LN_API void io_driver_close(struct io_driver *driver);

/* The io of a loop, an index below io_loops. Borrowed from the driver. Any thread. */
LN_API struct io *io_of(struct io_driver *driver, unsigned loop);
/* How many loops a driver has. Any thread. */
LN_API unsigned io_loops(const struct io_driver *driver);

/* Makes the loop of `io` take a turn soon, if `idle` then finds what the caller published before.
 * Any thread, until the driver closes. Cheap when it is awake. */
LN_API void io_wake(struct io *io);

/* --------------------------------------------------------------------------------- time, chance */

/* Nanoseconds on a clock that never goes back and never jumps. Any thread. */
LN_API uint64_t io_now_ns(struct io *io);
/* Milliseconds since 1970 on the wall clock, which may jump. Any thread. */
LN_API int64_t io_wall_ms(struct io *io);
/* CPU nanoseconds used by the calling loop's thread: what watchdogs count, so that a paused machine
 * kills nobody. */
LN_API uint64_t io_cpu_ns(struct io *io);
/* How often the calling thread has waited for the disk because a page of mapped memory was not in
 * the page cache (getrusage(2), ru_majflt). A wait that a signal ended early is not counted, so
 * this is fit to choose by, not to account with. Any thread. */
LN_API uint64_t io_page_waits(struct io *io);
/* Fills `bytes` bytes with randomness fit for keys (under sim: from the seed). Any thread. */
LN_API void io_random(struct io *io, void *out, size_t bytes);

/* Whether the driver says which of several things that are ready goes first: never under uring,
 * always under sim, where each seed tries another order. */
LN_API bool io_chooses(struct io *io);
/* One of `below`, at least 1. Only where it chooses, by the loop's thread. */
LN_API uint32_t io_choose(struct io *io, uint32_t below);

/* -------------------------------------------------------------------------------------- sockets */

enum { IO_ADDRESS_TEXT_MAX = 128 };

/* An address: "127.0.0.1:4222", "[::1]:4222" or "unix:/path/to/socket". Port 0 asks for a free
 * one. */
struct io_address {
    uint32_t bytes;
    union {
        unsigned char raw[128];
        uint64_t align;
    };
};

/* 0, or -EINVAL with *out untouched. Any thread. */
LN_API LN_MUST_CHECK int io_address_parse(const char *text, struct io_address *out);
/* The host alone, as an IPv6 address (an IPv4 one as ::ffff:a.b.c.d). False: it has none. Any
 * thread. */
enum { IO_HOST_BYTES = 16 };
LN_API bool io_address_host(const struct io_address *address, unsigned char out[IO_HOST_BYTES]);
/* The text of an address; always NUL-terminated. Any thread. */
LN_API void io_address_print(const struct io_address *address, char out[IO_ADDRESS_TEXT_MAX]);

/* Whether the address is one that everybody can reach: not of this machine or of a private network,
 * not for groups, examples or a protocol's own use, whichever way it is written (IPv4 within IPv6).
 * Whoever connects to where a stranger says asks this first. Any thread. RFC 6890. */
LN_API bool io_address_is_public(const struct io_address *address);

/* The addresses of a host, a name or a numeric address without brackets, each with the port, in the
 * order in which to try them. 0 with *out_count from 1 to IO_RESOLVE_MAX; -ENOENT: there is no such
 * host; -EAGAIN: nobody who knows answered; or another negative errno. Blocks, for many seconds
 * sometimes: for worker threads, that may be left alone with it (ln_work_for). Any thread. */
enum { IO_RESOLVE_MAX = 8 };
LN_API LN_MUST_CHECK int io_resolve(struct io_driver *driver, const char *host, uint16_t port,
                                    struct io_address out[IO_RESOLVE_MAX], unsigned *out_count);

/* A listening socket, at once. *out_bound (may be NULL) is where it really listens. A unix path is
 * replaced when no one listens there (else -EADDRINUSE) and gets permissions 0600. 0 or a negative
 * errno. */
LN_API LN_MUST_CHECK int io_listen(struct io *io, const struct io_address *address, int backlog,
                                   io_socket *out, struct io_address *out_bound);
/* Multishot: each result is a new connected socket, owned by whoever gets it, or a negative errno
 * (-EMFILE, ...). */
LN_API void io_accept(struct io *io, struct io_op *op, io_socket listener);
/* The result is a connected socket or a negative errno. `address` must stay until done. */
LN_API void io_connect(struct io *io, struct io_op *op, const struct io_address *address);
/* The peer's address of a connected socket, at once. 0 or a negative errno; -EOPNOTSUPP: it is
 * settled. */
LN_API LN_MUST_CHECK int io_peer(struct io *io, io_socket socket, struct io_address *out);

/* Multishot, edge-triggered: a result >= 0 each time bytes (or the end, or an error) may have
 * arrived since; a receive then tells which. The end may arrive with the last bytes, as no event of
 * its own: then the result has a bit of IO_POLL_ENDING, and whoever drained the bytes receives once
 * more. An idle socket holds no buffer. */
enum { IO_POLL_ENDING = 0x2018 /* POLLRDHUP, POLLHUP, POLLERR */ };
LN_API void io_poll(struct io *io, struct io_op *op, io_socket socket);
/* One receive into a buffer of the loop's pool. The result is the number of bytes at
 * io_received(io, op) (0: the peer ended its side), -EAGAIN when there is nothing, -ENOBUFS when
 * the pool is empty for now, or another negative errno. A result > 0 holds the buffer until
 * io_release. IO_RECEIVE_BYTES at most; fewer than that means: drained. */
LN_API void io_receive(struct io *io, struct io_op *op, io_socket socket);
enum { IO_RECEIVE_BYTES = 4096 };
/* The bytes of a receive, in the buffer that the operation holds until io_release. */
LN_API const unsigned char *io_received(struct io *io, const struct io_op *op);
/* Gives the buffer back. Before the turn ends, wherever possible. No-op when none is held. */
LN_API void io_release(struct io *io, struct io_op *op);
/* How many receives that begin now find a buffer. */
LN_API uint32_t io_receive_room(struct io *io);
/* Gives the kernel back the memory of receive buffers that nobody has needed since the last call,
 * some of it if that is much. To be called about once a second. */
LN_API void io_trim(struct io *io);
/* One gathered send. The result is the number of bytes taken (may be fewer than all) or a negative
 * errno. The iovec array and the bytes stay untouched until done. One at a time on a socket: two
 * are not ordered. No SIGPIPE. IO_SEND_PIECES_MAX pieces at most. */
LN_API void io_send(struct io *io, struct io_op *op, io_socket socket, const struct iovec *pieces,
                    unsigned count);
enum { IO_SEND_PIECES_MAX = 64 };
/* Ends our side of a connected socket (FIN), at once: when the sends before it are done. */
LN_API void io_shutdown(struct io *io, io_socket socket);
/* Closes it. Operations still active on it must have been cancelled and done first. `abort`: with a
 * reset. */
LN_API void io_close(struct io *io, io_socket socket, bool abort);

/* Moves a connected socket, on which no operation is active, to where it takes none of the
 * process's descriptors. It stays on this loop to its end: *out is its handle from now on, which
 * this loop alone knows, and `socket` is gone. -EOPNOTSUPP where there is no such place (Linux
 * before 6.14, IO_LEVEL_6_1), or another negative errno: nothing has changed then, and it is
 * counted. */
LN_API LN_MUST_CHECK int io_settle(struct io *io, io_socket socket, io_socket *out);
/* How many sockets may be settled on all loops of a driver; 0: none. They cost a descriptor for so
 * many together as *out_each says, on each loop. Any thread. */
LN_API uint64_t io_settled_max(const struct io_driver *driver, uint32_t *out_each);

/* Asks an active operation to end early: its done follows as ever, exactly once more for the last
 * time, with -ECANCELED or with what it had reached by then. No-op on an inactive op. */
LN_API void io_cancel(struct io *io, struct io_op *op);

/* ---------------------------------------------------------------------------------------- files */
/* The calls that take no op block: they are for start-up and for worker threads. Any thread. */

enum io_open_flags {
    IO_OPEN_READ = 1,
    IO_OPEN_WRITE = 2,
    IO_OPEN_CREATE = 4,    /* mode 0600; the directory entry is durable after io_sync_directory */
    IO_OPEN_EXCLUSIVE = 8, /* with CREATE: -EEXIST when it exists */
    /* Past the page cache, where the file system can (O_DIRECT): appends need no kernel thread
     * then, and leave no copy behind. Memory, lengths and offsets of all that is read and written
     * are multiples of IO_DIRECT_BYTES, whether it can or not. */
    IO_OPEN_DIRECT = 16,
};

enum { IO_DIRECT_BYTES = 512 };

/* Opens `path` with io_open_flags. 0 with *out the caller's to close, or a negative errno. */
LN_API LN_MUST_CHECK int io_file_open(struct io_driver *driver, const char *path, int flags,
                                      io_file *out);
/* Closes a file on which no operation is active; it ends a lock on it. */
LN_API void io_file_close(struct io_driver *driver, io_file file);
/* Bytes read, fewer than asked only at the file's end; or a negative errno. */
LN_API LN_MUST_CHECK ssize_t io_file_read(struct io_driver *driver, io_file file, void *out,
                                          size_t bytes, uint64_t offset);
/* Writes all: 0 or a negative errno. */
LN_API LN_MUST_CHECK int io_file_write(struct io_driver *driver, io_file file, const void *in,
                                       size_t bytes, uint64_t offset);
/* Makes all that was written to the file durable (fdatasync). 0 or a negative errno, after which
 * nothing is known of what was not yet durable. */
LN_API LN_MUST_CHECK int io_file_sync(struct io_driver *driver, io_file file);
/* The file's length in bytes. 0 or a negative errno. */
LN_API LN_MUST_CHECK int io_file_size(struct io_driver *driver, io_file file, uint64_t *out_bytes);
/* Cuts or extends the file to `bytes`; what is new reads as zeros. 0 or a negative errno. */
LN_API LN_MUST_CHECK int io_file_truncate(struct io_driver *driver, io_file file, uint64_t bytes);
/* Reserves space so that later writes inside it need no metadata and cannot meet -ENOSPC
 * (fallocate, zeros). */
LN_API LN_MUST_CHECK int io_file_allocate(struct io_driver *driver, io_file file, uint64_t bytes);
/* Takes an exclusive advisory lock for the life of the process: 0, or -EWOULDBLOCK when another
 * process holds it. */
LN_API LN_MUST_CHECK int io_file_lock(struct io_driver *driver, io_file file);
/* Gives a file another name, in place of what has it; durable after io_sync_directory. 0 or a
 * negative errno. */
LN_API LN_MUST_CHECK int io_rename(struct io_driver *driver, const char *from, const char *to);
/* Removes a file; durable after io_sync_directory. 0 or a negative errno. */
LN_API LN_MUST_CHECK int io_remove(struct io_driver *driver, const char *path);
/* Makes a directory with mode 0700. 0, also when it exists, or a negative errno. */
LN_API LN_MUST_CHECK int io_make_directory(struct io_driver *driver, const char *path);
/* Makes creations, renames and removals in `path` durable. */
LN_API LN_MUST_CHECK int io_sync_directory(struct io_driver *driver, const char *path);
/* Calls `each` with every name in `path`, sorted, without . and ..; stops at its first non-zero
 * value and returns it. */
LN_API LN_MUST_CHECK int io_list_directory(struct io_driver *driver, const char *path,
                                           int (*each)(void *context, const char *name),
                                           void *context);
/* How many bytes are free on the file system of `path` for this process. 0 or a negative errno. */
LN_API LN_MUST_CHECK int io_free_bytes(struct io_driver *driver, const char *path,
                                       uint64_t *out_bytes);

/* Appends durably through the ring: writes all of it at `offset`, then syncs the data (fdatasync).
 * The result is 0 or a negative errno. The iovec array and the bytes stay untouched until done.
 * IO_SEND_PIECES_MAX pieces at most. */
LN_API void io_write_sync(struct io *io, struct io_op *op, io_file file, const struct iovec *pieces,
                          unsigned count, uint64_t offset);

/* ------------------------------------------------------------------------------- worker threads */

enum io_priority {
    IO_WORK_NORMAL, /* somebody waits for it: reads, password hashes */
    IO_WORK_LOW,    /* nobody waits: folds; a thread at low priority, helped when they pile up */
    IO_WORK_LONG,   /* seconds: a file is filled; a thread of its own, one after the other */
    IO_WORK_PRIORITIES,
};

/* `run` is called on a worker thread (under sim: on the one thread, at a later instant), then
 * `done` on the loop that started it. The owner keeps the struct until done. Queues are not bounded
 * here: whoever starts work bounds it. */
struct io_work {
    void (*run)(struct io_work *work);
    void (*done)(struct io_work *work);
    struct io *io;
    /* When it began and was through, as io_now_ns; for `done`, and the driver's before. */
    uint64_t begun_at_ns, through_at_ns;
    /* The driver's: */
    struct io_work *next, **previous; /* in a queue; previous NULL: in none, it has begun */
    uint8_t priority;
};

/* Hands `work` to a worker thread. Never fails: a queue has no limit of its own. */
LN_API void io_work_start(struct io *io, struct io_work *work, enum io_priority priority);
/* Takes back work that was started and whose `done` has not been called. True: it had not begun,
 * neither run nor done will be called, and it is its owner's again. False: it runs or is through,
 * and its done follows. */
LN_API LN_MUST_CHECK bool io_work_withdraw(struct io *io, struct io_work *work);

/* ----------------------------------------------------------------------------------- statistics */

struct io_stats {
    uint64_t enters, submitted, completed, receives, receive_bytes, sends, send_bytes, accepts;
    uint64_t file_syncs, file_bytes, receive_buffers_short, wakes;
    uint64_t settled;        /* sockets, now */
    uint64_t settles_failed; /* they went on as they were */
};

/* A snapshot of the loop's counters. Any thread; each counter is read by itself. */
LN_API void io_stats_read(struct io *io, struct io_stats *out);
/* Whether nothing is to be used that is newer than Linux 6.1. */
LN_API bool io_level_is_6_1(const struct io_driver *driver);
/* "uring 6.18 (level 6.1)", "sim seed 42". Borrowed, lives as long as the driver. */
LN_API const char *io_driver_name(const struct io_driver *driver);

/* How much memory the process may use: the machine's, or less where a control group says so. Any
 * thread. */
LN_API uint64_t io_memory_bytes(const struct io_driver *driver);

LN_END
