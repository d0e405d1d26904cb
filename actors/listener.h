/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h - the actor that listens for clients and starts a connection for each, on the schedulers in turn. */
#pragma once

#include "actors/messenger.h"
#include "runtime/linnet.h"

/* The argument: a struct messenger *. Its init fails, and says why through messenger_failed, when it can't listen. */
extern const struct ln_behaviour listener_behaviour;
