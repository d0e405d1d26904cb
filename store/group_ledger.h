/* SPDX-License-Identifier: Apache-2.0 */
/* group_ledger.h - a group's records in the ledger, read and written.
 *
 * In the group's partition: what it is, how many members each partition has, each member. In a
 * member's: who of its members lives here, how far each got. Part of apply: never yields; what is
 * read must be known to the delta, texts are borrowed until the ledger's next change.
 */
#pragma once

#include "store/effects.h"
#include "store/inbox.h"
#include "store/ledger.h"
#include "store/payload.h"
#include "store/record_group.h"

/* False: there is no such group, or not any more; *out is what is left of it, or zeroed. */
bool group_get(const struct ledger *ledger, uint64_t group, struct record_group *out);
void group_put(struct ledger *ledger, struct effects *effects, uint64_t group,
               const struct record_group *record);
void group_spread_get(const struct ledger *ledger, uint64_t group, struct record_spread *out);
void group_spread_put(struct ledger *ledger, struct effects *effects, uint64_t group,
                      const struct record_spread *spread);
/* False: never was one; *out is zeroed then: NOBODY. */
bool group_member_get(const struct ledger *ledger, uint64_t group, uint64_t user,
                      struct record_member *out);
void group_member_put(struct ledger *ledger, uint64_t group, uint64_t user,
                      const struct record_member *member);

/* Tells these partitions. */
void group_send_update(struct ledger *ledger, struct effects *effects, const uint64_t partitions[4],
                       const struct payload_group_update *update);
void group_spread_mark(const struct record_spread *spread, uint64_t partitions[4]);

/* Of the members who live here; false: there are none. */
bool roster_get(const struct ledger *ledger, uint64_t group, struct record_roster *out);
/* With `user`, or without; writes it if that changes it. */
void roster_add(struct ledger *ledger, struct effects *effects, uint64_t group, uint64_t user);
void roster_remove(struct ledger *ledger, struct effects *effects, uint64_t group, uint64_t user);

/* False: the user never was in the group; *out is zeroed then. */
bool membership_get(const struct ledger *ledger, uint64_t user, uint64_t group,
                    struct record_membership *out);
void membership_put(struct ledger *ledger, uint64_t user, uint64_t group,
                    const struct record_membership *membership);

/* What a mark is about. */
enum membership_news { MEMBERSHIP_OWN, MEMBERSHIP_GAP };
/* Puts the chat's mark at the end of the user's inbox; the caller writes head and membership. */
void membership_mark(struct ledger *ledger, struct effects *effects, uint64_t user, uint64_t group,
                     struct record_head *head, struct record_membership *membership,
                     enum membership_news news);
