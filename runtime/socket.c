/* SPDX-License-Identifier: Apache-2.0 */
/* A socket's three operations and when each runs:
 *
 *     poll      always, from attach to close (of a listener: accept)
 *     receive   when poll said "readable", the owner has taken the last bytes, and it is not paused
 *     send      when bytes are queued and the round ends; the next follows while bytes are left
 *
 * One LN_TAG_DATA is out at a time (`event`): its buffer goes back when the handler is through with
 * it. Closing is in three steps: no more events (close), the queue leaves or the linger time passes
 * (flush), operations end (settle); only then the descriptor is closed and the struct freed. */
#include "runtime/socket.h"

#include "runtime/bounds.h"
#include "runtime/socket_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_BYTES = 1024 - 48, /* a chunk of copied bytes with its header fills a block of 1 KiB */
    BACKLOG = 4096,
};

/* A piece of what is to be sent: copied bytes, or a part of a shared payload. */
struct chunk {
    struct chunk *next;
    struct ln_buffer *buffer; /* NULL: the bytes follow */
    const unsigned char *start;
    uint32_t bytes;
    uint32_t room; /* bytes that fit behind; 0 for a shared payload */
    uint64_t block_bytes;
    unsigned char data[];
};

struct ln_socket {
    struct ln_resource own; /* the owner's; previous == NULL: it has none any more */
    struct io_op poll;
    struct io_op receive;
    struct io_op send;
    struct scheduler *scheduler;
    struct ln_socket *next_unsent, *next_starved;
    struct ln_socket *next, **previous; /* all of a scheduler's that are closing */
    ln_pid owner;
    struct chunk *head, *tail;
    struct iovec *pieces; /* of the send under way */
    struct ln_msg *event; /* the LN_TAG_DATA that is out */
    struct wait *detached;
    struct timer linger;
    size_t unsent;
    size_t low;
    io_socket descriptor;
    int error;
    uint32_t pieces_count;
    bool listening, readable, paused, ended, told, notify, in_unsent, in_starved;
    bool shutdown_asked, closing, aborting;
};

static void socket_settle(struct ln_socket *socket);
static void receive_start(struct ln_socket *socket);

/* The socket of a completed operation. */
static struct ln_socket *
socket_of(struct io_op *op, size_t offset)
{
    struct ln_socket *socket = (struct ln_socket *)(void *)((char *)op - offset);
    scheduler_enter(socket->scheduler);
    return socket;
}

/* --------------------------------------------------------------------------------------- events */

static struct ln_msg *
event_send(struct ln_socket *socket, uint32_t tag, struct ln_socket_event event)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_REPLY, sizeof event);
    struct ln_msg *sent = msg;
    *ln_socket_event(msg) = event;
    message_deliver(socket->scheduler, socket->owner, &msg);
    return sent;
}

static void
tell_closed(struct ln_socket *socket, int error)
{
    socket->ended = true;
    if (socket->told || socket->closing) {
        return;
    }
    socket->told = true;
    (void)event_send(socket, LN_TAG_CLOSED,
                     (struct ln_socket_event){.socket = socket, .error = error, .descriptor = -1});
}

void
socket_consumed(struct ln_msg *msg)
{
    struct ln_socket *socket = ln_socket_event(msg)->socket;
    if (socket == NULL) {
        return;
    }
    ASSERT(socket->event == msg);
    socket->event = NULL;
    io_release(socket->scheduler->io, &socket->receive);
    receive_start(socket);
}

/* An event that nobody will handle: the owner has ended. */
void
socket_event_discard(struct ln_msg *msg)
{
    struct ln_socket_event *event = ln_socket_event(msg);
    if (msg->tag == LN_TAG_ACCEPT) {
        io_close(scheduler_current()->io, event->descriptor, true);
    } else if (msg->tag == LN_TAG_DATA && event->socket != NULL) {
        event->socket->event = NULL;
        io_release(event->socket->scheduler->io, &event->socket->receive);
        event->socket = NULL;
    }
}

static void
event_forget(struct ln_socket *socket)
{
    if (socket->event != NULL) {
        ln_socket_event(socket->event)->socket = NULL;
        ln_socket_event(socket->event)->bytes = 0;
        socket->event = NULL;
        io_release(socket->scheduler->io, &socket->receive);
    }
}

/* ------------------------------------------------------------------------------------ receiving */

static void
starve(struct ln_socket *socket)
{
    if (!socket->in_starved) {
        socket->in_starved = true;
        socket->next_starved = socket->scheduler->starved;
        socket->scheduler->starved = socket;
    }
}

static void
receive_done(struct io_op *op, int32_t result)
{
    struct ln_socket *socket = socket_of(op, offsetof(struct ln_socket, receive));
    struct io *io = socket->scheduler->io;
    if (socket->closing || socket->detached != NULL) {
        io_release(io, op);
        socket_settle(socket);
    } else if (result > 0) {
        socket->readable = socket->readable || result == IO_RECEIVE_BYTES;
        unsigned char *data =
            (unsigned char *)(uintptr_t)io_received(io, op); // NOLINT(performance-no-int-to-ptr)
        struct ln_socket_event event = {
            .socket = socket, .data = data, .bytes = (uint32_t)result, .descriptor = -1};
        struct ln_msg *msg = ln_msg_new(LN_TAG_DATA, LN_REPLY, sizeof event);
        *ln_socket_event(msg) = event;
        socket->event =
            msg; /* before it is delivered: an owner that has ended gives it up at once */
        message_deliver(socket->scheduler, socket->owner, &msg);
    } else if (result == -ENOBUFS) {
        socket->readable = true;
        starve(socket);
    } else if (result != -EAGAIN) {
        tell_closed(socket, result);
    } else {
        receive_start(socket); /* if the poll has fired meanwhile */
    }
}

static void
receive_start(struct ln_socket *socket)
{
    if (!socket->readable || socket->receive.active || socket->event != NULL || socket->paused ||
        socket->ended || socket->closing || socket->detached != NULL) {
        return;
    }
    socket->readable = false;
    io_receive(socket->scheduler->io, &socket->receive, socket->descriptor);
}

static void
poll_done(struct io_op *op, int32_t result)
{
    struct ln_socket *socket = socket_of(op, offsetof(struct ln_socket, poll));
    if (socket->closing || socket->detached != NULL) {
        socket_settle(socket);
    } else if (result < 0) {
        tell_closed(socket, result);
    } else {
        socket->readable = true;
        receive_start(socket);
    }
}

static void
accept_done(struct io_op *op, int32_t result)
{
    struct ln_socket *socket = socket_of(op, offsetof(struct ln_socket, poll));
    if (result >= 0) {
        struct ln_socket_event event = {.socket = socket, .descriptor = result};
        if (socket->closing) {
            io_close(socket->scheduler->io, result, true);
        } else {
            (void)event_send(socket, LN_TAG_ACCEPT, event);
        }
    } else if (!op->more && !socket->closing) {
        tell_closed(socket, result);
    }
    if (socket->closing) {
        socket_settle(socket);
    }
}

/* -------------------------------------------------------------------------------------- sending */

static void
chunk_free(struct scheduler *self, struct chunk *chunk)
{
    ln_buffer_put(&chunk->buffer);
    slab_free(&self->slab, chunk, chunk->block_bytes);
}

static void
chunks_drop(struct ln_socket *socket)
{
    while (socket->head != NULL) {
        struct chunk *chunk = socket->head;
        socket->head = chunk->next;
        chunk_free(socket->scheduler, chunk);
    }
    socket->tail = NULL;
    socket->unsent = 0;
}

static void
chunks_advance(struct ln_socket *socket, size_t sent)
{
    ASSERT(sent <= socket->unsent);
    socket->unsent -= sent;
    while (sent > 0) {
        struct chunk *chunk = socket->head;
        if (sent < chunk->bytes) {
            chunk->start += sent;
            chunk->bytes -= (uint32_t)sent;
            return;
        }
        sent -= chunk->bytes;
        socket->head = chunk->next;
        if (socket->head == NULL) {
            socket->tail = NULL;
        }
        chunk_free(socket->scheduler, chunk);
    }
}

static void
pieces_free(struct ln_socket *socket)
{
    slab_free(&socket->scheduler->slab, socket->pieces,
              socket->pieces_count * sizeof *socket->pieces);
    socket->pieces = NULL;
}

static void
send_start(struct ln_socket *socket)
{
    if (socket->send.active || socket->head == NULL || socket->aborting) {
        return;
    }
    unsigned count = 0;
    for (const struct chunk *chunk = socket->head; chunk != NULL && count < IO_SEND_PIECES_MAX;
         chunk = chunk->next) {
        count++;
    }
    socket->pieces_count = count;
    socket->pieces = slab_alloc(&socket->scheduler->slab, count * sizeof *socket->pieces);
    struct chunk *chunk = socket->head;
    for (unsigned i = 0; i < count; i++, chunk = chunk->next) {
        chunk->room = 0; /* the kernel reads it: nothing is added behind any more */
        socket->pieces[i].iov_base =
            (void *)(uintptr_t)chunk->start; // NOLINT(performance-no-int-to-ptr)
        socket->pieces[i].iov_len = chunk->bytes;
    }
    io_send(socket->scheduler->io, &socket->send, socket->descriptor, socket->pieces, count);
}

static void
after_drain(struct ln_socket *socket)
{
    if (socket->notify && socket->unsent <= socket->low && !socket->closing) {
        socket->notify = false;
        (void)event_send(socket, LN_TAG_DRAINED,
                         (struct ln_socket_event){.socket = socket, .descriptor = -1});
    }
    if (socket->unsent == 0 && socket->shutdown_asked && !socket->aborting) {
        socket->shutdown_asked = false;
        io_shutdown(socket->scheduler->io, socket->descriptor);
    }
    if (socket->closing || socket->detached != NULL) {
        socket_settle(socket);
    }
}

static void
send_done(struct io_op *op, int32_t result)
{
    struct ln_socket *socket = socket_of(op, offsetof(struct ln_socket, send));
    pieces_free(socket);
    if (result < 0) {
        socket->error = result;
        chunks_drop(socket);
        tell_closed(socket, result);
    } else {
        chunks_advance(socket, (size_t)result);
        send_start(socket);
    }
    after_drain(socket);
}

static void
unsent_add(struct ln_socket *socket)
{
    if (!socket->in_unsent) {
        socket->in_unsent = true;
        socket->next_unsent = socket->scheduler->unsent;
        socket->scheduler->unsent = socket;
    }
}

static void
chunk_append(struct ln_socket *socket, struct chunk *chunk)
{
    if (socket->tail == NULL) {
        socket->head = chunk;
    } else {
        socket->tail->next = chunk;
    }
    socket->tail = chunk;
}

static struct chunk *
chunk_new(struct scheduler *self, size_t room)
{
    struct chunk *chunk = slab_alloc(&self->slab, sizeof *chunk + room);
    *chunk = (struct chunk){.room = (uint32_t)room, .block_bytes = sizeof *chunk + room};
    chunk->start = chunk->data;
    return chunk;
}

void
ln_socket_send(struct ln_socket *socket, const void *bytes, size_t count)
{
    const unsigned char *from = bytes;
    if (socket->error != 0 || socket->closing) {
        return; /* LN_TAG_CLOSED has told, or will */
    }
    socket->unsent += count;
    while (count > 0) {
        struct chunk *chunk = socket->tail;
        if (chunk == NULL || chunk->room == 0) {
            chunk = chunk_new(socket->scheduler, CHUNK_BYTES);
            chunk_append(socket, chunk);
        }
        size_t part = count < chunk->room ? count : chunk->room;
        memcpy((unsigned char *)chunk->data + (chunk->start - chunk->data) + chunk->bytes, from,
               part);
        chunk->bytes += (uint32_t)part;
        chunk->room -= (uint32_t)part;
        from += part;
        count -= part;
    }
    unsent_add(socket);
}

void
ln_socket_send_buffer(struct ln_socket *socket, struct ln_buffer **buffer, size_t offset,
                      size_t count)
{
    ASSERT(offset <= ln_buffer_bytes(*buffer) && count <= ln_buffer_bytes(*buffer) - offset);
    if (socket->error != 0 || socket->closing || count == 0) {
        ln_buffer_put(buffer);
        return;
    }
    struct chunk *chunk = chunk_new(socket->scheduler, 0);
    chunk->buffer = *buffer;
    *buffer = NULL;
    chunk->start = (const unsigned char *)ln_buffer_data(chunk->buffer) + offset;
    chunk->bytes = (uint32_t)count;
    chunk_append(socket, chunk);
    socket->unsent += count;
    unsent_add(socket);
}

void
sockets_flush(struct scheduler *self)
{
    while (self->unsent != NULL) {
        struct ln_socket *socket = self->unsent;
        self->unsent = socket->next_unsent;
        socket->in_unsent = false;
        send_start(socket);
        after_drain(socket);
    }
    struct ln_socket *starved = self->starved;
    self->starved = NULL;
    while (starved != NULL) {
        struct ln_socket *socket = starved;
        starved = socket->next_starved;
        socket->in_starved = false;
        if (socket->closing || socket->detached != NULL) {
            socket_settle(socket);
        } else {
            receive_start(socket);
        }
    }
}

/* ----------------------------------------------------------------------------------------- life */

static struct ln_socket *
socket_new(struct scheduler *self, io_socket descriptor)
{
    struct ln_socket *socket = slab_alloc(&self->slab, sizeof *socket);
    memset(socket, 0, sizeof *socket);
    socket->scheduler = self;
    socket->descriptor = descriptor;
    socket->owner = actor_current()->pid;
    socket->poll = (struct io_op){.done = poll_done, .buffer = IO_BUFFER_NONE};
    socket->receive = (struct io_op){.done = receive_done, .buffer = IO_BUFFER_NONE};
    socket->send = (struct io_op){.done = send_done, .buffer = IO_BUFFER_NONE};
    self->sockets_count++;
    return socket;
}

static void
socket_free(struct ln_socket *socket)
{
    struct scheduler *self = socket->scheduler;
    ASSERT(!socket->poll.active && !socket->receive.active && !socket->send.active);
    ASSERT(socket->event == NULL && socket->own.previous == NULL);
    chunks_drop(socket);
    timer_cancel(&self->timers, &socket->linger);
    if (socket->previous != NULL) {
        *socket->previous = socket->next;
        if (socket->next != NULL) {
            socket->next->previous = socket->previous;
        }
    }
    ASSERT(self->sockets_count > 0);
    self->sockets_count--;
    slab_free(&self->slab, socket, sizeof *socket);
}

/* Ends operations in the order in which they may end, and then the socket. Called whenever one of
 * them has ended. */
static void
socket_settle(struct ln_socket *socket)
{
    struct io *io = socket->scheduler->io;
    if (socket->unsent > 0 && !socket->aborting) {
        if (!socket->send.active) {
            unsent_add(socket);
        }
        return; /* send_done comes back here */
    }
    io_cancel(io, &socket->poll);
    io_cancel(io, &socket->receive);
    io_cancel(io, &socket->send);
    if (socket->poll.active || socket->receive.active || socket->send.active || socket->in_unsent ||
        socket->in_starved) {
        return;
    }
    if (socket->detached != NULL) {
        struct wait *wait = socket->detached;
        socket->detached = NULL;
        wait_end(wait, socket->error);
        return;
    }
    io_close(io, socket->descriptor, socket->aborting);
    socket_free(socket);
}

static void
linger_over(struct timer *timer)
{
    struct ln_socket *socket =
        (struct ln_socket *)(void *)((char *)timer - offsetof(struct ln_socket, linger));
    socket->aborting = true;
    socket_settle(socket);
}

static void
socket_close(struct ln_socket *socket, bool abort)
{
    struct scheduler *self = socket->scheduler;
    ASSERT(!socket->closing);
    event_forget(socket);
    socket->closing = true;
    socket->aborting = abort || self->shutting_down;
    socket->next = NULL;
    struct ln_socket **head = &self->closing;
    socket->next = *head;
    socket->previous = head;
    if (socket->next != NULL) {
        socket->next->previous = &socket->next;
    }
    *head = socket;
    if (!socket->aborting && socket->unsent > 0) {
        timer_set(&self->timers, &socket->linger, scheduler_now_ms(self) + LN_SOCKET_LINGER_MS,
                  linger_over);
    }
    socket_settle(socket);
}

static void
socket_release(struct ln_resource *resource)
{
    socket_close((struct ln_socket *)resource, false);
}

void
ln_socket_close(struct ln_socket **socket, bool abort)
{
    struct ln_socket *closed = *socket;
    if (closed == NULL) {
        return;
    }
    *socket = NULL;
    ln_disown(&closed->own);
    socket_close(closed, abort);
}

void
sockets_abort(struct scheduler *self)
{
    struct ln_socket *socket = self->closing;
    while (socket != NULL) {
        struct ln_socket *next = socket->next;
        socket->aborting = true;
        socket_settle(socket);
        socket = next;
    }
}

int
ln_socket_listen(const struct io_address *address, struct ln_socket **out,
                 struct io_address *out_bound)
{
    struct scheduler *self = scheduler_current();
    io_socket listener;
    int error = io_listen(self->io, address, BACKLOG, &listener, out_bound);
    if (error != 0) {
        return error;
    }
    struct ln_socket *socket = socket_new(self, listener);
    socket->listening = true;
    socket->poll.done = accept_done;
    ln_own(&socket->own, socket_release);
    io_accept(self->io, &socket->poll, listener);
    *out = socket;
    return 0;
}

struct ln_socket *
ln_socket_attach(io_socket descriptor)
{
    struct scheduler *self = scheduler_current();
    struct ln_socket *socket = socket_new(self, descriptor);
    ln_own(&socket->own, socket_release);
    io_poll(self->io, &socket->poll, descriptor);
    return socket;
}

struct connect_wait {
    struct io_op op;
    struct wait wait;
    bool waiting;
    int32_t result;
};

static void
connect_done(struct io_op *op, int32_t result)
{
    struct connect_wait *connect = (struct connect_wait *)op;
    connect->result = result;
    if (connect->waiting) {
        wait_end_by_io(&connect->wait, 0);
    }
}

int
ln_socket_connect(const struct io_address *address, uint64_t timeout_ms, struct ln_socket **out)
{
    struct scheduler *self = scheduler_current();
    struct connect_wait connect = {.op = {.done = connect_done, .buffer = IO_BUFFER_NONE},
                                   .waiting = true};
    struct io_address to = *address;
    wait_begin(&connect.wait);
    io_connect(self->io, &connect.op, &to);
    int error = wait_for(&connect.wait, timeout_ms);
    if (error != 0) {
        connect.waiting = false;
        io_cancel(self->io, &connect.op);
        if (connect.op.active) {
            /* The operation still points at our stack: this wait can't be cancelled. */
            wait_begin(&connect.wait);
            connect.wait.cancellable = false;
            connect.waiting = true;
            int ended = wait_for(&connect.wait, LN_FOREVER);
            ASSERT(ended == 0);
        }
        if (connect.result >= 0) {
            io_close(self->io, connect.result, true);
        }
        return error;
    }
    if (connect.result < 0) {
        return connect.result;
    }
    *out = ln_socket_attach(connect.result);
    return 0;
}

int
ln_socket_detach(struct ln_socket **socket, io_socket *out)
{
    struct ln_socket *detached = *socket;
    struct ln_msg **handling = actor_current()->handling;
    if (detached->receive.active ||
        (detached->event != NULL && (handling == NULL || *handling != detached->event))) {
        return -EBUSY;
    }
    event_forget(detached);
    struct wait wait;
    wait_begin(&wait);
    wait.cancellable = false;
    detached->detached = &wait;
    socket_settle(detached);
    int error = wait_for(&wait, LN_SOCKET_LINGER_MS);
    detached->detached = NULL;
    if (error != 0 || detached->ended) {
        ln_socket_close(socket, true);
        return error != 0 ? error : -ECONNRESET;
    }
    *out = detached->descriptor;
    *socket = NULL;
    ln_disown(&detached->own);
    socket_free(detached);
    return 0;
}

/* ------------------------------------------------------------------------------------- the rest */

size_t
ln_socket_unsent(const struct ln_socket *socket)
{
    return socket->unsent;
}

void
ln_socket_notify_drained(struct ln_socket *socket, size_t low)
{
    socket->low = low;
    socket->notify = true;
    unsent_add(socket); /* it may be so low already: the round's end looks */
}

void
ln_socket_pause(struct ln_socket *socket, bool paused)
{
    socket->paused = paused;
    receive_start(socket);
}

void
ln_socket_shutdown(struct ln_socket *socket)
{
    socket->shutdown_asked = true;
    unsent_add(socket);
}

int
ln_socket_peer(const struct ln_socket *socket, struct io_address *out)
{
    return io_peer(socket->scheduler->io, socket->descriptor, out);
}
