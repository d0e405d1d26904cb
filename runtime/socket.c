/* SPDX-License-Identifier: Apache-2.0 */
/* A socket's three operations and when each runs:
 *
 *     poll      always, from attach to the end (of a listener: accept)
 *     receive   when poll said "readable", the owner has taken the last bytes, and it is not paused
 *     send      when bytes are queued and the round ends; the next follows while bytes are left.
 *               Bytes that may wait for company are queued without that: a later round's send takes
 *               them along, or that of their timer
 *
 * A socket that is to settle gets another descriptor between two events: once it neither receives
 * nor sends, its poll ends, nothing new begins, the descriptor is exchanged, and the new poll
 * reports whatever came meanwhile.
 *
 * One LN_TAG_DATA is out at a time (`event`): its buffer goes back when the message is freed. What
 * only a few sockets need at a time is apart, so that an idle one is small: `input` while bytes
 * come or are out, `output` while bytes wait or leave, `farewell` while it closes or is detached.
 *
 * A farewell goes through these steps, each skipped when there is nothing to do:
 *
 *     FLUSH     what is queued leaves
 *     DRAIN     our side has ended; what the peer still sends is thrown away until its side ends,
 *               since a close with unread bytes would make the kernel reset the connection, and the
 *               peer might never see our last words (not when detaching)
 *     LEAVE     all operations end; then the descriptor is closed, or handed out, and it is free */
#include "runtime/socket.h"

#include "runtime/bounds.h"
#include "runtime/message.h"
#include "runtime/node_priv.h"
#include "runtime/socket_state.h"

#include <errno.h>
#include <string.h>

enum { BACKLOG = 4096 };

/* --------------------------------------------------------------------------------------- events */

void
socket_tell(struct ln_socket *socket, uint32_t tag, struct ln_socket_event event)
{
    struct ln_msg *msg = message_new(socket->scheduler, tag, LN_REPLY, sizeof event);
    *ln_socket_event(msg) = event;
    if (tag == LN_TAG_DATA) {
        socket->input->event = msg;
    }
    message_deliver(socket->scheduler, socket->owner, &msg);
}

void
socket_tell_closed(struct ln_socket *socket, int error)
{
    socket->ended = true;
    bool known = error == 0 ? socket->told : socket->failed;
    if (known || socket->farewell != NULL) {
        return;
    }
    socket->told = true;
    socket->failed = error != 0;
    socket_tell(socket, LN_TAG_CLOSED,
                (struct ln_socket_event){.socket = socket, .error = error, .descriptor = -1});
}

/* Nobody will handle it: the owner has ended. */
void
socket_event_discard(struct ln_msg *msg)
{
    if (msg->tag == LN_TAG_ACCEPT) {
        io_close(scheduler_current()->io, ln_socket_event(msg)->descriptor, true);
    }
}

static void
accept_done(struct io_op *op, int32_t result)
{
    struct ln_socket *socket = socket_of_poll(op);
    if (result >= 0 && socket->farewell != NULL) {
        io_close(socket->scheduler->io, result, true);
    } else if (result >= 0) {
        socket_tell(socket, LN_TAG_ACCEPT,
                    (struct ln_socket_event){.socket = socket, .descriptor = result});
    } else if (!op->more) {
        socket_tell_closed(socket, result);
    } else {
        socket->scheduler->stats.accepts_failed++; /* no descriptor left: the driver tries again */
    }
    socket_farewell_go_on(socket);
}

/* -------------------------------------------------------------------------------------- sending */

static void send_done(struct io_op *op, int32_t result);

static struct output *
output_of(struct ln_socket *socket)
{
    if (socket->output == NULL) {
        struct output *output = slab_alloc(&socket->scheduler->slab, sizeof *output);
        *output = (struct output){.send = {.done = send_done, .buffer = IO_BUFFER_NONE},
                                  .socket = socket};
        socket->output = output;
    }
    return socket->output;
}

/* Frees it when nothing is left to do. */
static void
output_retire(struct ln_socket *socket)
{
    struct output *output = socket->output;
    if (output != NULL && output->queue.bytes == 0 && !output->send.active && !output->queued &&
        !output->notify && !output->shutdown) {
        timer_cancel(&socket->scheduler->timers, &output->company);
        socket->output = NULL;
        slab_free(&socket->scheduler->slab, output, sizeof *output);
    }
}

static struct output *
round_add(struct ln_socket *socket)
{
    struct output *output = output_of(socket);
    if (!output->queued) {
        output->queued = true;
        output->next = socket->scheduler->unsent;
        socket->scheduler->unsent = output;
    }
    return output;
}

static void
send_start(struct output *output)
{
    struct ln_socket *socket = output->socket;
    struct scheduler *self = socket->scheduler;
    bool leaving = socket->farewell != NULL && socket->farewell->step == LEAVE;
    if (output->send.active || output->queue.bytes == 0 || leaving ||
        socket->settling == SETTLING_POLL_ENDS) {
        return;
    }
    timer_cancel(&self->timers, &output->company);
    output->pieces_count = outgoing_pieces(&output->queue, IO_SEND_PIECES_MAX);
    output->pieces = slab_alloc(&self->slab, output->pieces_count * sizeof *output->pieces);
    unsigned count = outgoing_gather(&output->queue, output->pieces, output->pieces_count);
    io_send(self->io, &output->send, socket->descriptor, output->pieces, count);
}

static void
after_send(struct ln_socket *socket)
{
    struct output *output = socket->output;
    if (output->notify && output->queue.bytes <= output->low) {
        output->notify = false;
        socket_tell(socket, LN_TAG_DRAINED,
                    (struct ln_socket_event){.socket = socket, .descriptor = -1});
    }
    if (output->shutdown && output->queue.bytes == 0) {
        output->shutdown = false;
        io_shutdown(socket->scheduler->io, socket->descriptor);
    }
    output_retire(socket);
    socket_settle_go_on(socket);
    socket_farewell_go_on(socket);
}

static void
send_done(struct io_op *op, int32_t result)
{
    struct output *output = (struct output *)op;
    struct ln_socket *socket = output->socket;
    struct scheduler *self = socket->scheduler;
    scheduler_enter(self);
    slab_free(&self->slab, output->pieces, output->pieces_count * sizeof *output->pieces);
    output->pieces = NULL;
    if (result < 0) {
        socket->error = result;
        output->shutdown = false;
        outgoing_drop(&output->queue, &self->slab);
        socket_tell_closed(socket, result);
    } else {
        outgoing_take(&output->queue, &self->slab, (size_t)result);
        send_start(output);
    }
    after_send(socket);
}

void
sockets_flush(struct scheduler *self)
{
    while (self->unsent != NULL) {
        struct output *output = self->unsent;
        self->unsent = output->next;
        output->queued = false;
        send_start(output);
        after_send(output->socket);
    }
    sockets_feed(self);
}

/* ------------------------------------------------------------------------------------- settling */

/* Its poll has ended. One that closes or is detached meanwhile only needs to be polled again. */
static void
settle(struct ln_socket *socket)
{
    struct io *io = socket->scheduler->io;
    io_socket place;
    socket->settling = SETTLING_NOT;
    if (socket->farewell != NULL && socket->farewell->step == LEAVE) {
        return;
    }
    if (socket->farewell == NULL && io_settle(io, socket->descriptor, &place) == 0) {
        socket->descriptor = place;
        socket->settled = true;
    }
    io_poll(io, &socket->poll, socket->descriptor);
    socket_receive_start(socket);
    if (socket->output != NULL) {
        send_start(socket->output);
    }
}

/* Called whenever an operation has ended. */
void
socket_settle_go_on(struct ln_socket *socket)
{
    bool sending = socket->output != NULL && socket->output->send.active;
    if (socket->settling == SETTLING_NOT || receiving(socket) || sending) {
        return;
    }
    if (socket->settling == SETTLING_WANTED) {
        if (socket->ended || socket->farewell != NULL) {
            socket->settling = SETTLING_NOT; /* it would not be for long */
            return;
        }
        socket->settling = SETTLING_POLL_ENDS;
        io_cancel(socket->scheduler->io, &socket->poll);
    }
    if (!socket->poll.active) {
        settle(socket);
    }
}

void
ln_socket_settle(struct ln_socket *socket)
{
    if (!socket->settled && socket->settling == SETTLING_NOT) {
        socket->settling = SETTLING_WANTED;
        socket_settle_go_on(socket);
    }
}

/* -------------------------------------------------------------------------------------- closing */

static void
farewell_free(struct ln_socket *socket)
{
    struct scheduler *self = socket->scheduler;
    struct farewell *farewell = socket->farewell;
    ASSERT(farewell != NULL);
    timer_cancel(&self->timers, &farewell->timer);
    if (farewell->previous != NULL) {
        *farewell->previous = farewell->next;
        if (farewell->next != NULL) {
            farewell->next->previous = farewell->previous;
        }
    }
    socket->farewell = NULL;
    slab_free(&self->slab, farewell, sizeof *farewell);
}

static void
socket_free(struct ln_socket *socket)
{
    struct scheduler *self = socket->scheduler;
    ASSERT(socket->input == NULL && socket->own.previous == NULL);
    ASSERT(socket->output == NULL && socket->farewell == NULL);
    ASSERT(self->sockets_count > 0);
    self->sockets_count--;
    slab_free(&self->slab, socket, sizeof *socket);
}

/* FLUSH is over. */
static bool
flushed(const struct ln_socket *socket)
{
    return socket->output == NULL ||
           (!socket->output->send.active && socket->output->queue.bytes == 0);
}

static bool
worth_draining(const struct ln_socket *socket)
{
    const struct farewell *farewell = socket->farewell;
    return farewell->wait == NULL && !farewell->abort && !socket->ended && socket->error == 0 &&
           socket->poll.done == socket_poll_done && !socket->scheduler->shutting_down;
}

static bool
operations_ended(struct ln_socket *socket)
{
    struct scheduler *self = socket->scheduler;
    struct output *output = socket->output;
    io_cancel(self->io, &socket->poll);
    if (output != NULL) {
        io_cancel(self->io, &output->send);
    }
    if (output != NULL && !output->send.active) {
        outgoing_drop(&output->queue, &self->slab);
        output_retire(socket);
    }
    bool received = socket_input_end(socket);
    return !socket->poll.active && received && socket->output == NULL;
}

/* Called whenever something has ended that it may wait for. */
void
socket_farewell_go_on(struct ln_socket *socket)
{
    struct farewell *farewell = socket->farewell;
    if (farewell == NULL) {
        return;
    }
    if (farewell->step == FLUSH && (farewell->abort || flushed(socket))) {
        farewell->step = LEAVE;
        if (worth_draining(socket)) {
            farewell->step = DRAIN;
            io_shutdown(socket->scheduler->io, socket->descriptor);
            socket_receive_start(socket);
        }
    }
    if (farewell->step == DRAIN && socket->ended) {
        farewell->step = LEAVE;
    }
    if (farewell->step != LEAVE || !operations_ended(socket)) {
        return;
    }
    if (farewell->wait != NULL) {
        wait_end_by_io(farewell->wait, socket->error);
        return;
    }
    io_close(socket->scheduler->io, socket->descriptor, farewell->abort);
    farewell_free(socket);
    socket_free(socket);
}

static void
farewell_late(struct timer *timer)
{
    struct farewell *farewell = (struct farewell *)timer;
    farewell->abort = farewell->step == FLUSH;
    farewell->step = LEAVE;
    socket_farewell_go_on(farewell->socket);
}

static struct farewell *
farewell_new(struct ln_socket *socket)
{
    ASSERT(socket->farewell == NULL);
    struct farewell *farewell = slab_alloc(&socket->scheduler->slab, sizeof *farewell);
    *farewell = (struct farewell){.socket = socket};
    socket->farewell = farewell;
    socket_event_forget(socket);
    if (socket->output != NULL) {
        socket->output->notify = false;
        socket->output->shutdown = false;
        output_retire(socket);
    }
    if (socket->output != NULL && timer_is_set(&socket->output->company)) {
        (void)round_add(socket); /* no company comes any more */
    }
    return farewell;
}

static void
socket_close(struct ln_socket *socket, bool abort)
{
    struct scheduler *self = socket->scheduler;
    if (self->node->closing && socket->farewell != NULL) {
        farewell_free(socket); /* its owner was detaching it when the node came to its end */
    }
    struct farewell *farewell = farewell_new(socket);
    farewell->abort = abort;
    farewell->next = self->closing;
    farewell->previous = &self->closing;
    if (farewell->next != NULL) {
        farewell->next->previous = &farewell->next;
    }
    self->closing = farewell;
    if (self->node->closing) {
        return; /* sockets_discard is next */
    }
    if (!abort) {
        timer_set_after(&self->timers, &farewell->timer,
                        self->shutting_down ? LN_SOCKET_LAST_MS : LN_SOCKET_LINGER_MS,
                        farewell_late);
    }
    socket_farewell_go_on(socket);
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
sockets_hurry(struct scheduler *self)
{
    struct farewell *next;
    for (struct farewell *farewell = self->closing; farewell != NULL; farewell = next) {
        next = farewell->next;
        timer_cancel(&self->timers, &farewell->timer);
        if (farewell->step == FLUSH) {
            timer_set_after(&self->timers, &farewell->timer, LN_SOCKET_LAST_MS, farewell_late);
        } else {
            farewell->step = LEAVE;
            socket_farewell_go_on(farewell->socket);
        }
    }
}

void
sockets_discard(struct scheduler *self)
{
    while (self->closing != NULL) {
        struct ln_socket *socket = self->closing->socket;
        struct output *output = socket->output;
        if (output != NULL) {
            outgoing_drop(&output->queue, &self->slab);
        }
        farewell_free(socket); /* the rest is the slab's */
    }
}

/* -------------------------------------------------------------------------------------- opening */

size_t
socket_bytes(void)
{
    return slab_block_bytes(sizeof(struct ln_socket));
}

static struct ln_socket *
socket_new(struct scheduler *self, io_socket descriptor,
           void (*poll_or_accept)(struct io_op *, int32_t))
{
    struct ln_socket *socket = slab_alloc(&self->slab, sizeof *socket);
    *socket = (struct ln_socket){
        .scheduler = self,
        .descriptor = descriptor,
        .owner = actor_current()->pid,
        .poll = {.done = poll_or_accept, .buffer = IO_BUFFER_NONE},
    };
    self->sockets_count++;
    ln_own(&socket->own, socket_release);
    return socket;
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
    *out = socket_new(self, listener, accept_done);
    io_accept(self->io, &(*out)->poll, listener);
    return 0;
}

struct ln_socket *
ln_socket_attach(io_socket descriptor)
{
    struct scheduler *self = scheduler_current();
    struct ln_socket *socket = socket_new(self, descriptor, socket_poll_done);
    io_poll(self->io, &socket->poll, descriptor);
    return socket;
}

int
ln_socket_detach(struct ln_socket **socket, io_socket *out)
{
    struct ln_socket *detached = *socket;
    if (detached->settled) {
        return -EOPNOTSUPP;
    }
    const struct ln_msg *event = event_out(detached);
    bool queued = event != NULL && (event->flags & LN_MSG_HELD) == 0;
    if (queued || receiving(detached)) {
        return -EBUSY;
    }
    struct wait wait;
    wait_begin(&wait, WAIT_SOCKET);
    wait.cancellable = false;
    farewell_new(detached)->wait = &wait;
    socket_farewell_go_on(detached);
    int error = wait_for(&wait, LN_SOCKET_LINGER_MS);
    farewell_free(detached);
    if (error == 0 && detached->ended) {
        error = -ECONNRESET;
    }
    if (error != 0) {
        ln_socket_close(socket, true);
        return error;
    }
    *out = detached->descriptor;
    *socket = NULL;
    ln_disown(&detached->own);
    socket_free(detached);
    return 0;
}

/* ------------------------------------------------------------------------------------- the rest */

void
ln_socket_send(struct ln_socket *socket, const void *bytes, size_t count)
{
    if (socket->error == 0 && count > 0) { /* else LN_TAG_CLOSED has told */
        outgoing_add(&round_add(socket)->queue, &socket->scheduler->slab, bytes, count);
    }
}

static void
company_late(struct timer *timer)
{
    struct output *output =
        (struct output *)(void *)((char *)timer - offsetof(struct output, company));
    (void)round_add(output->socket);
}

void
ln_socket_send_within(struct ln_socket *socket, const void *bytes, size_t count, uint64_t ms)
{
    struct scheduler *self = socket->scheduler;
    if (socket->error != 0 || count == 0) {
        return;
    }
    struct output *output = output_of(socket);
    if (output->queue.bytes == 0 && !output->queued) {
        timer_set_after(&self->timers, &output->company, ms, company_late);
    }
    outgoing_add(&output->queue, &self->slab, bytes, count);
}

void
ln_socket_send_buffer(struct ln_socket *socket, struct ln_buffer **buffer, size_t offset,
                      size_t count)
{
    if (socket->error != 0 || count == 0) {
        ln_buffer_put(buffer);
        return;
    }
    outgoing_add_buffer(&round_add(socket)->queue, &socket->scheduler->slab, buffer, offset, count);
}

size_t
ln_socket_unsent(const struct ln_socket *socket)
{
    return socket->output != NULL ? socket->output->queue.bytes : 0;
}

void
ln_socket_notify_drained(struct ln_socket *socket, size_t low)
{
    struct output *output = round_add(socket); /* it may be so low already: the round's end looks */
    output->low = low;
    output->notify = true;
}

void
ln_socket_pause(struct ln_socket *socket, bool paused)
{
    socket->paused = paused;
    socket_receive_start(socket);
}

void
ln_socket_shutdown(struct ln_socket *socket)
{
    if (socket->error == 0) {
        round_add(socket)->shutdown = true;
    }
}

int
ln_socket_peer(const struct ln_socket *socket, struct io_address *out)
{
    return io_peer(socket->scheduler->io, socket->descriptor, out);
}
