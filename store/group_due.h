/* SPDX-License-Identifier: Apache-2.0 */
/* group_due.h - groups about which a partition has something to say that may wait a moment:
 * receipts, on their way to the group or to those who wrote.
 *
 * A receipt by itself is small and there are as many as there are deliveries; gathered for a
 * fraction of a second they become one record per group. Which groups that are is part of the
 * partition's data (ledger.h): what has not been told at a crash is told after it.
 *
 *     group_due_at(due, group)->report = true;
 *     ...
 *     for (i = 0; i < due->capacity; i++) { ... due->places[i], unless its group is 0 ... }
 *     ...
 *     found->report = false; group_due_settle(due, found);
 *
 * A hash table with linear probing. On the partition's scheduler.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct group_due {
    uint64_t group; /* 0: an empty place */
    bool report;    /* here are members whose cursors its partition does not know */
    bool tell;      /* it lives here, and its senders don't know what its members reported */
    bool report_asked, tell_asked; /* a command is on its way; not part of the data */
};

/* Embedded; may be read. */
struct group_dues {
    struct group_due *places;
    uint32_t count;
    uint32_t capacity; /* a power of two, or 0 */
};

void group_dues_init(struct group_dues *due);
void group_dues_fini(struct group_dues *due);

/* The group's place, new if need be. Borrowed until the next group_due_at or group_due_settle. */
struct group_due *group_due_at(struct group_dues *due, uint64_t group);
/* NULL: it has none. */
struct group_due *group_due_find(const struct group_dues *due, uint64_t group);
/* Gives the place up if nothing is due any more. */
void group_due_settle(struct group_dues *due, struct group_due *at);
