/* SPDX-License-Identifier: Apache-2.0 */
/* apply_group.h - groups' part of apply (apply_priv.h):
 *
 *     apply_group.c          creation, messages                       in the group's partition
 *     apply_group_change.c   who is in it, what it is called, its rules
 *     apply_group_member.c   what its members' inboxes get of that    in a member's
 *     apply_group_cursor.c   how far members get, and what senders hear of it: both
 */
#pragma once

#include "store/apply_priv.h"
#include "store/group_ledger.h"

/* A command as windows know it. */
struct store_entry_message apply_group_command(uint64_t user, uint16_t device, uint64_t number);

/* apply_group_member.c: the group's members who live here, with what is read of each. */
void need_roster(const struct needs *needs, uint64_t group);

/* apply_group_cursor.c: the user's devices have stored everything up to `chat_number`. */
void apply_group_delivered(const struct apply *apply, uint64_t user, uint64_t group,
                           uint64_t chat_number);
