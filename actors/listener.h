/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h - the actor that listens for clients and starts a connection for each, on the
 * schedulers in turn, as long as there is room (messenger.h) for it. */
#pragma once

#include "actors/messenger.h"
#include "runtime/check.h"
#include "runtime/linnet.h"
#include "runtime/socket.h"

enum {
    /* A killed node's listeners live until the kernel has torn down its rings, some milliseconds
     * after the process has gone; and a killed actor's until its descriptor is closed. Longer than
     * that: somebody else listens there. */
    LISTENER_PATIENCE_MS = 1000,
    /* Of messenger_room's connections_spare. */
    LISTENER_SPARE_MAX = 256,
};

/* The argument: a struct messenger *. Its init fails, and says why through messenger_failed, when
 * it can't listen. */
extern const struct ln_behaviour listener_behaviour;

/* ln_socket_listen, again and again for LISTENER_PATIENCE_MS while the address is in use.
 * Yields. */
MUST_CHECK int listener_open(const struct io_address *address, struct ln_socket **out,
                             struct io_address *out_bound);
