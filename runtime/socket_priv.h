/* SPDX-License-Identifier: Apache-2.0 */
/* socket_priv.h - what the scheduler asks of its sockets. For runtime/ alone. */
#pragma once

#include "runtime/scheduler.h"
#include "runtime/socket.h"

/* Starts the sends of this round, and the receives that found no buffer before. */
void sockets_flush(struct scheduler *scheduler);
/* Aborts every socket that is still closing. The node stops. */
void sockets_abort(struct scheduler *scheduler);
