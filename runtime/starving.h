/* SPDX-License-Identifier: Apache-2.0 */
/* starving.h - the sockets of a scheduler that found no receive buffer: a queue, who came first is
 * first. Most sockets never do, so a place in it is a block of its own. For socket_input.c
 * alone. */
#pragma once

#include "runtime/scheduler.h"

struct ln_socket;

struct starving {
    struct ln_socket *socket;
    struct starving *next, **previous;
};

/* At the end. The place is the scheduler's until it is removed. */
struct starving *starving_add(struct scheduler *scheduler, struct ln_socket *socket);
/* Takes the place, wherever it is. */
void starving_remove(struct scheduler *scheduler, struct starving *starving);
