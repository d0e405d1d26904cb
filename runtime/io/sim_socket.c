/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on a connected socket: what an owner waits for, and what it gets. */
#include "runtime/check.h"
#include "runtime/io/sim_network.h"

#include <errno.h>
#include <poll.h>

/* Of the sends that would fit take less; of the receives find less, the rest comes just after. */
enum { PART_ONE_IN_DEFAULT = 8 };

static uint64_t
end_chance(const struct sim_end *end, uint64_t below)
{
    return sim_chance_below(&end->socket.sim->network_chance, below);
}

/* Whether this one moves a part of `bytes` only. */
static bool
only_a_part(const struct sim_end *end, size_t bytes)
{
    uint32_t given = end->socket.sim->options.faults.part_one_in;
    return bytes > 1 && end_chance(end, given ? given : PART_ONE_IN_DEFAULT) == 0;
}

/* ----------------------------------------------------------------------------------------- poll */

/* What poll(2) would say. An end that arrives with the last bytes is no later event of its own: it
 * shows here, and who looks at bytes alone never learns of it. */
static uint32_t
end_readiness(const struct sim_end *end)
{
    uint32_t mask = end->in->arrived > 0 || end->ended || end->reset ? POLLIN : 0;
    mask |= end->ended || end->reset ? POLLRDHUP : 0;
    mask |= end->reset ? POLLERR | POLLHUP : 0;
    return mask;
}

/* Events that come while one with the same news still waits in the loop are one. */
static void
poll_announce(struct sim_request *request)
{
    uint32_t mask = end_readiness((struct sim_end *)request->socket);
    if ((mask & ~request->announced) != 0) {
        request->announced |= mask;
        sim_request_announce(request, (int32_t)mask);
    }
}

void
sim_socket_heard(struct sim_end *end)
{
    for (struct sim_request *at = end->socket.waiting_first; at; at = at->next) {
        if (at->kind == SIM_POLL) {
            poll_announce(at);
        }
    }
}

static void
poll_fire(void *context)
{
    struct sim_request *request = sim_request_fired(context);
    if (!request || sim_request_cancelled_early(request)) {
        return;
    }
    if (!request->socket) {
        sim_request_finish(request, -EBADF);
        return;
    }
    if (sim_request_wait(request)) {
        poll_announce(request);
    }
}

void
sim_socket_poll(struct io *io, struct io_op *op, io_socket socket)
{
    struct sim_end *end = sim_network_end(io, socket);
    struct sim_request *request = sim_request_new(io, op, SIM_POLL, end ? &end->socket : NULL);
    sim_request_submit(request, poll_fire);
}

/* -------------------------------------------------------------------------------------- receive */

/* How much this receive finds. What it leaves is as if it came just after: it is announced
 * again. */
static size_t
receive_bytes(struct sim_end *end)
{
    size_t bytes = end->in->arrived;
    if (only_a_part(end, bytes)) {
        bytes = 1 + (size_t)end_chance(end, bytes);
    }
    if (bytes > IO_RECEIVE_BYTES) {
        bytes = IO_RECEIVE_BYTES;
    }
    if (bytes < end->in->arrived && bytes < IO_RECEIVE_BYTES) {
        sim_end_hear_again(end);
    }
    return bytes;
}

static int32_t
receive_now(struct sim_request *request)
{
    struct sim_end *end = (struct sim_end *)request->socket;
    struct sim_loop *loop = request->loop;
    if (!end) {
        return -EBADF;
    }
    if (loop->buffers_held == loop->buffers_max) {
        loop->stats.receive_buffers_short++;
        return -ENOBUFS;
    }
    if (end->in->arrived == 0) {
        return end->reset ? sim_end_error(end) : end->ended ? 0 : -EAGAIN;
    }
    size_t bytes = receive_bytes(end);
    request->op->buffer = sim_loop_hold_buffer(loop, bytes);
    (void)sim_end_take(end, loop->buffers[request->op->buffer], bytes);
    loop->stats.receives++;
    loop->stats.receive_bytes += bytes;
    return (int32_t)bytes;
}

static void
receive_fire(void *context)
{
    struct sim_request *request = sim_request_fired(context);
    if (request && !sim_request_cancelled_early(request)) {
        sim_request_finish(request, receive_now(request));
    }
}

void
sim_socket_receive(struct io *io, struct io_op *op, io_socket socket)
{
    struct sim_end *end = sim_network_end(io, socket);
    struct sim_request *request = sim_request_new(io, op, SIM_RECEIVE, end ? &end->socket : NULL);
    sim_request_submit(request, receive_fire);
}

/* ----------------------------------------------------------------------------------------- send */

/* Ends the send with what it could take; false: there is no room and it has to wait. */
static bool
send_try(struct sim_request *request)
{
    struct sim_end *end = (struct sim_end *)request->socket;
    if (end->reset || end->out->shut) {
        sim_request_finish(request, end->reset ? sim_end_error(end) : -EPIPE);
        return true;
    }
    size_t bytes = sim_pieces_bytes(request->pieces, request->count);
    size_t room = sim_end_room(end);
    if (bytes > 0 && room == 0) {
        return false;
    }
    bytes = bytes < room ? bytes : room;
    if (only_a_part(end, bytes)) {
        bytes = 1 + (size_t)end_chance(end, bytes);
    }
    sim_end_send(end, request->pieces, request->count, bytes);
    request->loop->stats.sends++;
    request->loop->stats.send_bytes += bytes;
    sim_request_finish(request, (int32_t)bytes);
    return true;
}

static struct sim_request *
end_first_send(struct sim_end *end)
{
    struct sim_request *at = end->socket.waiting_first;
    while (at && at->kind != SIM_SEND) {
        at = at->next;
    }
    return at;
}

bool
sim_socket_wants_room(struct sim_end *end)
{
    return end_first_send(end) != NULL;
}

void
sim_socket_has_room(struct sim_end *end)
{
    for (struct sim_request *at = end_first_send(end); at; at = end_first_send(end)) {
        if (!send_try(at)) {
            return;
        }
    }
}

void
sim_socket_fail_sends(struct sim_end *end, int error)
{
    for (struct sim_request *at = end->socket.waiting_first, *next; at; at = next) {
        next = at->next;
        if (at->kind == SIM_SEND) {
            sim_request_finish(at, error);
        }
    }
}

/* An earlier send that still waits goes first. */
static void
send_fire(void *context)
{
    struct sim_request *request = sim_request_fired(context);
    if (!request || sim_request_cancelled_early(request)) {
        return;
    }
    struct sim_end *end = (struct sim_end *)request->socket;
    if (!end) {
        sim_request_finish(request, -EBADF);
    } else if (end_first_send(end) || !send_try(request)) {
        (void)sim_request_wait(request);
    }
}

void
sim_socket_send(struct io *io, struct io_op *op, io_socket socket, const struct iovec *pieces,
                unsigned count)
{
    ASSERT(count <= IO_SEND_PIECES_MAX);
    struct sim_end *end = sim_network_end(io, socket);
    struct sim_request *request = sim_request_new(io, op, SIM_SEND, end ? &end->socket : NULL);
    request->pieces = pieces;
    request->count = count;
    sim_request_submit(request, send_fire);
}

void
sim_socket_shutdown(struct io *io, io_socket socket)
{
    struct sim_end *end = sim_network_end(io, socket);
    if (end) {
        sim_end_shutdown(end);
    }
}
