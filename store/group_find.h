/* SPDX-License-Identifier: Apache-2.0 */
/* group_find.h - where a group's message lies in a member's inbox.
 *
 * The group names its messages by their numbers in it; each member's inbox has numbers of its own.
 * So each entry points back: to the group's message before it, and to the last `post`, of which
 * there is one every 64 messages; the membership points to the newest. Nothing else has to be kept,
 * and what has left the inbox needs no looking for.
 *
 *     membership ─> 131 ─> 130 ─> 129 ─> 128 ─> ...       before
 *                    └──────┴──────┴───> 128 ──> 64       post
 *
 * Part of apply: never yields.
 */
#pragma once

#include "store/entry.h"
#include "store/ledger.h"
#include "store/record_group.h"

enum {
    GROUP_FIND_POST = 64,
    /* Entries that are looked at for one message: beyond, it is not found. */
    GROUP_FIND_STEPS = 256,
};

/* Points the message, that will be put into the member's inbox, back. */
void group_find_point(const struct record_membership *membership,
                      struct store_entry_message *message);
/* It has been put there. */
void group_find_note(struct record_membership *membership, const struct store_entry *entry);

/* How many entries of an inbox are looked at, at most, for a message of a group that has come so
 * far since. */
uint32_t group_find_steps(uint64_t last, uint64_t chat_number);

/* The message's entry above `low`; false: there is none, or not all on the way to it is known. All
 * keys on the way are told to `each`, if there is one. */
bool group_find(const struct ledger *ledger, uint64_t user, uint64_t low,
                const struct record_membership *membership, uint64_t chat_number,
                void (*each)(void *context, const struct store_key *key), void *context,
                struct store_entry *out);
