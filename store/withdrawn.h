/* SPDX-License-Identifier: Apache-2.0 */
/* withdrawn.h - what a user has taken back of what he wrote, while copies of it wait for his other
 * devices.
 *
 * Where in his inbox the copy of a message stands nobody knows: to keep it would be a row for each.
 * So a deletion leaves a tombstone with its author, too, and whoever is given the inbox is given
 * such a copy without what it said, and none of its edits. Tombstones are looked for only up to
 * where the inbox had come when something was last taken back (record_head.withdrawn), so for
 * hardly anybody. Each stays until all devices are past where the inbox had come at its own
 * deletion.
 *
 * Part of apply: never yields.
 */
#pragma once

#include "store/entry.h"
#include "store/expiry.h"

struct apply;

/* The tombstone's key, of a copy or an edit's copy in the user's inbox. False: it is neither. */
bool withdrawn_key(const struct ledger *ledger, uint64_t user, const struct store_entry *entry,
                   struct store_key *out_key);

/* The user has taken back what he wrote to `peer`. Reads and writes the head. */
void withdrawn_put(const struct apply *apply, uint64_t user, uint64_t peer, uint64_t chat_number);

/* Whether the expiry is of such a tombstone: then it is decided with the user's head. */
bool withdrawn_is(const struct expiry *expiry);
/* Its time has come: removes it, or looks again later. */
void withdrawn_due(const struct apply *apply, const struct expiry *expiry);
