/* SPDX-License-Identifier: Apache-2.0 */
/* sessions.h - who is online on this scheduler: the table from users to their sessions. One actor
 * per scheduler, registered as "sessions.N"; it starts sessions under the supervisor
 * "session-supervisor.N" and forgets those that end. */
#pragma once

#include "actors/messenger.h"
#include "runtime/linnet.h"

/* The argument: a struct messenger *. */
extern const struct ln_behaviour sessions_behaviour;

/* "sessions.3", the names of the actors that each scheduler has one of. */
enum { HOME_NAME_BYTES = 32 };
void home_name(const char *what, unsigned scheduler, char out[HOME_NAME_BYTES]);
