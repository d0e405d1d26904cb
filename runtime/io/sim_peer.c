/* SPDX-License-Identifier: Apache-2.0 */
/* The peers of tests: an end of a connection without a loop, whose callbacks run straight from the
 * agenda.
 *
 * A peer takes whatever it is told to send and keeps what does not fit until there is room; it
 * reads at once unless paused. Callbacks may call anything on any peer, sim_peer_free on their own
 * included: the peer's memory stays until the last entry of the agenda that names it has fired.
 */
#include "runtime/check.h"
#include "runtime/io/sim_network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DELIVER_BYTES_MAX = 16 * 1024 }; /* one call of `received` */

struct sim_peer {
    struct sim *sim;
    struct sim_end *end; /* NULL: not connected, or no longer */
    struct sim_peer_events events;
    void *context;
    unsigned holds; /* one until freed, one per entry of the agenda */
    bool freed, paused, shut, cut, told_closed;
    bool heard; /* an entry of the agenda is on its way */
    unsigned char *unsent;
    size_t unsent_bytes, unsent_room;
    struct sim_peer *next, *previous;
};

static void
peer_put(struct sim_peer *peer)
{
    ASSERT(peer->holds > 0);
    if (--peer->holds > 0) {
        return;
    }
    if (peer->previous) {
        peer->previous->next = peer->next;
    } else {
        peer->sim->network->peers = peer->next;
    }
    if (peer->next) {
        peer->next->previous = peer->previous;
    }
    free(peer->unsent);
    free(peer);
}

void
sim_peer_free_all(struct sim_network *network)
{
    while (network->peers) {
        network->peers->holds = 1;
        peer_put(network->peers);
    }
}

/* ------------------------------------------------------------------------------------------ out */

static void
peer_flush(struct sim_peer *peer)
{
    if (!peer->end || peer->end->reset || peer->end->out->shut) {
        return;
    }
    size_t room = sim_end_room(peer->end);
    size_t bytes = peer->unsent_bytes < room ? peer->unsent_bytes : room;
    if (bytes > 0) {
        struct iovec piece = {.iov_base = peer->unsent, .iov_len = bytes};
        sim_end_send(peer->end, &piece, 1, bytes);
        peer->unsent_bytes -= bytes;
        memmove(peer->unsent, peer->unsent + bytes, peer->unsent_bytes);
    }
    if (peer->shut && peer->unsent_bytes == 0) {
        sim_end_shutdown(peer->end);
    }
}

void
sim_peer_send(struct sim_peer *peer, const void *bytes, size_t count)
{
    ASSERT(!peer->freed && !peer->shut);
    if (count == 0 || peer->cut) {
        return;
    }
    if (peer->unsent_bytes + count > peer->unsent_room) {
        peer->unsent_room = 2 * (peer->unsent_bytes + count);
        peer->unsent = sim_resize(peer->unsent, peer->unsent_room, 1);
    }
    memcpy(peer->unsent + peer->unsent_bytes, bytes, count);
    peer->unsent_bytes += count;
    peer_flush(peer);
}

void
sim_peer_shutdown(struct sim_peer *peer)
{
    ASSERT(!peer->freed);
    peer->shut = true;
    peer_flush(peer);
}

void
sim_peer_cut(struct sim_peer *peer)
{
    ASSERT(!peer->freed);
    peer->cut = true;
    peer->told_closed = true;
    peer->unsent_bytes = 0;
    if (peer->end && !peer->end->reset) {
        sim_end_cut(peer->end);
    }
}

void
sim_peer_vanish(struct sim_peer *peer)
{
    ASSERT(!peer->freed);
    if (peer->end) {
        sim_connection_vanish(peer->end->connection);
    }
}

/* ------------------------------------------------------------------------------------------- in */

static void
peer_deliver(struct sim_peer *peer)
{
    while (peer->end && !peer->paused && !peer->cut && peer->end->in->arrived > 0) {
        size_t bytes = peer->end->in->arrived;
        bytes = bytes < DELIVER_BYTES_MAX ? bytes : DELIVER_BYTES_MAX;
        unsigned char *copy = sim_memory(bytes);
        (void)sim_end_take(peer->end, copy, bytes);
        if (peer->events.received) {
            peer->events.received(peer->context, peer, copy, bytes);
        }
        free(copy);
    }
}

static void
peer_tell_closed(struct sim_peer *peer)
{
    struct sim_end *end = peer->end;
    if (!end || peer->told_closed || peer->paused || end->in->arrived > 0) {
        return;
    }
    if (end->reset || end->ended) {
        peer->told_closed = true;
        if (peer->events.closed) {
            peer->events.closed(peer->context, peer, end->reset);
        }
    }
}

static void
peer_fire(void *context)
{
    struct sim_peer *peer = context;
    peer->heard = false;
    peer_flush(peer);
    peer_deliver(peer);
    peer_tell_closed(peer);
    peer_put(peer);
}

/* An entry of its own, so that no callback runs inside whatever moved the bytes. */
void
sim_peer_heard(struct sim_peer *peer)
{
    if (peer->heard || peer->freed) {
        return;
    }
    peer->heard = true;
    peer->holds++;
    sim_later(peer->sim, 0, peer_fire, NULL, peer);
}

void
sim_peer_pause(struct sim_peer *peer, bool paused)
{
    ASSERT(!peer->freed);
    peer->paused = paused;
    sim_peer_heard(peer);
}

/* ----------------------------------------------------------------------------------------- life */

static void
peer_answered(struct sim_attempt *attempt, struct sim_end *end, int error)
{
    struct sim_peer *peer = attempt->peer;
    if (peer->freed || peer->cut) {
        if (end) {
            sim_end_close(end, true);
        }
        peer_put(peer);
        return;
    }
    peer->end = end;
    if (end) {
        end->peer = peer;
    }
    if (peer->events.connected) {
        peer->events.connected(peer->context, peer, error);
    }
    if (!peer->freed) {
        sim_peer_heard(peer);
    }
    peer_put(peer);
}

struct sim_peer *
sim_peer_connect(struct io_driver *driver, const struct io_address *address,
                 const struct sim_peer_events *events, void *context)
{
    struct sim *sim = sim_of(driver);
    struct sim_peer *peer = sim_memory(sizeof(*peer));
    peer->sim = sim;
    peer->events = *events;
    peer->context = context;
    peer->holds = 2;
    peer->next = sim->network->peers;
    if (peer->next) {
        peer->next->previous = peer;
    }
    sim->network->peers = peer;

    struct sim_attempt *attempt = sim_memory(sizeof(*attempt));
    attempt->sim = sim;
    attempt->address = *address;
    attempt->answer = peer_answered;
    attempt->peer = peer;
    sim_attempt_start(attempt);
    return peer;
}

void
sim_peer_free(struct sim_peer *peer)
{
    if (!peer) {
        return;
    }
    ASSERT(!peer->freed);
    peer->freed = true;
    if (peer->end) {
        sim_end_close(peer->end, false);
        peer->end = NULL;
    }
    peer_put(peer);
}
