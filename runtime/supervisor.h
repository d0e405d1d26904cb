/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.h - actors that start others, watch them, and start them again.
 *
 * OTP's supervisor (https://www.erlang.org/doc/man/supervisor.html), as tables:
 *
 *     static const struct ln_child children[] = {
 *         {.id = "log", .behaviour = &log_behaviour, .restart = LN_PERMANENT, .shutdown_ms = 5000},
 *         {.id = "rooms", .behaviour = &ln_supervisor, .argument = &rooms, .bytes = sizeof rooms},
 *     };
 *     static const struct ln_supervision tree = {LN_ONE_FOR_ONE, 3, 5000, children, 2};
 *     ln_spawn(&ln_supervisor, &tree, sizeof tree, NULL, &pid);
 *
 * Children start in the order of the table, each after the init of the one before, and stop in
 * reverse: asked (LN_TAG_STOP / shutdown), then killed after shutdown_ms. More than `intensity`
 * restarts within `period_ms` end the supervisor itself. A dynamic supervisor has one child spec as
 * a template and starts children on request.
 */
#pragma once

#include "runtime/linnet.h"

LN_BEGIN

enum ln_strategy { LN_ONE_FOR_ONE, LN_ONE_FOR_ALL, LN_REST_FOR_ONE, LN_DYNAMIC };
enum ln_restart { LN_PERMANENT, LN_TRANSIENT, LN_TEMPORARY };

struct ln_child {
    const char *id; /* a literal */
    const struct ln_behaviour *behaviour;
    const void *argument; /* borrowed for the supervisor's life, copied at each start */
    size_t bytes;
    enum ln_restart restart;
    uint32_t
        shutdown_ms;  /* 0: LN_SHUTDOWN_MS; supervisors as children wait for their own children */
    const char *name; /* registered at each start, or NULL */
    bool elsewhere;   /* use `scheduler` */
    int scheduler;
};

struct ln_supervision {
    enum ln_strategy strategy;
    uint32_t intensity;
    uint32_t period_ms;
    const struct ln_child
        *children; /* borrowed for the supervisor's life; LN_DYNAMIC: the one template */
    uint32_t children_count;
};

/* The behaviour; its argument is a struct ln_supervision. */
extern LN_API const struct ln_behaviour ln_supervisor;

/* Asks a dynamic supervisor for a child with this argument (copied, kept for restarts unless
 * temporary). Waits for its init. Yields. 0, init's error, or what ln_call returns.
 * supervisor:start_child/2. */
LN_API LN_MUST_CHECK int ln_supervisor_start_child(ln_pid supervisor, const void *argument,
                                                   size_t bytes, ln_pid *out);

LN_END
