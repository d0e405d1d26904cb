/* SPDX-License-Identifier: Apache-2.0 */
/* split.h - of what a node's memory consists, as its shell tells: what an idle login costs, part by
 * part. Of two of these the difference is of interest. Called from inside an actor; yields. */
#pragma once

#include "tools/linnet_client.h"

#include <stdint.h>

enum split_part {
    SPLIT_CONNECTIONS, /* the actors with their state, and what they allocated: buffers too */
    SPLIT_SOCKETS,     /* the runtime's, without the kernel's part */
    SPLIT_ACTORS,      /* all other actors: supervisors, partitions */
    SPLIT_RUNTIME,     /* blocks that no actor is billed for: timers, monitors, messages, slots */
    SPLIT_FREE,        /* blocks for the next ones */
    SPLIT_ELSEWHERE,   /* resident, but not the schedulers': the store's tables, rings, libraries */
    SPLIT_PARTS
};

struct split {
    bool known;
    uint64_t bytes[SPLIT_PARTS];
};

/* `resident` is the process's, read at about the same time. A node that does not answer leaves it
 * unknown. */
void split_read(struct linnet_client *client, uint64_t resident, struct split *out);
/* "connection_actors" and the like, as JSON has them; and for people. */
const char *split_part_name(enum split_part part);
const char *split_part_text(enum split_part part);
