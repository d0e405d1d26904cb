/* SPDX-License-Identifier: Apache-2.0 */
/* What comes: the poll's news, receives, and the event with which the owner has the bytes. */
#include "runtime/bounds.h"
#include "runtime/message.h"
#include "runtime/node_priv.h"
#include "runtime/socket.h"
#include "runtime/socket_state.h"

#include <errno.h>

static void receive_done(struct io_op *op, int32_t result);

static struct input *
input_of(struct ln_socket *socket)
{
    if (socket->input == NULL) {
        struct input *input = slab_alloc(&socket->scheduler->slab, sizeof *input);
        *input = (struct input){.receive = {.done = receive_done, .buffer = IO_BUFFER_NONE},
                                .socket = socket};
        socket->input = input;
    }
    return socket->input;
}

/* Frees it when nothing is left to do. */
static void
input_retire(struct ln_socket *socket)
{
    struct input *input = socket->input;
    if (input != NULL && !input->receive.active && input->event == NULL &&
        input->starving == NULL) {
        socket->input = NULL;
        slab_free(&socket->scheduler->slab, input, sizeof *input);
    }
}

/* The event's buffer goes back. */
static void
event_end(struct ln_socket *socket)
{
    socket->input->event = NULL;
    io_release(socket->scheduler->io, &socket->input->receive);
}

/* No bytes for the owner any more. */
void
socket_event_forget(struct ln_socket *socket)
{
    struct ln_msg *event = event_out(socket);
    if (event != NULL) {
        ln_socket_event(event)->socket = NULL;
        ln_socket_event(event)->bytes = 0;
        event_end(socket);
        input_retire(socket);
    }
}

/* Until a buffer comes back: each that is out belongs to an event or to a receive that is about to
 * complete, and a turn follows when either gives it back. */
static void
starve(struct ln_socket *socket)
{
    struct input *input = input_of(socket);
    ASSERT(input->starving == NULL);
    input->starving = starving_add(socket->scheduler, socket);
    socket->readable = true;
}

static void
starve_end(struct ln_socket *socket)
{
    ASSERT(starves(socket));
    starving_remove(socket->scheduler, socket->input->starving);
    socket->input->starving = NULL;
}

static bool
wants_to_receive(const struct ln_socket *socket)
{
    if (!socket->readable || receiving(socket) || socket->ended || starves(socket) ||
        socket->settling == SETTLING_POLL_ENDS) {
        return false;
    }
    if (socket->farewell != NULL) {
        return socket->farewell->step == DRAIN;
    }
    return event_out(socket) == NULL && !socket->paused;
}

void
socket_receive_start(struct ln_socket *socket)
{
    if (wants_to_receive(socket)) {
        socket->readable = false;
        io_receive(socket->scheduler->io, &input_of(socket)->receive, socket->descriptor);
    }
}

void
socket_consumed(struct ln_msg *msg)
{
    struct ln_socket *socket = ln_socket_event(msg)->socket;
    if (socket == NULL) {
        return;
    }
    ASSERT(event_out(socket) == msg);
    event_end(socket);
    if (socket->scheduler->starving != NULL && wants_to_receive(socket)) {
        starve(socket); /* behind those who wait for the buffer that it gave back */
    } else {
        socket_receive_start(socket);
    }
    input_retire(socket);
}

static void
received(struct ln_socket *socket, uint32_t bytes)
{
    struct io *io = socket->scheduler->io;
    socket->readable = socket->readable || socket->ending || bytes == IO_RECEIVE_BYTES;
    if (socket->farewell != NULL) {
        io_release(io, &socket->input->receive);
        socket_receive_start(socket);
        return;
    }
    const unsigned char *data = io_received(io, &socket->input->receive);
    socket_tell(socket, LN_TAG_DATA,
                (struct ln_socket_event){.socket = socket,
                                         .data = (unsigned char *)(uintptr_t)data,
                                         .bytes = bytes,
                                         .descriptor = -1});
}

static void
receive_done(struct io_op *op, int32_t result)
{
    struct ln_socket *socket = ((struct input *)op)->socket;
    scheduler_enter(socket->scheduler);
    if (result > 0) {
        received(socket, (uint32_t)result);
    } else if (result == -ENOBUFS) {
        starve(socket);
    } else if (result == -EAGAIN) {
        socket_receive_start(socket); /* if the poll has fired meanwhile */
    } else if (result != -ECANCELED) {
        socket_tell_closed(socket, result);
    }
    input_retire(socket);
    socket_settle_go_on(socket);
    socket_farewell_go_on(socket);
}

void
socket_poll_done(struct io_op *op, int32_t result)
{
    struct ln_socket *socket = socket_of_poll(op);
    if (result >= 0) {
        socket->readable = true;
        socket->ending = socket->ending || (result & IO_POLL_ENDING) != 0;
        socket_receive_start(socket);
    } else if (result == -ECANCELED && socket->settling == SETTLING_POLL_ENDS) {
        /* as it was asked to */
    } else if (socket->farewell == NULL || socket->farewell->step != LEAVE) {
        socket_tell_closed(socket, result);
    }
    socket_settle_go_on(socket);
    socket_farewell_go_on(socket);
}

/* As many as there are buffers: a crowd that waits costs nothing until then. */
void
sockets_feed(struct scheduler *self)
{
    for (uint32_t room = io_receive_room(self->io); room > 0 && self->starving != NULL;) {
        struct ln_socket *socket = self->starving->socket;
        starve_end(socket);
        socket_receive_start(socket);
        room -= receiving(socket) ? 1 : 0;
        input_retire(socket);
    }
}

bool
socket_input_end(struct ln_socket *socket)
{
    if (socket->input != NULL) {
        io_cancel(socket->scheduler->io, &socket->input->receive);
    }
    if (starves(socket)) {
        starve_end(socket);
    }
    input_retire(socket);
    return socket->input == NULL;
}
