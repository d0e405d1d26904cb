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
 * Called from inside an actor other than the supervisor.
 *
 * Children start in the order of the table, each after the init of the one before, and stop in
 * reverse: asked (LN_TAG_STOP / shutdown), then killed after shutdown_ms. More than `intensity`
 * restarts within `period_ms` end the supervisor itself: what it ends with is its own supervisor's
 * affair, and the root's end is the node's. A dynamic supervisor has one child spec as a template
 * and starts children on request.
 *
 * A child with `backoff_ms` is started again after a delay, during which the supervisor serves the
 * others: backoff_ms after its first end, twice that after the next, up to backoff_max_ms; a child
 * that has lived for longer than that begins anew. Of each delay a random part of up to half is
 * taken off, so that what failed together does not come back together. one_for_all and rest_for_one
 * stop the others at once and start them when the delay is over.
 *
 * A child's name that still belongs to an actor that is ending, as after a supervisor was killed
 * and another starts in its place, is waited for, LN_SHUTDOWN_MS at most.
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
    uint32_t init_ms;        /* what its init may take, else -ETIMEDOUT; 0: as long as it takes */
    uint32_t backoff_ms;     /* before it is started again; 0: at once */
    uint32_t backoff_max_ms; /* what the delay grows to; 0: LN_BACKOFF_MAX_MS */
};

struct ln_supervision {
    enum ln_strategy strategy;
    uint32_t intensity;
    uint32_t period_ms;
    const struct ln_child
        *children; /* borrowed for the supervisor's life; LN_DYNAMIC: the one template */
    uint32_t children_count;
};

/* The behaviour; its argument is a struct ln_supervision. One that is linked to who spawned it
 * stops its children and itself, with SHUTDOWN, when that ends or asks for it (ln_kill). */
extern LN_API const struct ln_behaviour ln_supervisor;

/* All of these ask a supervisor. All but ln_supervisor_request_child wait for its answer, and
 * yield: 0, the error that is named, or what ln_call returns; -ECANCELED at once when the caller is
 * being ended. timeout_ms is how long to wait, LN_FOREVER that what takes time are inits of
 * children and, at a stop, shutdown_ms of each. After -ETIMEDOUT the supervisor does what it was
 * asked for all the same, once it comes to it. */

/* Asks a dynamic supervisor for a child with this argument (copied, kept for restarts unless
 * temporary). Waits for its init, whose error it returns. supervisor:start_child/2. */
LN_API LN_MUST_CHECK int ln_supervisor_start_child(ln_pid supervisor, const void *argument,
                                                   size_t bytes, uint64_t timeout_ms, ln_pid *out);
/* The same without waiting: the answer comes as that to ln_request does, under the reference that
 * is returned, with the child's pid or the error. Many may be under way. Never yields. */
LN_API uint64_t ln_supervisor_request_child(ln_pid supervisor, const void *argument, size_t bytes);
/* Adds a child to the end of a supervisor's table and starts it, likewise. What the spec points to
 * is borrowed for the supervisor's life. -EEXIST: there is one of this id. */
LN_API LN_MUST_CHECK int ln_supervisor_add_child(ln_pid supervisor, const struct ln_child *spec,
                                                 uint64_t timeout_ms, ln_pid *out);

/* Stops a child of a table, be it running or waiting for its restart; it stays in the table, not
 * running, until ln_supervisor_restart_child or a restart of all. -ENOENT: no such id. */
LN_API LN_MUST_CHECK int ln_supervisor_terminate_child(ln_pid supervisor, const char *id,
                                                       uint64_t timeout_ms);
/* Stops a child of a dynamic supervisor and forgets it. Walks all children. -ENOENT. */
LN_API LN_MUST_CHECK int ln_supervisor_terminate_pid(ln_pid supervisor, ln_pid child,
                                                     uint64_t timeout_ms);
/* Starts a child of a table that does not run: -ENOENT, -EEXIST (it runs), -EBUSY (its restart is
 * on its way), or its init's error. */
LN_API LN_MUST_CHECK int ln_supervisor_restart_child(ln_pid supervisor, const char *id,
                                                     uint64_t timeout_ms, ln_pid *out);
/* Takes a child that does not run out of the table. -ENOENT; -EBUSY: terminate it first. */
LN_API LN_MUST_CHECK int ln_supervisor_delete_child(ln_pid supervisor, const char *id,
                                                    uint64_t timeout_ms);

enum ln_child_state { LN_CHILD_RUNNING, LN_CHILD_RESTARTING, LN_CHILD_STOPPED };
struct ln_child_info {
    const char *id;
    const struct ln_behaviour *behaviour;
    ln_pid pid; /* 0: it does not run */
    enum ln_child_state state;
    enum ln_restart restart;
};
enum { LN_CHILDREN_PAGE = 256 };
/* Up to `max` (at most LN_CHILDREN_PAGE) children from *position on, in the order of the table;
 * *position moves to where to go on, 0 when that was all. Between two pages dynamic children come
 * and go. */
LN_API LN_MUST_CHECK int ln_supervisor_which_children(ln_pid supervisor, uint32_t *position,
                                                      uint64_t timeout_ms,
                                                      struct ln_child_info *out, uint32_t max,
                                                      uint32_t *out_count);
struct ln_child_counts {
    uint32_t specs; /* of the table, or children of a dynamic supervisor */
    uint32_t active, restarting;
    uint32_t supervisors, workers; /* of those specs */
};
/* How many children a supervisor has. 0 or what ln_call returns. Yields. */
LN_API LN_MUST_CHECK int ln_supervisor_count_children(ln_pid supervisor, uint64_t timeout_ms,
                                                      struct ln_child_counts *out);

LN_END
