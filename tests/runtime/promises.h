/* SPDX-License-Identifier: Apache-2.0 */
/* promises.h - a story in which actors of every kind live and end, and those who watch them hold
 * the runtime to what it promised them:
 *
 *     numbers from one to another arrive in order, none missing, none after the sender's end
 *     a monitor's DOWN and a link's EXIT arrive, once, behind all that the ended actor sent
 *     a request is answered, once: by its callee, or because that ended
 *     a timer fires, once, and not before its time
 *     a pid whose actor has ended reaches nobody, even when its slot has a new tenant
 *     who is killed under a supervisor is there again, under the same name
 *
 * What does not hold ends the program; so does what does not come within ten (virtual) seconds.
 */
#pragma once

#include "runtime/node.h"

#include <stdint.h>

/* Of the next story. */
extern uint64_t promises_seed;
/* Few slots, so that pids' slots find new tenants soon. */
extern const struct ln_node_options promises_options;
void promises_story(void);
