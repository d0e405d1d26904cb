/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor_priv.h - what is asked of a supervisor. For runtime/supervisor*.c alone. */
#pragma once

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
