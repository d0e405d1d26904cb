/* SPDX-License-Identifier: Apache-2.0 */
/* handoff.h - a descriptor on its way from one actor to another that is being started.
 *
 * The giver asks a supervisor for the taker and may be ended, or told of a failure, while it waits:
 * then it can't know whether the taker has begun. So the two agree over a ticket, which one of them
 * wins: a descriptor is closed by exactly one actor, and never twice.
 *
 *     error = handoff_offer(&messenger->handoffs, descriptor, &handoff);
 *     ticket = handoff.ticket;
 *     ref = ln_supervisor_request_child(supervisor, &start, ...);      the ticket goes along
 *     ... and when that is answered, or the call has returned:
 *     handoff_end(&handoff);                                           closes what nobody took
 *     ... and in the taker's init:
 *     if (!handoff_take(start->messenger->handoffs, start->ticket)) { return -ECANCELED; }
 *
 * Should the giver end without handoff_end, its resource does the same. Any scheduler.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"
#include "runtime/linnet.h"

#include <stdatomic.h>

enum {
    /* The listener is under way with 64, and each connection that moves home with one; a login
     * storm on many cores stays below. */
    HANDOFF_SLOTS = 1024,
};

/* All of a node, zeroed at first. */
struct handoffs {
    _Atomic uint64_t tickets;              /* given out so far */
    _Atomic uint64_t slots[HANDOFF_SLOTS]; /* the ticket under way, or 0 */
};

/* The giver's half. The caller's memory: in its state, or of ln_alloc. */
struct handoff {
    struct ln_resource own;
    struct handoffs *handoffs;
    uint64_t ticket;
    io_socket descriptor;
};

/* Takes the descriptor. -EAGAIN: too many are under way; it is the caller's still. */
MUST_CHECK int handoff_offer(struct handoffs *handoffs, io_socket descriptor, struct handoff *out);
/* True: the descriptor that came with this ticket is the caller's, now and for good. */
MUST_CHECK bool handoff_take(struct handoffs *handoffs, uint64_t ticket);
/* Closes the descriptor with a reset, unless it was taken. */
void handoff_end(struct handoff *handoff);
