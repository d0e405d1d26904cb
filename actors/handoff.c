/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/handoff.h"

#include <errno.h>

static bool
slot_swap(_Atomic uint64_t *slot, uint64_t from, uint64_t to)
{
    return atomic_compare_exchange_strong_explicit(slot, &from, to, memory_order_acq_rel,
                                                   memory_order_relaxed);
}

bool
handoff_take(struct handoffs *handoffs, uint64_t ticket)
{
    return ticket != 0 && slot_swap(&handoffs->slots[ticket % HANDOFF_SLOTS], ticket, 0);
}

static void
handoff_release(struct ln_resource *resource)
{
    struct handoff *handoff = (struct handoff *)resource;
    if (handoff_take(handoff->handoffs, handoff->ticket)) {
        io_close(ln_io(), handoff->descriptor, true);
    }
}

int
handoff_offer(struct handoffs *handoffs, io_socket descriptor, struct handoff *out)
{
    for (unsigned tries = 0; tries < HANDOFF_SLOTS; tries++) {
        uint64_t ticket =
            1 + atomic_fetch_add_explicit(&handoffs->tickets, 1, memory_order_relaxed);
        if (slot_swap(&handoffs->slots[ticket % HANDOFF_SLOTS], 0, ticket)) {
            out->handoffs = handoffs;
            out->ticket = ticket;
            out->descriptor = descriptor;
            ln_own(&out->own, handoff_release);
            return 0;
        }
    }
    return -EAGAIN;
}

void
handoff_end(struct handoff *handoff)
{
    ln_disown(&handoff->own);
    handoff_release(&handoff->own);
}
