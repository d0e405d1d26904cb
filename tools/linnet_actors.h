/* SPDX-License-Identifier: Apache-2.0 */
/* linnet_actors.h - all actors of a node, as `ps` and `tree` show them. */
#pragma once

#include "runtime/check.h"
#include "tools/linnet_call.h"

#include <stddef.h>
#include <stdint.h>

enum { LINNET_LABEL_BYTES = 64 };

struct linnet_actor {
    uint64_t pid, parent; /* as numbers, for sorting and finding; parent 0: none */
    uint64_t mailbox, reductions, memory_bytes;
    char behaviour[LINNET_LABEL_BYTES];
    char name[LINNET_LABEL_BYTES];
    char state[16];
};

struct linnet_actors {
    struct linnet_actor *list;
    size_t count, max;
};

/* All of them, page by page, in no order that means anything. */
MUST_CHECK int linnet_actors_ask(struct linnet_call *call, struct linnet_actors *out);
void linnet_actors_fini(struct linnet_actors *actors);
/* "0.12.3" */
const char *linnet_pid_text(uint64_t pid, char out[LINNET_LABEL_BYTES]);
