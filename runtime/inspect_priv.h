/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_priv.h - how one asks a scheduler itself, for inspect.c and trace.c.
 *
 *     struct look look = {.node = node, .timeout_ms = timeout_ms};
 *     int error = look_ask(&look, scheduler, SIGNAL_LIST, &request, sizeof request);
 *     ... look.data, when it is 0 ...
 *     look_end(&look);
 */
#pragma once

#include "runtime/door.h"
#include "runtime/node_priv.h"

/* Who asks: an actor (no node), or another thread; and what was answered. */
struct look {
    struct ln_node *node;
    uint64_t timeout_ms; /* another thread's */
    bool whatever;       /* an actor that is being ended waits for the answer nevertheless */
    struct ln_msg *msg;
    struct door_answer outside;
    const void *data; /* the answer's, until look_end */
};

int look_ask(struct look *look, unsigned scheduler, uint32_t tag, const void *request,
             size_t bytes);
void look_end(struct look *look);
