/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor_priv.h - the supervisor as its own files see it. For runtime/supervisor*.c alone.
 *
 *     supervisor.c           its children's lives: start, end, restart, stop
 *     supervisor_answer.c    what it is asked for: children listed, counted, added, ordered about
 *     supervisor_ask.c       asking it
 */
#pragma once

#include "runtime/check.h"
#include "runtime/children.h"
#include "runtime/supervisor.h"

enum supervisor_tag {
    SUPERVISOR_START_CHILD = LN_TAG_RUNTIME + 0x200, /* the argument; answered with a pid */
    SUPERVISOR_ADD_CHILD,                            /* struct ln_child; likewise */
    SUPERVISOR_TERMINATE_CHILD,                      /* struct child_request, and the two below */
    SUPERVISOR_RESTART_CHILD,                        /* answered with a pid */
    SUPERVISOR_DELETE_CHILD,
    SUPERVISOR_WHICH_CHILDREN, /* struct children_request; struct children_answer */
    SUPERVISOR_COUNT_CHILDREN, /* answered with struct ln_child_counts */
    SUPERVISOR_RESTART,        /* to itself, when a delay is over: the struct child * */
};

struct child_request {
    ln_pid pid; /* 0: by id */
    char id[LN_NAME_BYTES_MAX + 1];
};

struct children_request {
    uint32_t position, max;
};

struct children_answer {
    uint32_t position, count;
    struct ln_child_info children[];
};

struct child {
    const struct ln_child *spec;
    struct ln_child *added; /* that spec, where it was none of the table; ours */
    ln_pid pid;             /* 0: not running */
    void *argument;         /* a dynamic child's own copy for its restarts; NULL: the spec's */
    uint32_t bytes;
    uint32_t index; /* in a table */
    /* Its restarts after a delay. */
    struct child *next; /* in `waiting` */
    uint64_t timer;     /* 0: it does not wait */
    uint64_t started_ns;
    uint32_t delays; /* in a row */
};

struct supervisor {
    struct ln_resource own;
    struct ln_supervision spec;
    struct child **children; /* by position in the table */
    uint32_t children_max;
    uint32_t children_count;
    struct children crowd; /* a dynamic supervisor's children that run */
    uint32_t running;
    struct child *waiting; /* for their restarts */
    uint32_t waiting_count;
    uint64_t *restarts_ns; /* the last `intensity` of them, a ring */
    uint64_t restarts_count;
};

static inline bool
supervisor_dynamic(const struct supervisor *supervisor)
{
    return supervisor->spec.strategy == LN_DYNAMIC;
}

/* Whether a child has a struct child for as long as it runs, not only its pid. */
static inline bool
supervisor_keeps_records(const struct supervisor *supervisor)
{
    return !supervisor_dynamic(supervisor) || supervisor->spec.children[0].restart != LN_TEMPORARY;
}

/* ------------------------------------------------------------------------------- supervisor.c */

/* The child that runs under this pid, or NULL; one without a record is told of in *passing. */
struct child *supervisor_child(const struct supervisor *supervisor, ln_pid pid,
                               struct child *passing);
/* Starts a child that does not run and puts it into the books; waits for its init. 0 or init's
 * error. Yields. */
MUST_CHECK int supervisor_child_start(struct supervisor *supervisor, struct child *child);
/* Asks a running child to end, waits, kills it, waits. It runs still when the supervisor itself is
 * being killed. Yields. */
void supervisor_child_stop(struct supervisor *supervisor, struct child *child);
/* Frees a dynamic child that does not run; one of a table stays in it. One that is never started
 * again has no record to be freed: it lies on the caller's stack while something is done to it. */
void supervisor_child_forget(struct supervisor *supervisor, struct child *child);
/* A child that waits for its restart waits no more; any other: no effect. */
void supervisor_restart_cancel(struct supervisor *supervisor, struct child *child);
/* A child at the table's end; borrows the spec. */
struct child *supervisor_table_append(struct supervisor *supervisor, const struct ln_child *spec);
/* Takes one that neither runs nor waits out of the table, and frees it. */
void supervisor_table_remove(struct supervisor *supervisor, struct child *child);

/* ------------------------------------------------------------------------ supervisor_answer.c */

/* Answers a request about children; anything else: no effect. Yields where children start or
 * stop. */
void supervisor_answer(struct supervisor *supervisor, struct ln_msg *request);
