/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_request.h"

#include "runtime/check.h"
#include "runtime/io/sim_network.h"

#include <errno.h>
#include <stdlib.h>

/* Between a turn's end and the first look at what it started. */
enum { SUBMIT_NS_MAX = 2000 };

struct sim_request *
sim_request_new(struct io *io, struct io_op *op, enum sim_kind kind, struct sim_socket *socket)
{
    struct sim *sim = sim_of_io(io);
    struct sim_request *request = sim_memory(sizeof(*request));
    request->op = op;
    request->loop = sim_loop_of(io);
    request->kind = kind;
    request->socket = socket;
    request->holds = 1;
    request->all_next = sim->requests;
    if (sim->requests) {
        sim->requests->all_previous = request;
    }
    sim->requests = request;
    if (socket) {
        socket->active++;
    }
    request->loop->stats.submitted++;
    op->active = true;
    op->more = false;
    op->kind = (uint16_t)kind;
    op->buffer = IO_BUFFER_NONE;
    op->next = NULL;
    op->cookie = (uint64_t)(uintptr_t)request;
    return request;
}

static void
request_put(struct sim_request *request)
{
    ASSERT(request->holds > 0);
    if (--request->holds > 0) {
        return;
    }
    struct sim *sim = sim_of(request->loop->io.driver);
    if (request->all_previous) {
        request->all_previous->all_next = request->all_next;
    } else {
        sim->requests = request->all_next;
    }
    if (request->all_next) {
        request->all_next->all_previous = request->all_previous;
    }
    free(request);
}

void
sim_request_free_all(struct sim *sim)
{
    for (struct sim_request *at = sim->requests, *next; at; at = next) {
        next = at->all_next;
        free(at);
    }
    sim->requests = NULL;
}

void
sim_request_later(struct sim_request *request, uint64_t delay_ns, void (*fire)(void *context))
{
    request->holds++;
    sim_later(sim_of(request->loop->io.driver), delay_ns, fire, NULL, request);
}

void
sim_request_submit(struct sim_request *request, void (*fire)(void *context))
{
    struct sim *sim = sim_of(request->loop->io.driver);
    sim_request_later(request, sim_chance_below(&sim->order, SUBMIT_NS_MAX), fire);
}

struct sim_request *
sim_request_fired(void *context)
{
    struct sim_request *request = context;
    if (request->finished) {
        request_put(request);
        return NULL;
    }
    request->holds--;
    ASSERT(request->holds > 0); /* its own until the last done */
    return request;
}

bool
sim_request_cancelled_early(struct sim_request *request)
{
    struct sim *sim = sim_of(request->loop->io.driver);
    if (!request->cancelled || sim_chance_one_in(&sim->order, 2)) {
        return false;
    }
    sim_request_finish(request, -ECANCELED);
    return true;
}

bool
sim_request_wait(struct sim_request *request)
{
    if (request->cancelled) {
        sim_request_finish(request, -ECANCELED);
        return false;
    }
    struct sim_socket *socket = request->socket;
    request->waiting = true;
    request->previous = socket->waiting_last;
    request->next = NULL;
    if (socket->waiting_last) {
        socket->waiting_last->next = request;
    } else {
        socket->waiting_first = request;
    }
    socket->waiting_last = request;
    return true;
}

static void
request_stop_waiting(struct sim_request *request)
{
    if (!request->waiting) {
        return;
    }
    struct sim_socket *socket = request->socket;
    request->waiting = false;
    if (request->previous) {
        request->previous->next = request->next;
    } else {
        socket->waiting_first = request->next;
    }
    if (request->next) {
        request->next->previous = request->previous;
    } else {
        socket->waiting_last = request->previous;
    }
}

void
sim_request_announce(struct sim_request *request, int32_t result)
{
    ASSERT(!request->finished);
    sim_loop_complete(request->loop, request, result, true);
}

void
sim_request_finish(struct sim_request *request, int32_t result)
{
    ASSERT(!request->finished);
    request_stop_waiting(request);
    request->finished = true;
    sim_loop_complete(request->loop, request, result, false);
}

void
sim_request_done(struct sim_request *request, int32_t result, bool more)
{
    struct io_op *op = request->op;
    struct sim *sim = sim_of(request->loop->io.driver);
    sim_note(sim, sim_mix((uint64_t)request->kind, (uint64_t)(uint32_t)result));
    request->announced = 0;
    op->more = more;
    if (!more) {
        op->active = false;
        op->cookie = 0;
        if (request->socket) {
            request->socket->active--;
        }
        request_put(request);
    }
    op->done(op, result);
}

static void
cancel_fire(void *context)
{
    struct sim_request *request = sim_request_fired(context);
    if (request) {
        sim_request_finish(request, -ECANCELED);
    }
}

/* One that has not been looked at yet keeps the mark and is ended, by chance or when it would wait,
 * at that look. A connect has no socket to wait on and may wait long for its answer: it is ended as
 * one that waits. */
void
sim_request_cancel(struct io *io, struct io_op *op)
{
    (void)io;
    if (!op->active) {
        return;
    }
    struct sim_request *request = (struct sim_request *)(uintptr_t)op->cookie;
    ASSERT(request && request->op == op);
    if (request->finished || request->cancelled) {
        return;
    }
    request->cancelled = true;
    if (request->waiting || request->kind == SIM_CONNECT) {
        sim_request_submit(request, cancel_fire);
    }
}
