/* SPDX-License-Identifier: Apache-2.0 */
/* linnet_actors.h - all actors of a node, or some, as `ps` and `tree` show them. */
#pragma once

#include "runtime/check.h"
#include "tools/linnet_call.h"

#include <stddef.h>
#include <stdint.h>

enum { LINNET_LABEL_BYTES = 64 };

struct linnet_actor {
    uint64_t pid, parent; /* as numbers, for sorting and finding; parent 0: none */
    uint64_t count;       /* that it stands for */
    uint64_t mailbox, reductions, memory_bytes;
    char behaviour[LINNET_LABEL_BYTES];
    char name[LINNET_LABEL_BYTES];
    char state[16];
};

struct linnet_actors {
    struct linnet_actor *list;
    size_t count, max;
};

/* Adds the rows of an array. */
void linnet_actors_take(struct linnet_actors *actors, yajl_val page);
void linnet_actors_fini(struct linnet_actors *actors);
/* "0.12.3" */
const char *linnet_pid_text(uint64_t pid, char out[LINNET_LABEL_BYTES]);
