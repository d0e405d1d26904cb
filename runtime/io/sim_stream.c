/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a connection, from one end to the other.
 *
 * Where TCP leaves freedom, chance uses it: how a send is cut, how much of it is taken, how long a
 * segment flies, how much one receive finds, whether a poll fires once more than needed. Where TCP
 * promises, so does this: order, the end after the last byte, room for what was taken.
 */
#include "runtime/check.h"
#include "runtime/io/sim_network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTION_BYTES_MAX_DEFAULT = 64 * 1024,
    SEND_WHOLE_ONE_IN = 2,  /* of what is left of a send goes as one segment */
    POLL_AGAIN_ONE_IN = 16, /* of the events are told once more */
};
static const uint64_t FAR_NS_MAX_DEFAULT = 50000000;
static const uint64_t VANISH_TIMEOUT_NS_DEFAULT = 20000000000;

static uint64_t
end_chance(const struct sim_end *end, uint64_t below)
{
    return sim_chance_below(&end->socket.sim->network_chance, below);
}

/* ---------------------------------------------------------------------------------- connections */

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
    connection->far =
        sim_fault(network->sim, network->sim->options.faults.far_one_in, &network->sim->struck.far);
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

/* -------------------------------------------------------------------------------- what is heard */

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
        sim_socket_fail_sends(end, sim_end_error(end));
    }
    sim_socket_heard(end);
}

static void
heard_again_fire(void *context)
{
    struct sim_end *end = context;
    end_heard(end);
    sim_connection_put(end->connection);
}

void
sim_end_hear_again(struct sim_end *end)
{
    end->connection->holds++;
    sim_later(end->socket.sim, sim_network_delay_ns(end->socket.sim), heard_again_fire, NULL, end);
}

/* ------------------------------------------------------------------------------------- segments */

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
    if (end->connection->vanished) { /* and its bytes keep the writer's room */
        free(segment);
        return;
    }
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
        sim_end_hear_again(end);
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

/* ---------------------------------------------------------------------------- what goes wrong */

/* The writer has sent again and again, and gives up. */
static void
in_vain_fire(void *context)
{
    struct sim_end *end = context;
    end->reset = true;
    end->timed_out = true;
    end->out->shut = true;
    end_heard(end);
    sim_connection_put(end->connection);
}

static void
end_wait_in_vain(struct sim_end *end)
{
    struct sim *sim = end->socket.sim;
    if (!end->waits_in_vain) {
        uint64_t given_ns = sim->options.faults.vanish_timeout_ns;
        end->waits_in_vain = true;
        end->connection->holds++;
        sim_later(sim, given_ns ? given_ns : VANISH_TIMEOUT_NS_DEFAULT, in_vain_fire, NULL, end);
    }
}

void
sim_connection_vanish(struct sim_connection *connection)
{
    connection->vanished = true;
    for (int i = 0; i < 2; i++) {
        if (connection->ends[i].out->flying > 0) {
            end_wait_in_vain(&connection->ends[i]);
        }
    }
}

int32_t
sim_end_error(const struct sim_end *end)
{
    return end->timed_out ? -ETIMEDOUT : -ECONNRESET;
}

static void connection_cut(struct sim_connection *connection);

static void
segment_meets_faults(struct sim_end *from)
{
    struct sim *sim = from->socket.sim;
    struct sim_connection *connection = from->connection;
    const struct sim_faults *faults = &sim->options.faults;
    if (!connection->vanished && sim_fault(sim, faults->vanish_one_in, &sim->struck.vanished)) {
        sim_connection_vanish(connection);
    }
    if (connection->vanished) {
        end_wait_in_vain(from);
    } else if (sim_fault(sim, faults->cut_one_in, &sim->struck.cut)) {
        connection_cut(connection);
    }
}

static uint64_t
segment_delay_ns(struct sim_end *from)
{
    struct sim *sim = from->socket.sim;
    const struct sim_faults *faults = &sim->options.faults;
    uint64_t delay_ns = sim_network_delay_ns(sim);
    if (from->connection->far || sim_fault(sim, faults->held_one_in, &sim->struck.held)) {
        delay_ns += sim_fault_delay_ns(sim, faults->far_ns_max, FAR_NS_MAX_DEFAULT);
    }
    return delay_ns;
}

static void
segment_send(struct sim_end *from, struct sim_segment *segment)
{
    struct sim *sim = from->socket.sim;
    struct sim_pipe *pipe = segment->pipe = from->out;
    uint64_t at_ns = sim->now_ns + segment_delay_ns(from);
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

/* ----------------------------------------------------------------------------------------- ends */

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
    segment_meets_faults(end);
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
    sim_socket_has_room(writer);
    sim_connection_put(connection);
}

static void
pipe_promise_room(struct sim_pipe *pipe)
{
    struct sim_end *writer = pipe->to->other;
    bool wanted = writer->peer || sim_socket_wants_room(writer);
    if (pipe->room_promised || !wanted || writer->connection->vanished) {
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
    sim_socket_fail_sends(end, -EPIPE);
    end_send_mark(end, SIM_SEGMENT_END);
    if (end->connection->vanished) {
        end_wait_in_vain(end);
    }
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

/* Somewhere between the two: both hear of it. */
static void
connection_cut(struct sim_connection *connection)
{
    for (int i = 0; i < 2; i++) {
        struct sim_end *end = &connection->ends[i];
        pipe_lose_flying(end->out);
        end_send_mark(end, SIM_SEGMENT_RESET);
    }
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
