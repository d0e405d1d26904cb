/* SPDX-License-Identifier: Apache-2.0 */
/* socket_priv.h - what the scheduler asks of its sockets. For runtime/ alone. */
#pragma once

#include "runtime/scheduler.h"
#include "runtime/socket.h"

/* What each of them takes of the scheduler's memory, at rest. */
size_t socket_bytes(void);
/* Starts the sends of this round, and the receives that found no buffer before. */
void sockets_flush(struct scheduler *scheduler);
/* The node stops: sockets without an owner have a last moment for what is queued. */
void sockets_hurry(struct scheduler *scheduler);
/* Frees the sockets without an owner, as they are: nothing runs any more. */
void sockets_discard(struct scheduler *scheduler);
