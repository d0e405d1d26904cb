/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_network.h"

#include "runtime/check.h"
#include "runtime/io/sim_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    ACCEPT_PAUSE_NS =
        50 * 1000 * 1000, /* sockets that ran out come back when somebody closes one */
    DELAY_NS_MAX_DEFAULT = 200 * 1000,
    BACKLOG_MAX_DEFAULT = 128,
};
/* A connection request that finds the backlog full is sent again, as TCP does. */
static const uint64_t CONNECT_AGAIN_NS = 1000000000;
static const uint64_t SILENCE_NS = UINT64_C(20) * 1000000000;

/* ------------------------------------------------------------------------------------ addresses */

union address_view {
    struct sockaddr any;
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
};

static union address_view
address_view(const struct io_address *address)
{
    union address_view view;
    memset(&view, 0, sizeof(view));
    memcpy(&view, address->raw, sizeof(view) < address->bytes ? sizeof(view) : address->bytes);
    return view;
}

static bool
address_is_ip(const struct io_address *address)
{
    union address_view view = address_view(address);
    return view.any.sa_family == AF_INET || view.any.sa_family == AF_INET6;
}

static uint16_t
address_port(const struct io_address *address)
{
    union address_view view = address_view(address);
    return ntohs(view.any.sa_family == AF_INET ? view.ip4.sin_port : view.ip6.sin6_port);
}

static void
address_set_port(struct io_address *address, uint16_t port)
{
    union address_view view = address_view(address);
    if (view.any.sa_family == AF_INET) {
        view.ip4.sin_port = htons(port);
    } else {
        view.ip6.sin6_port = htons(port);
    }
    memcpy(address->raw, &view, address->bytes);
}

static bool
address_is_any(const struct io_address *address)
{
    union address_view view = address_view(address);
    return view.any.sa_family == AF_INET ? view.ip4.sin_addr.s_addr == htonl(INADDR_ANY)
                                         : IN6_IS_ADDR_UNSPECIFIED(&view.ip6.sin6_addr);
}

/* Would a listener on `bound` hear a call to `called`? */
static bool
address_reaches(const struct io_address *bound, const struct io_address *called)
{
    if (!address_is_ip(bound) || !address_is_ip(called)) {
        return bound->bytes == called->bytes && memcmp(bound->raw, called->raw, bound->bytes) == 0;
    }
    union address_view a = address_view(bound), b = address_view(called);
    if (a.any.sa_family != b.any.sa_family || address_port(bound) != address_port(called)) {
        return false;
    }
    if (address_is_any(bound) || address_is_any(called)) {
        return true;
    }
    return a.any.sa_family == AF_INET
               ? a.ip4.sin_addr.s_addr == b.ip4.sin_addr.s_addr
               : memcmp(&a.ip6.sin6_addr, &b.ip6.sin6_addr, sizeof(a.ip6.sin6_addr)) == 0;
}

static struct sim_listener *
listener_at(struct sim_network *network, const struct io_address *address)
{
    for (struct sim_listener *at = network->listeners; at; at = at->next) {
        if (address_reaches(&at->address, address)) {
            return at;
        }
    }
    return NULL;
}

static uint16_t
network_port(struct sim_network *network)
{
    uint16_t port = network->port_next++;
    if (network->port_next < SIM_PORT_EPHEMERAL) {
        network->port_next = SIM_PORT_EPHEMERAL;
    }
    return port;
}

/* The address a caller of `called` has: the same family, this machine, a port of its own. */
static struct io_address
address_of_caller(struct sim_network *network, const struct io_address *called)
{
    struct io_address from = *called;
    if (address_is_ip(called)) {
        address_set_port(&from, network_port(network));
    } else {
        from.bytes = sizeof(sa_family_t); /* an unnamed unix socket */
    }
    return from;
}

/* -------------------------------------------------------------------------------------- handles */

static bool
network_full(const struct sim_network *network)
{
    size_t max = network->sim->options.sockets_max;
    return max > 0 && network->sockets_open >= max;
}

struct sim_end *
sim_network_end(struct io *io, io_socket handle)
{
    struct sim_socket *socket = sim_handle_socket(io, handle);
    return socket && !socket->listening ? (struct sim_end *)socket : NULL;
}

/* ----------------------------------------------------------------------------------------- life */

struct sim_network *
sim_network_new(struct sim *sim)
{
    struct sim_network *network = sim_memory(sizeof(*network));
    network->sim = sim;
    network->port_next = SIM_PORT_EPHEMERAL;
    return network;
}

void
sim_network_free(struct sim_network *network)
{
    sim_peer_free_all(network);
    while (network->connections) {
        network->connections->holds = 1;
        sim_connection_put(network->connections);
    }
    for (struct sim_listener *at = network->listeners, *next; at; at = next) {
        next = at->next;
        free(at);
    }
    sim_handles_free(network);
    free(network);
}

uint64_t
sim_network_delay_ns(struct sim *sim)
{
    uint64_t max_ns = sim->options.network_delay_ns_max ? sim->options.network_delay_ns_max
                                                        : (uint64_t)DELAY_NS_MAX_DEFAULT;
    return 1 + sim_chance_below(&sim->network_chance, max_ns);
}

/* ------------------------------------------------------------------------------------ listening */

int
sim_network_listen(struct io *io, const struct io_address *address, int backlog, io_socket *out,
                   struct io_address *out_bound)
{
    struct sim_network *network = sim_of_io(io)->network;
    struct io_address bound = *address;
    if (address_is_ip(&bound) && address_port(&bound) == 0) {
        do {
            address_set_port(&bound, network_port(network));
        } while (listener_at(network, &bound));
    }
    if (listener_at(network, &bound)) {
        return -EADDRINUSE;
    }
    if (network_full(network)) {
        return -EMFILE;
    }
    struct sim_listener *listener = sim_memory(sizeof(*listener));
    listener->socket = (struct sim_socket){.sim = network->sim, .listening = true};
    listener->address = bound;
    listener->backlog_max = backlog > 0 ? (unsigned)backlog : BACKLOG_MAX_DEFAULT;
    listener->last = &listener->first;
    listener->next = network->listeners;
    network->listeners = listener;
    *out = sim_handle_give(network, &listener->socket);
    if (out_bound) {
        *out_bound = bound;
    }
    return 0;
}

/* Any of the accepts that wait, for several loops may share a listener; NULL: none. */
static struct sim_request *
listener_acceptor(struct sim_listener *listener)
{
    uint64_t count = 0;
    for (struct sim_request *at = listener->socket.waiting_first; at; at = at->next) {
        count += !at->paused;
    }
    uint64_t choice = sim_chance_below(&listener->socket.sim->network_chance, count);
    struct sim_request *at = count > 0 ? listener->socket.waiting_first : NULL;
    while (at && (at->paused || choice > 0)) {
        choice -= !at->paused;
        at = at->next;
    }
    return at;
}

static void listener_offer(struct sim_listener *listener);

static void
accept_resume(void *context)
{
    struct sim_request *request = sim_request_fired(context);
    if (request) {
        request->paused = false;
        listener_offer((struct sim_listener *)request->socket);
    }
}

static void
listener_offer(struct sim_listener *listener)
{
    struct sim_network *network = listener->socket.sim->network;
    while (listener->first) {
        struct sim_request *request = listener_acceptor(listener);
        if (!request) {
            return;
        }
        if (network_full(network)) {
            request->paused = true;
            sim_request_later(request, ACCEPT_PAUSE_NS, accept_resume);
            sim_request_announce(request, -EMFILE);
            continue;
        }
        struct sim_end *end = listener->first;
        listener->first = end->backlog_next;
        if (!listener->first) {
            listener->last = &listener->first;
        }
        listener->backlog--;
        request->loop->stats.accepts++;
        sim_request_announce(request, sim_handle_give(network, &end->socket));
    }
}

static void
accept_fire(void *context)
{
    struct sim_request *request = sim_request_fired(context);
    if (!request || sim_request_cancelled_early(request)) {
        return;
    }
    if (!request->socket || !request->socket->listening) {
        sim_request_finish(request, -EBADF);
        return;
    }
    if (sim_request_wait(request)) {
        listener_offer((struct sim_listener *)request->socket);
    }
}

void
sim_network_accept(struct io *io, struct io_op *op, io_socket listener)
{
    struct sim_request *request =
        sim_request_new(io, op, SIM_ACCEPT, sim_handle_socket(io, listener));
    sim_request_submit(request, accept_fire);
}

static void
listener_close(struct sim_network *network, struct sim_listener *listener)
{
    struct sim_listener **at = &network->listeners;
    while (*at != listener) {
        at = &(*at)->next;
    }
    *at = listener->next;
    for (struct sim_end *end = listener->first, *next; end; end = next) {
        next = end->backlog_next;
        sim_end_close(end, true);
    }
    free(listener);
}

/* ----------------------------------------------------------------------------------- connecting */

static void
attempt_drop(void *context)
{
    free(context);
}

static void
attempt_answer(void *context)
{
    struct sim_attempt *attempt = context;
    struct sim_connection *connection = attempt->connection;
    attempt->answer(attempt, connection ? &connection->ends[0] : NULL, attempt->error);
    free(attempt);
}

/* The request has reached the other side: there, the connection exists from now on. */
static void
attempt_arrive(void *context)
{
    struct sim_attempt *attempt = context;
    struct sim *sim = attempt->sim;
    struct sim_listener *listener = listener_at(sim->network, &attempt->address);
    if (sim_host_is_silent(sim, &attempt->address)) {
        attempt->error = -ETIMEDOUT;
        sim_later(sim, SILENCE_NS, attempt_answer, attempt_drop, attempt);
        return;
    }
    if (!listener) {
        attempt->error = address_is_ip(&attempt->address) ? -ECONNREFUSED : -ENOENT;
    } else if (listener->backlog >= listener->backlog_max) {
        sim_later(sim, CONNECT_AGAIN_NS, attempt_arrive, attempt_drop, attempt);
        return;
    } else {
        struct sim_connection *connection = sim_connection_new(sim->network);
        struct sim_end *end = &connection->ends[1];
        connection->ends[0].remote = attempt->address;
        end->remote = attempt->from;
        attempt->connection = connection;
        *listener->last = end;
        listener->last = &end->backlog_next;
        listener->backlog++;
        listener_offer(listener);
    }
    sim_later(sim, sim_network_delay_ns(sim), attempt_answer, attempt_drop, attempt);
}

void
sim_attempt_start(struct sim_attempt *attempt)
{
    struct sim *sim = attempt->sim;
    attempt->from = address_of_caller(sim->network, &attempt->address);
    sim_later(sim, sim_network_delay_ns(sim), attempt_arrive, attempt_drop, attempt);
}

static void
connect_answered(struct sim_attempt *attempt, struct sim_end *end, int error)
{
    struct sim_request *request = sim_request_fired(attempt->request);
    struct sim_network *network = attempt->sim->network;
    network->sockets_open--;
    if (request) {
        sim_request_finish(request, end ? sim_handle_give(network, &end->socket) : error);
    } else if (end) {
        sim_end_close(end, true);
    }
}

/* The caller's socket counts from the start, though it gets its handle with the answer. */
static void
connect_fire(void *context)
{
    struct sim_request *request = sim_request_fired(context);
    if (!request || sim_request_cancelled_early(request)) {
        return;
    }
    struct sim_network *network = sim_of(request->loop->io.driver)->network;
    if (network_full(network)) {
        sim_request_finish(request, -EMFILE);
        return;
    }
    network->sockets_open++;
    struct sim_attempt *attempt = sim_memory(sizeof(*attempt));
    attempt->sim = network->sim;
    attempt->address = *request->address;
    attempt->answer = connect_answered;
    attempt->request = request;
    request->holds++;
    sim_attempt_start(attempt);
}

void
sim_network_connect(struct io *io, struct io_op *op, const struct io_address *address)
{
    struct sim_request *request = sim_request_new(io, op, SIM_CONNECT, NULL);
    request->address = address;
    sim_request_submit(request, connect_fire);
}

int
sim_network_peer(struct io *io, io_socket socket, struct io_address *out)
{
    struct sim_end *end = sim_network_end(io, socket);
    if (!end) {
        return -EBADF;
    }
    if ((socket & SIM_SETTLED) != 0) {
        return -EOPNOTSUPP;
    }
    *out = end->remote;
    return 0;
}

/* Active operations are the caller's bug, unless the loops have stopped: then nothing will end them
 * any more. */
void
sim_network_close(struct io *io, io_socket handle, bool abort)
{
    struct sim_socket *socket = sim_handle_socket(io, handle);
    ASSERT(socket && (socket->active == 0 || sim_over(socket->sim)));
    struct sim_network *network = socket->sim->network;
    sim_handle_take_back(network, socket);
    if (socket->listening) {
        listener_close(network, (struct sim_listener *)socket);
    } else {
        sim_end_close((struct sim_end *)socket, abort);
    }
}
