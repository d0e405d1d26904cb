/* SPDX-License-Identifier: Apache-2.0 */
/* group_left.h - who has left a group, of those who live in a partition: a message that they were
 * given can still be deleted for everyone.
 *
 *     table   owner   value
 *     LEFT    group   who left, and up to which message he was given them; the last one at the end
 *
 * Nobody is kept longer than the group knows who wrote what. Part of apply: never yields; the
 * record must be known to the delta.
 */
#pragma once

#include "store/effects.h"
#include "store/ledger.h"
#include "store/record.h"

/* Who left before so many others is forgotten. */
enum { GROUP_LEFT_MAX = 1024 };

struct group_left {
    uint64_t user;
    uint64_t last; /* message: nothing behind it was his */
};

static inline struct store_key
group_left_key(const struct ledger *ledger, uint64_t group)
{
    return record_key(ledger->partition, RECORD_LEFT, group, 0);
}

/* False: there are not so many, or they are not known yet. */
bool group_left_peek(const struct ledger *ledger, uint64_t group, uint32_t index,
                     struct group_left *out);
uint32_t group_left_count(const struct ledger *ledger, uint64_t group);

/* He has left. */
void group_left_add(struct ledger *ledger, struct effects *effects, uint64_t group,
                    const struct group_left *left);
/* Of messages up to `log_low` the group knows nothing any more: who was given no others is
 * forgotten. */
void group_left_prune(struct ledger *ledger, struct effects *effects, uint64_t group,
                      uint64_t log_low);
/* He is back, or no more. */
void group_left_remove(struct ledger *ledger, struct effects *effects, uint64_t group,
                       uint64_t user);
/* The group is no more. */
void group_left_forget(struct ledger *ledger, uint64_t group);
