/* SPDX-License-Identifier: Apache-2.0 */
/* overflow.h - which faults are an actor's own: it ran out of its stack. For runtime/ alone. */
#pragma once

#include "runtime/io/io.h"

#include <stdbool.h>

struct scheduler;

/* Functions that call an actor's code and have nothing half done meanwhile. */
#define ENTERS_ACTOR __attribute__((noinline, section("linnet_entry")))

/* Whether the fault is a stack overflow of the scheduler's current actor, in its own code from
 * where the runtime called it on; *out_depth is then the number of its calls. From the handler. */
bool overflow_is_actors(const struct scheduler *scheduler, const struct io_fault *fault,
                        unsigned *out_depth);
