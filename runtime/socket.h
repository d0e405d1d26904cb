/* SPDX-License-Identifier: Apache-2.0 */
/* socket.h - sockets that belong to an actor and speak to it in messages.
 *
 * A listener's owner gets LN_TAG_ACCEPT for each connection, with a descriptor to hand to the actor
 * that will serve it; that one attaches it. Bytes arrive as LN_TAG_DATA with `data` in the
 * scheduler's receive buffer: read or copied before the handler returns or detaches, then it goes
 * back, so an idle connection holds no buffer. What is sent in a scheduling round leaves in one
 * gathered send when the round ends. A socket ends with its owner.
 *
 * Called from inside the actor that owns the socket; listening, attaching and connecting make the
 * caller its owner. What does not say that it yields does not.
 *
 *     case LN_TAG_ACCEPT: spawn a connection with ev->descriptor as argument
 *     case LN_TAG_DATA:   ln_socket_send(ev->socket, ev->data, ev->bytes);
 *     case LN_TAG_CLOSED: ln_stop(LN_EXIT_NORMAL, "peer left");
 */
#pragma once

#include "runtime/io/io.h"
#include "runtime/linnet.h"

LN_BEGIN

struct ln_socket;

struct ln_socket_event {
    struct ln_socket *socket;
    unsigned char *data;  /* LN_TAG_DATA: valid and writable until the message is freed, or the
                             socket closed or detached */
    uint32_t bytes;       /* LN_TAG_DATA */
    int32_t error;        /* LN_TAG_CLOSED: 0 the peer ended its side, else a negative errno,
                             which may follow a 0 when what is sent since can't leave */
    io_socket descriptor; /* LN_TAG_ACCEPT, LN_TAG_CLOSED of a connect that failed: -1 */
};
/* The event of a message with one of the four tags. */
static inline struct ln_socket_event *
ln_socket_event(struct ln_msg *msg)
{
    return (struct ln_socket_event *)(void *)msg->data;
}

/* Listens; *out_bound (may be NULL) is where. 0 or a negative errno. Never yields. */
LN_API LN_MUST_CHECK int ln_socket_listen(const struct io_address *address, struct ln_socket **out,
                                          struct io_address *out_bound);
/* Makes a connected descriptor the caller's; LN_TAG_DATA follows. Takes it. */
LN_API struct ln_socket *ln_socket_attach(io_socket descriptor);
/* The socket stays with its owner to the end: where the driver can it keeps it from now on without
 * a descriptor. Nothing else changes, but that it can't be detached any more. */
LN_API void ln_socket_settle(struct ln_socket *socket);
/* Connects and waits. 0, -ETIMEDOUT, -ECANCELED or the connect's error. Yields. */
LN_API LN_MUST_CHECK int ln_socket_connect(const struct io_address *address, uint64_t timeout_ms,
                                           struct ln_socket **out);
/* Hands the descriptor out, to be attached elsewhere: what was sent has left first, no event of it
 * follows, and bytes not yet delivered stay in the kernel. Takes *socket, but for -EBUSY: an
 * LN_TAG_DATA of it waits in the mailbox (pause before), and -EOPNOTSUPP: it has settled. Yields
 * for LN_SOCKET_LINGER_MS at most, and an end of the caller waits for it, too. 0 or the error that
 * the connection met, -ETIMEDOUT among them, which closes it. */
LN_API LN_MUST_CHECK int ln_socket_detach(struct ln_socket **socket, io_socket *out);

/* Queues a copy of the bytes for this round's send. Never fails here: an error arrives as
 * LN_TAG_CLOSED. */
LN_API void ln_socket_send(struct ln_socket *socket, const void *bytes, size_t count);
/* The same for bytes that may wait for company: they leave behind what was sent before and with
 * what is sent next, or when `ms` have passed. */
LN_API void ln_socket_send_within(struct ln_socket *socket, const void *bytes, size_t count,
                                  uint64_t ms);
/* ln_socket_send for a part of a shared payload, by reference: takes one reference. */
LN_API void ln_socket_send_buffer(struct ln_socket *socket, struct ln_buffer **buffer,
                                  size_t offset, size_t count);
/* Bytes queued and not yet taken by the kernel: what credit is measured by. */
LN_API size_t ln_socket_unsent(const struct ln_socket *socket);
/* One LN_TAG_DRAINED when the unsent bytes have fallen to `low` or less. */
LN_API void ln_socket_notify_drained(struct ln_socket *socket, size_t low);
/* Stops and resumes reading: what a connection does that has too many unanswered commands. */
LN_API void ln_socket_pause(struct ln_socket *socket, bool paused);
/* Ends our side after what is queued has left. */
LN_API void ln_socket_shutdown(struct ln_socket *socket);
/* Closes and nulls: `abort` at once with a reset, else in its own time: what is queued leaves, then
 * our side ends, then the peer's, or a few seconds pass. No event follows. NULL inside is
 * allowed. */
LN_API void ln_socket_close(struct ln_socket **socket, bool abort);
/* The address of the other end. 0 or a negative errno; -EOPNOTSUPP: it has settled. */
LN_API LN_MUST_CHECK int ln_socket_peer(const struct ln_socket *socket, struct io_address *out);

LN_END
