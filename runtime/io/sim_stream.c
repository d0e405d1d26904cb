/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a connection, from one end to the other.
 *
 * Where TCP leaves freedom, chance uses it: how a send is cut, how much of it is taken, how long a segment flies, how
 * much one receive finds, whether a poll fires once more than needed. Where TCP promises, so does this: order, the end
 * after the last byte, room for what was taken.
 */
#include "runtime/io/sim_network.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTION_BYTES_MAX_DEFAULT = 64 * 1024,
    SEND_SHORT_ONE_IN = 8,    /* of the sends that would fit take less */
    SEND_WHOLE_ONE_IN = 2,    /* of what is left of a send goes as one segment */
    RECEIVE_SHORT_ONE_IN = 8, /* of the receives find less, the rest comes just after */
    POLL_AGAIN_ONE_IN = 16,   /* of the events are told once more */
};

static uint64_t
end_chance(const struct sim_end *end, uint64_t below)
{
    return sim_chance_below(&end->socket.sim->network_chance, below);
}

/* ------------------------------------------------------------------------------------------------ connections */

struct sim_connection *
sim_connection_new(struct sim_network *network)
{
    struct sim_connection *connection = sim_memory(sizeof(*connection));
    connection->sim = network->sim;
    connection->holds = 2;
    for (int i = 0; i < 2; i++) {
        struct sim_end *end = &connection->ends[i];
        end->socket = (struct sim_socket){.sim = network->sim, .handle = -1};
        end->connection = connection;
        end->in = &connection->pipes[i];
        end->out = &connection->pipes[1 - i];
        end->other = &connection->ends[1 - i];
        end->in->to = end;
        end->in->last = &end->in->first;
    }
    connection->next = network->connections;
    if (network->connections) {
        network->connections->previous = connection;
    }
    network->connections = connection;
    return connection;
}

static void
pipe_drop_arrived(struct sim_pipe *pipe)
{
    for (struct sim_segment *at = pipe->first, *next; at; at = next) {
        next = at->next;
        free(at);
    }
    pipe->first = NULL;
    pipe->last = &pipe->first;
    pipe->arrived = 0;
}

void
sim_connection_put(struct sim_connection *connection)
{
    ASSERT(connection->holds > 0);
    if (--connection->holds > 0) {
        return;
    }
    pipe_drop_arrived(&connection->pipes[0]);
    pipe_drop_arrived(&connection->pipes[1]);
    if (connection->previous) {
        connection->previous->next = connection->next;
    } else {
        connection->sim->network->connections = connection->next;
    }
    if (connection->next) {
        connection->next->previous = connection->previous;
    }
    free(connection);
}

/* ------------------------------------------------------------------------------------------------ what is heard */

static void
end_fail_sends(struct sim_end *end, int error)
{
    for (struct sim_request *at = end->socket.waiting_first, *next; at; at = next) {
        next = at->next;
        if (at->kind == SIM_SEND) {
            sim_request_finish(at, error);
        }
    }
}

/* What poll(2) would say. An end that arrives with the last bytes is no later event of its own: it shows here, and who
 * looks at bytes alone never learns of it. */
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

/* Something has come in: whoever is behind the end is told. */
static void
end_heard(struct sim_end *end)
{
    if (end->closed) {
        return;
    }
    if (end->peer) {
        sim_peer_heard(end->peer);
        return;
    }
    if (end->reset) {
        end_fail_sends(end, -ECONNRESET);
    }
    for (struct sim_request *at = end->socket.waiting_first; at; at = at->next) {
        if (at->kind == SIM_POLL) {
            poll_announce(at);
        }
    }
}

static void
heard_again_fire(void *context)
{
    struct sim_end *end = context;
    end_heard(end);
    sim_connection_put(end->connection);
}

static void
end_hear_again(struct sim_end *end)
{
    end->connection->holds++;
    sim_later(end->socket.sim, sim_network_delay_ns(end->socket.sim), heard_again_fire, NULL, end);
}

/* ------------------------------------------------------------------------------------------------ segments */

static void
segment_drop(void *context)
{
    free(context);
}

static void end_send_reset(struct sim_end *end);

static void
segment_arrive(struct sim_segment *segment)
{
    struct sim_pipe *pipe = segment->pipe;
    struct sim_end *end = pipe->to;
    bool lost = segment->era != pipe->era || end->reset;
    if (segment->era == pipe->era) {
        pipe->flying -= segment->count;
    }
    if (lost || end->closed) {
        if (!lost && segment->kind == SIM_SEGMENT_BYTES) {
            end_send_reset(end); /* as a kernel answers for a process that is gone */
        }
        free(segment);
        return;
    }
    sim_note_bytes(end->socket.sim, segment->bytes, segment->count);
    switch (segment->kind) {
    case SIM_SEGMENT_BYTES:
        *pipe->last = segment;
        pipe->last = &segment->next;
        pipe->arrived += segment->count;
        segment = NULL;
        break;
    case SIM_SEGMENT_END:
        end->ended = true;
        break;
    case SIM_SEGMENT_RESET:
        end->reset = true;
        break;
    }
    free(segment);
    end_heard(end);
    if (end_chance(end, POLL_AGAIN_ONE_IN) == 0) {
        end_hear_again(end);
    }
}

static void
segment_fire(void *context)
{
    struct sim_segment *segment = context;
    struct sim_connection *connection = segment->pipe->to->connection;
    segment_arrive(segment);
    sim_connection_put(connection);
}

static void
segment_send(struct sim_end *from, struct sim_segment *segment)
{
    struct sim *sim = from->socket.sim;
    struct sim_pipe *pipe = segment->pipe = from->out;
    uint64_t at_ns = sim->now_ns + sim_network_delay_ns(sim);
    pipe->last_at_ns = at_ns > pipe->last_at_ns ? at_ns : pipe->last_at_ns;
    pipe->flying += segment->count;
    segment->era = pipe->era;
    from->connection->holds++;
    sim_later(sim, pipe->last_at_ns - sim->now_ns, segment_fire, segment_drop, segment);
}

static void
end_send_mark(struct sim_end *end, enum sim_segment_kind kind)
{
    struct sim_segment *segment = sim_memory(sizeof(*segment));
    segment->kind = kind;
    segment_send(end, segment);
}

static void
pipe_lose_flying(struct sim_pipe *pipe)
{
    pipe->era++;
    pipe->flying = 0;
}

/* What flies may arrive before the reset or be overtaken by it. */
static void
end_send_reset(struct sim_end *end)
{
    if (end_chance(end, 2) == 0) {
        pipe_lose_flying(end->out);
    }
    end->out->shut = true;
    end_send_mark(end, SIM_SEGMENT_RESET);
}

/* ------------------------------------------------------------------------------------------------ ends */

size_t
sim_end_room(const struct sim_end *end)
{
    uint32_t given = end->socket.sim->options.connection_bytes_max;
    size_t max = given ? given : (size_t)CONNECTION_BYTES_MAX_DEFAULT;
    size_t used = end->out->arrived + end->out->flying;
    return used < max ? max - used : 0;
}

/* A place in a gather list. */
struct cursor {
    const struct iovec *piece;
    size_t offset;
};

static void
cursor_read(struct cursor *cursor, unsigned char *out, size_t bytes)
{
    while (bytes > 0) {
        size_t left = cursor->piece->iov_len - cursor->offset;
        size_t take = left < bytes ? left : bytes;
        if (take > 0) {
            memcpy(out, (const unsigned char *)cursor->piece->iov_base + cursor->offset, take);
        }
        out += take;
        bytes -= take;
        cursor->offset += take;
        if (cursor->offset == cursor->piece->iov_len) {
            cursor->piece++;
            cursor->offset = 0;
        }
    }
}

void
sim_end_send(struct sim_end *end, const struct iovec *pieces, unsigned count, size_t bytes)
{
    ASSERT(bytes <= sim_end_room(end) && (bytes == 0 || count > 0));
    struct cursor cursor = {.piece = pieces};
    while (bytes > 0) {
        bool whole = end_chance(end, SEND_WHOLE_ONE_IN) == 0;
        size_t part = whole ? bytes : 1 + (size_t)end_chance(end, bytes);
        struct sim_segment *segment = sim_memory(sizeof(*segment) + part);
        segment->kind = SIM_SEGMENT_BYTES;
        segment->count = part;
        cursor_read(&cursor, segment->bytes, part);
        segment_send(end, segment);
        bytes -= part;
    }
}

static bool send_try(struct sim_request *request);

static struct sim_request *
end_first_send(struct sim_end *end)
{
    struct sim_request *at = end->socket.waiting_first;
    while (at && at->kind != SIM_SEND) {
        at = at->next;
    }
    return at;
}

/* News of free room has reached the writer. */
static void
room_fire(void *context)
{
    struct sim_pipe *pipe = context;
    struct sim_end *writer = pipe->to->other;
    struct sim_connection *connection = writer->connection;
    pipe->room_promised = false;
    if (!writer->closed && writer->peer) {
        sim_peer_heard(writer->peer);
    }
    for (struct sim_request *at = end_first_send(writer); at; at = end_first_send(writer)) {
        if (!send_try(at)) {
            break;
        }
    }
    sim_connection_put(connection);
}

static void
pipe_promise_room(struct sim_pipe *pipe)
{
    struct sim_end *writer = pipe->to->other;
    if (pipe->room_promised || (!writer->peer && !end_first_send(writer))) {
        return;
    }
    struct sim *sim = writer->socket.sim;
    pipe->room_promised = true;
    writer->connection->holds++;
    sim_later(sim, sim_network_delay_ns(sim), room_fire, NULL, pipe);
}

size_t
sim_end_take(struct sim_end *end, unsigned char *out, size_t bytes)
{
    struct sim_pipe *pipe = end->in;
    size_t taken = 0;
    while (pipe->first && taken < bytes) {
        struct sim_segment *segment = pipe->first;
        size_t left = segment->count - segment->taken;
        size_t part = left < bytes - taken ? left : bytes - taken;
        memcpy(out + taken, segment->bytes + segment->taken, part);
        taken += part;
        segment->taken += part;
        if (segment->taken == segment->count) {
            pipe->first = segment->next;
            pipe->last = pipe->first ? pipe->last : &pipe->first;
            free(segment);
        }
    }
    pipe->arrived -= taken;
    if (taken > 0) {
        pipe_promise_room(pipe);
    }
    return taken;
}

void
sim_end_shutdown(struct sim_end *end)
{
    if (end->out->shut || end->reset) {
        return;
    }
    end->out->shut = true;
    end_fail_sends(end, -EPIPE);
    end_send_mark(end, SIM_SEGMENT_END);
}

void
sim_end_close(struct sim_end *end, bool abort)
{
    ASSERT(!end->closed);
    bool unread = end->in->arrived > 0;
    pipe_drop_arrived(end->in);
    if (!end->reset && (abort || unread)) {
        end_send_reset(end);
    } else {
        sim_end_shutdown(end);
    }
    end->closed = true;
    end->peer = NULL;
    sim_connection_put(end->connection);
}

void
sim_end_cut(struct sim_end *end)
{
    pipe_lose_flying(end->in);
    pipe_lose_flying(end->out);
    end->reset = true;
    end->out->shut = true;
    end_send_mark(end, SIM_SEGMENT_RESET);
}

/* ------------------------------------------------------------------------------------------------ operations */

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
sim_stream_poll(struct io *io, struct io_op *op, io_socket socket)
{
    struct sim_end *end = sim_network_end(io, socket);
    struct sim_request *request = sim_request_new(io, op, SIM_POLL, end ? &end->socket : NULL);
    sim_request_submit(request, poll_fire);
}

/* How much this receive finds. What it leaves is as if it came just after: it is announced again. */
static size_t
receive_bytes(struct sim_end *end)
{
    size_t bytes = end->in->arrived;
    if (bytes > 1 && end_chance(end, RECEIVE_SHORT_ONE_IN) == 0) {
        bytes = 1 + (size_t)end_chance(end, bytes);
    }
    if (bytes > IO_RECEIVE_BYTES) {
        bytes = IO_RECEIVE_BYTES;
    }
    if (bytes < end->in->arrived && bytes < IO_RECEIVE_BYTES) {
        end_hear_again(end);
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
        return end->reset ? -ECONNRESET : end->ended ? 0 : -EAGAIN;
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
sim_stream_receive(struct io *io, struct io_op *op, io_socket socket)
{
    struct sim_end *end = sim_network_end(io, socket);
    struct sim_request *request = sim_request_new(io, op, SIM_RECEIVE, end ? &end->socket : NULL);
    sim_request_submit(request, receive_fire);
}

static size_t
pieces_bytes(const struct iovec *pieces, unsigned count)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        bytes += pieces[i].iov_len;
    }
    return bytes;
}

/* Ends the send with what it could take; false: there is no room and it has to wait. */
static bool
send_try(struct sim_request *request)
{
    struct sim_end *end = (struct sim_end *)request->socket;
    if (end->reset || end->out->shut) {
        sim_request_finish(request, end->reset ? -ECONNRESET : -EPIPE);
        return true;
    }
    size_t bytes = pieces_bytes(request->pieces, request->count);
    size_t room = sim_end_room(end);
    if (bytes > 0 && room == 0) {
        return false;
    }
    bytes = bytes < room ? bytes : room;
    if (bytes > 1 && end_chance(end, SEND_SHORT_ONE_IN) == 0) {
        bytes = 1 + (size_t)end_chance(end, bytes);
    }
    sim_end_send(end, request->pieces, request->count, bytes);
    request->loop->stats.sends++;
    request->loop->stats.send_bytes += bytes;
    sim_request_finish(request, (int32_t)bytes);
    return true;
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
sim_stream_send(struct io *io, struct io_op *op, io_socket socket, const struct iovec *pieces,
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
sim_stream_shutdown(struct io *io, io_socket socket)
{
    struct sim_end *end = sim_network_end(io, socket);
    if (end) {
        sim_end_shutdown(end);
    }
}
