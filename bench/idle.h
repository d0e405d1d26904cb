/* SPDX-License-Identifier: Apache-2.0 */
/* idle.h - two users who log in, greet each other and fall silent: they send a heartbeat now and
 * then, answer pings, acknowledge what may come, and call again when they are cut off (which is
 * counted).
 *
 * They are ready when both have been told that their greeting is durable, and have been shown the
 * other's: then each connection has been through all that one goes through.
 */
#pragma once

#include "runtime/linnet.h"

/* Its argument: a struct crowd_place; users 2 * index and 2 * index + 1 are its own. The second is
 * missing where the crowd's users are at an end; then the first greets nobody. */
extern const struct ln_behaviour idle_behaviour;
