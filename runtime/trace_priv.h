/* SPDX-License-Identifier: Apache-2.0 */
/* trace_priv.h - traces as a scheduler sees them. For runtime/ alone.
 *
 * `tracing` in struct scheduler is zero while no trace runs there: who sends or takes a message
 * asks for nothing else. Then a bit of the actor tells each trace that chose it. */
#pragma once

#include "runtime/actor.h"
#include "runtime/trace.h"

/* A message leaves, `from` as it stands in it; to `to`. */
void trace_sent(struct scheduler *scheduler, const struct ln_msg *msg, ln_pid to);
/* An actor takes one. */
void trace_taken(struct scheduler *scheduler, const struct actor *actor, const struct ln_msg *msg);
/* A chosen actor ends; its pid still leads to it. */
void trace_ended(struct scheduler *scheduler, struct actor *actor);
/* A request to this scheduler. Takes *msg. */
void trace_arrived(struct scheduler *scheduler, struct ln_msg **msg);
/* Nobody lives here any more. */
void traces_close(struct scheduler *scheduler);
