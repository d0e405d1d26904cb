/* SPDX-License-Identifier: Apache-2.0 */
/* apply_group.h - groups' part of apply (apply_priv.h):
 *
 *     apply_group.c          creation, messages                       in the group's partition
 *     apply_group_change.c   who is in it, what it is called, its rules
 *     apply_group_member.c   what its members' inboxes get of that    in a member's
 *     apply_group_cursor.c   how far members get, and what senders hear of it: both
 *     apply_group_revise.c   messages that are edited or deleted: both
 */
#pragma once

#include "store/apply_priv.h"
#include "store/group_ledger.h"

/* A command as windows know it. */
struct store_entry_message apply_group_command(uint64_t user, uint16_t device, uint64_t number);

/* apply_group_member.c: the group's members who live here, with what is read of each. */
void need_roster(const struct needs *needs, uint64_t group);
/* Whoever stands there in the roster; 0: nobody, or it is not known yet. What is asked about
 * meanwhile may move it, so it is looked at anew. */
uint64_t apply_group_roster_peek(const struct ledger *ledger, uint64_t group, uint32_t index);
/* For each member who lives here; `entry` has the group as peer. */
void apply_group_each(const struct apply *apply, const struct store_entry *entry,
                      void (*each)(const struct apply *apply, uint64_t user,
                                   const struct store_entry *entry));
/* The group is told that it has a member who does not exist, or not any more. */
void apply_group_missing(const struct apply *apply, uint64_t group, uint64_t user);
/* Puts the entry into the user's inbox; number and totals are the inbox's. False: there was no
 * room. */
bool apply_group_entry(const struct apply *apply, uint64_t user, struct record_head *head,
                       struct store_entry *entry);
/* Tells him that there was none. The caller writes head and membership. */
void apply_group_gap(const struct apply *apply, uint64_t user, uint64_t group,
                     struct record_head *head, struct record_membership *membership);

/* apply_group_cursor.c: the user's devices have stored everything up to `chat_number`. */
void apply_group_delivered(const struct apply *apply, uint64_t user, uint64_t group,
                           uint64_t chat_number);
/* What none of them had taken in above `after`, up to `chat_number`, is gone. */
void apply_group_expired(const struct apply *apply, uint64_t user, uint64_t group, uint64_t after,
                         uint64_t chat_number);
/* He will never have these; it is to be reported. The caller writes the membership. */
void apply_group_unseen(const struct apply *apply, uint64_t user, uint64_t group,
                        struct hole unseen, struct record_membership *membership);
