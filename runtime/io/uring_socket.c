/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on sockets.
 *
 * Receiving: a multishot poll tells that something came; the receive it leads to never waits
 * (MSG_DONTWAIT), so it completes within its submission and holds a buffer only from then until its
 * release: an idle connection has none. The buffer is chosen here, from a stack, so that the
 * warmest is used first. A provided-buffer ring, where the kernel chooses, was measured beside it:
 * 64 echoing connections cost 5.5 us of the server's CPU a round trip instead of 5.0, for the ring
 * hands out its buffers in turn, all four megabytes of them, and is more work on both sides.
 *
 * A crowd that comes at once touches them all; then a few do. What lies at the bottom of the stack
 * and was not reached between two trims goes back to the kernel as memory; its address stays.
 *
 * Sockets are not O_NONBLOCK: each entry says itself whether it may wait, and the kernel waits
 * without a thread. */
#include "runtime/io/uring_priv.h"
#include "runtime/io/uring_table.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZE_ADDRESS 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZE_ADDRESS 1
#endif
#if defined(SANITIZE_ADDRESS)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

enum {
    /* Descriptors or memory that ran out come back when somebody closes something: often enough to
     * be quick then, seldom enough to cost nothing until then. */
    ACCEPT_PAUSE_NS = 50 * 1000 * 1000,
    UNIX_MODE = 0600,
    /* Receive buffers that a trim gives back: a system call each, 50 us in all. */
    TRIM_BUFFERS_MAX = 128,
};

/* ------------------------------------------------------------------------ listening */

static int
socket_option(int socket, int level, int option)
{
    int on = 1;
    return setsockopt(socket, level, option, &on, sizeof(on)) < 0 ? -errno : 0;
}

static sa_family_t
address_family(const struct io_address *address)
{
    sa_family_t family;
    memcpy(&family, address->raw, sizeof(family));
    return family;
}

static const struct sockaddr *
address_raw(const struct io_address *address)
{
    return (const struct sockaddr *)(const void *)address->raw;
}

static int
socket_open(sa_family_t family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

/* A node that was killed leaves its socket file behind, and nobody listens there. Two nodes that
 * start at the same instant could both come to that conclusion; they are kept apart by the lock on
 * their data directory. */
static int
unix_path_clear(const struct io_address *address)
{
    struct sockaddr_un un;
    struct stat status;
    memcpy(&un, address->raw, sizeof(un));
    if (lstat(un.sun_path, &status) < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (!S_ISSOCK(status.st_mode)) {
        return -EADDRINUSE; /* somebody's file: not ours to remove */
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0) {
        return -errno;
    }
    int result = connect(probe, address_raw(address), address->bytes) < 0 ? -errno : 0;
    (void)close(probe);
    if (result != -ECONNREFUSED) {
        return -EADDRINUSE; /* accepted, or its backlog is full, or not ours to ask */
    }
    return unlink(un.sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int
listener_prepare(int fd, const struct io_address *address)
{
    int error = 0;
    switch (address_family(address)) {
    case AF_UNIX:
        error = unix_path_clear(address);
        if (error < 0) {
            return error;
        }
        /* Before bind, and on the socket: the file is then never there with other permissions, and
         * unlike umask this concerns no other thread. */
        return fchmod(fd, UNIX_MODE) < 0 ? -errno : 0;
    case AF_INET6:
        /* One listener, one family: what [::] means must not depend on a sysctl. */
        error = socket_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
        break;
    default:
        break;
    }
    if (error == 0) {
        error = socket_option(fd, SOL_SOCKET, SO_REUSEADDR);
    }
    if (error == 0) {
        /* Linux hands it on to what is accepted here, which saves a system call for each
         * connection. */
        error = socket_option(fd, IPPROTO_TCP, TCP_NODELAY);
    }
    return error;
}

static int
listener_bind(int fd, const struct io_address *address, int backlog, struct io_address *out_bound)
{
    struct io_address bound = {.bytes = sizeof(bound.raw)};
    int error = listener_prepare(fd, address);
    if (error < 0) {
        return error;
    }
    if (bind(fd, address_raw(address), address->bytes) < 0 || listen(fd, backlog) < 0) {
        return -errno;
    }
    if (getsockname(fd, (struct sockaddr *)(void *)bound.raw, &bound.bytes) < 0) {
        return -errno;
    }
    if (out_bound != NULL) {
        *out_bound = bound;
    }
    return 0;
}

int
uring_listen(struct io *io, const struct io_address *address, int backlog, io_socket *out,
             struct io_address *out_bound)
{
    (void)io;
    int fd = socket_open(address_family(address));
    if (fd < 0) {
        return fd;
    }
    int error = listener_bind(fd, address, backlog, out_bound);
    if (error < 0) {
        (void)close(fd);
        return error;
    }
    *out = fd;
    return 0;
}

int
uring_peer(struct io *io, io_socket socket, struct io_address *out)
{
    (void)io;
    if (uring_settled(socket)) {
        return -EOPNOTSUPP;
    }
    struct io_address peer = {.bytes = sizeof(peer.raw)};
    if (getpeername(socket, (struct sockaddr *)(void *)peer.raw, &peer.bytes) < 0) {
        return -errno;
    }
    *out = peer;
    return 0;
}

/* ------------------------------------------------------------------------ accept */

static void
accept_arm(struct uring *uring, struct io_op *op)
{
    struct io_uring_sqe *sqe = uring_sqe(&uring->ring, (uint64_t)(uintptr_t)op);
    io_uring_prep_multishot_accept(sqe, (int)op->cookie, NULL, NULL, SOCK_CLOEXEC);
}

void
uring_accept(struct io *io, struct io_op *op, io_socket listener)
{
    uring_op_begin(op, URING_KIND_ACCEPT);
    op->cookie = (uint64_t)listener;
    accept_arm(uring_of(io), op);
}

/* Errors that no later accept on this listener could escape. */
static bool
accept_hopeless(int32_t error)
{
    return error == -EBADF || error == -EINVAL || error == -ENOTSOCK || error == -EOPNOTSUPP ||
           error == -EFAULT;
}

/* Errors of the one connection that was next, which is gone with them: the next accept meets
 * another. All others (a limit on descriptors or memory, a security module's veto) an accept tried
 * at once would meet again. */
static bool
accept_passing(int32_t error)
{
    return error == -ECONNABORTED || error == -EPROTO || error == -ENETDOWN ||
           error == -ENETUNREACH || error == -EHOSTDOWN || error == -EHOSTUNREACH ||
           error == -ENONET || error == -ENOPROTOOPT || error == -EINTR;
}

static void
accept_pause(struct uring *uring, struct io_op *op)
{
    op->kind |= URING_OP_PAUSED;
    if (uring->paused.head == NULL) {
        uring->paused_until_ns = uring_clock_ns() + ACCEPT_PAUSE_NS;
    }
    op_list_push(&uring->paused, op);
}

void
uring_accept_resume(struct uring *uring)
{
    if (uring->paused_until_ns == IO_NEVER || uring_clock_ns() < uring->paused_until_ns) {
        return;
    }
    uring->paused_until_ns = IO_NEVER;
    for (struct io_op *op; (op = op_list_pop(&uring->paused)) != NULL;) {
        op->kind &= (uint16_t)~URING_OP_PAUSED;
        accept_arm(uring, op);
    }
}

static void
accept_cancelled(struct io_op *op, int32_t result, bool more)
{
    if (!more) {
        uring_op_end(op, result);
    } else if (result >= 0) {
        /* Accepted between the cancel and its effect. The owner expects one more call, not two. */
        (void)close(result);
    }
}

void
uring_accept_complete(struct uring *uring, struct io_op *op, int32_t result, bool more)
{
    uring_count(&uring->counters.accepts, result >= 0 ? 1 : 0);
    if ((op->kind & URING_OP_CANCELLED) != 0) {
        accept_cancelled(op, result, more);
        return;
    }
    if (!more && accept_hopeless(result)) {
        uring_op_end(op, result);
        return;
    }
    /* Armed before done is called: if that cancels, the cancel finds it. */
    if (!more && (result >= 0 || accept_passing(result))) {
        accept_arm(uring, op);
    } else if (!more) {
        accept_pause(uring, op);
    }
    uring_op_report(op, result);
}

/* ------------------------------------------------------------------------ connect */

void
uring_connect(struct io *io, struct io_op *op, const struct io_address *address)
{
    struct uring *uring = uring_of(io);
    uring_op_begin(op, URING_KIND_CONNECT);
    sa_family_t family = address_family(address);
    int fd = socket_open(family);
    if (fd < 0) {
        uring_op_end_later(uring, op, fd);
        return;
    }
    int error = family == AF_UNIX ? 0 : socket_option(fd, IPPROTO_TCP, TCP_NODELAY);
    if (error < 0) {
        (void)close(fd);
        uring_op_end_later(uring, op, error);
        return;
    }
    op->cookie = (uint64_t)fd;
    struct io_uring_sqe *sqe = uring_sqe(&uring->ring, (uint64_t)(uintptr_t)op);
    io_uring_prep_connect(sqe, fd, address_raw(address), address->bytes);
}

void
uring_connect_complete(struct io_op *op, int32_t result)
{
    int fd = (int)op->cookie;
    if (result < 0) {
        (void)close(fd);
    }
    uring_op_end(op, result < 0 ? result : fd);
}

/* ------------------------------------------------------------------------ poll */

static void
poll_arm(struct uring *uring, struct io_op *op)
{
    /* POLLIN comes with the end and with errors too, so that one receive tells them apart;
     * POLLRDHUP says when an end came with bytes. */
    struct uring_place place = uring_place(uring, (io_socket)op->cookie);
    struct io_uring_sqe *sqe = uring_sqe(place.ring, (uint64_t)(uintptr_t)op);
    io_uring_prep_poll_multishot(sqe, place.fd, POLLIN | POLLRDHUP);
    sqe->flags |= place.entry_flags;
}

void
uring_poll(struct io *io, struct io_op *op, io_socket socket)
{
    uring_op_begin(op, URING_KIND_POLL);
    op->cookie = (uint64_t)socket;
    poll_arm(uring_of(io), op);
}

void
uring_poll_complete(struct uring *uring, struct io_op *op, int32_t result, bool more)
{
    if ((op->kind & URING_OP_CANCELLED) != 0) {
        if (!more) {
            uring_op_end(op, result);
        }
        return;
    }
    if (!more && result < 0) {
        uring_op_end(op, result);
        return;
    }
    if (!more) {
        op->kind |= URING_OP_PAUSED;
        op_list_push(&uring_place(uring, (io_socket)op->cookie).ring->dropped, op);
    }
    uring_op_report(op, result);
}

/* The kernel drops a multishot poll when its completion finds no room in the ring. Armed anew it
 * reports at once what is there; were that done while there still is no room, it would be dropped
 * again, and a crowd of polls whose owners don't receive just now would chase each other round the
 * ring for ever. So first the ring empties. */
void
uring_poll_resume(struct uring *uring, struct uring_ring *ring)
{
    if (ring->dropped.head == NULL || uring_overflown(ring) || uring_ready(ring) > 0) {
        return;
    }
    struct io_op *op;
    for (unsigned room = ring->queues.sq.ring_entries; room > 0; room--) {
        if ((op = op_list_pop(&ring->dropped)) == NULL) {
            return;
        }
        op->kind &= (uint16_t)~URING_OP_PAUSED;
        poll_arm(uring, op);
    }
}

/* ------------------------------------------------------------------------ receive */

int
uring_buffers_open(struct uring *uring, unsigned count)
{
    size_t bytes = (size_t)count * IO_RECEIVE_BYTES;
    uring->buffers_free = calloc(count, sizeof(*uring->buffers_free));
    if (uring->buffers_free == NULL) {
        return -ENOMEM;
    }
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        free(uring->buffers_free);
        uring->buffers_free = NULL;
        return -ENOMEM;
    }
    uring->buffers = memory;
    uring->buffers_count = count;
    uring->buffers_free_count = count;
    uring->buffers_free_least = count;
    uring->buffers_cold = count;
    for (unsigned i = 0; i < count; i++) {
        uring->buffers_free[i] = count - 1 - i; /* the first ones on top */
    }
    ASAN_POISON_MEMORY_REGION(memory, bytes);
    return 0;
}

void
uring_buffers_close(struct uring *uring)
{
    if (uring->buffers != NULL) {
        ASAN_UNPOISON_MEMORY_REGION(uring->buffers,
                                    (size_t)uring->buffers_count * IO_RECEIVE_BYTES);
        (void)munmap(uring->buffers, (size_t)uring->buffers_count * IO_RECEIVE_BYTES);
    }
    free(uring->buffers_free);
    uring->buffers = NULL;
    uring->buffers_free = NULL;
}

static unsigned char *
buffer_at(const struct uring *uring, uint32_t buffer)
{
    ASSERT(buffer < uring->buffers_count);
    return uring->buffers + (size_t)buffer * IO_RECEIVE_BYTES;
}

static void
buffer_put(struct uring *uring, struct io_op *op)
{
    ASSERT(uring->buffers_free_count < uring->buffers_count);
    ASAN_POISON_MEMORY_REGION(buffer_at(uring, op->buffer), IO_RECEIVE_BYTES);
    uring->buffers_free[uring->buffers_free_count++] = op->buffer;
    op->buffer = IO_BUFFER_NONE;
}

void
uring_receive(struct io *io, struct io_op *op, io_socket socket)
{
    struct uring *uring = uring_of(io);
    uring_op_begin(op, URING_KIND_RECEIVE);
    if (uring->buffers_free_count == 0) {
        uring_count(&uring->counters.receive_buffers_short, 1);
        uring_op_end_later(uring, op, -ENOBUFS);
        return;
    }
    op->buffer = uring->buffers_free[--uring->buffers_free_count];
    if (uring->buffers_free_count < uring->buffers_free_least) {
        uring->buffers_free_least = uring->buffers_free_count;
    }
    op->cookie = (uint64_t)socket;
    struct uring_place place = uring_place(uring, socket);
    struct io_uring_sqe *sqe = uring_sqe(place.ring, (uint64_t)(uintptr_t)op);
    io_uring_prep_recv(sqe, place.fd, buffer_at(uring, op->buffer), IO_RECEIVE_BYTES, MSG_DONTWAIT);
    sqe->flags |= place.entry_flags;
}

void
uring_receive_complete(struct uring *uring, struct io_op *op, int32_t result)
{
    uring_count(&uring->counters.receives, 1);
    if (result > 0) {
        ASSERT(result <= IO_RECEIVE_BYTES);
        ASAN_UNPOISON_MEMORY_REGION(buffer_at(uring, op->buffer), (size_t)result);
        uring_count(&uring->counters.receive_bytes, (uint64_t)result);
    } else {
        buffer_put(uring, op);
    }
    uring_op_end(op, result);
}

/* True when `op` is a receive that has a buffer: an op that was never started, or for something
 * else, has none. */
static bool
buffer_held(const struct io_op *op)
{
    return op->kind == URING_KIND_RECEIVE && op->buffer != IO_BUFFER_NONE;
}

const unsigned char *
uring_received(struct io *io, const struct io_op *op)
{
    ASSERT(buffer_held(op));
    return buffer_at(uring_of(io), op->buffer);
}

void
uring_release(struct io *io, struct io_op *op)
{
    if (buffer_held(op)) {
        buffer_put(uring_of(io), op);
    }
}

uint32_t
uring_receive_room(struct io *io)
{
    return uring_of(io)->buffers_free_count;
}

void
uring_trim(struct io *io)
{
    struct uring *uring = uring_of(io);
    unsigned least = uring->buffers_free_least;
    unsigned cold = uring->buffers_cold < least ? uring->buffers_cold : least;
    unsigned end = least - cold > TRIM_BUFFERS_MAX ? cold + TRIM_BUFFERS_MAX : least;
    for (; cold < end; cold++) {
        /* A failure leaves the page as it is. */
        (void)madvise(buffer_at(uring, uring->buffers_free[cold]), IO_RECEIVE_BYTES, MADV_DONTNEED);
    }
    uring->buffers_cold = cold;
    uring->buffers_free_least = uring->buffers_free_count;
}

/* ------------------------------------------------------------------------ send, shutdown, close */

void
uring_send(struct io *io, struct io_op *op, io_socket socket, const struct iovec *pieces,
           unsigned count)
{
    struct uring *uring = uring_of(io);
    uring_op_begin(op, URING_KIND_SEND);
    op->cookie = (uint64_t)socket;
    struct uring_place place = uring_place(uring, socket);
    struct io_uring_sqe *sqe = uring_sqe(place.ring, (uint64_t)(uintptr_t)op);
    if (count == 1) {
        io_uring_prep_send(sqe, place.fd, pieces->iov_base, pieces->iov_len, MSG_NOSIGNAL);
    } else {
        struct msghdr *header = uring_header(place.ring, sqe);
        header->msg_iov = (struct iovec *)(uintptr_t)pieces; /* the kernel only reads it */
        header->msg_iovlen = count;
        io_uring_prep_sendmsg(sqe, place.fd, header, MSG_NOSIGNAL);
    }
    sqe->flags |= place.entry_flags;
}

void
uring_send_complete(struct uring *uring, struct io_op *op, int32_t result)
{
    uring_count(&uring->counters.sends, 1);
    uring_count(&uring->counters.send_bytes, result > 0 ? (uint64_t)result : 0);
    uring_op_end(op, result);
}

void
uring_shutdown(struct io *io, io_socket socket)
{
    if (uring_settled(socket)) {
        uring_settled_shutdown(uring_of(io), socket);
        return;
    }
    /* Through the ring it would go to a kernel thread. ENOTCONN: the peer was faster. */
    (void)shutdown(socket, SHUT_WR);
}

void
uring_close(struct io *io, io_socket socket, bool abort)
{
    if (uring_settled(socket)) {
        uring_settled_close(uring_of(io), socket, abort);
        return;
    }
    if (abort) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    /* Not through the ring: then its address would be free only after the turn, and the call saved
     * is a tenth of what closing a connection costs. Whatever close reports, the number is free;
     * only one not open is a bug of ours. */
    int result = close(socket);
    ASSERT(result == 0 || errno != EBADF);
}
