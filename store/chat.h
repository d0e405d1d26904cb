/* SPDX-License-Identifier: Apache-2.0 */
/* chat.h - how far two users got in each other's messages.
 *
 * Each of the two has a record of the chat in their own partition, with four cursors that only
 * grow: how far the user got in what the peer wrote (decided here), and how far the peer got in
 * what the user wrote (told by the peer's partition). The first two are told to the peer's
 * partition in turn; the second two are told to the user's devices.
 *
 * All are state, so only the newest counts; so is what has expired, which goes the same ways.
 * Towards the peer's partition at most one receipt of a chat is on its way: what moves meanwhile is
 * told when that one has been acknowledged. In the user's inbox at most one mark of a chat waits: a
 * new one takes the old one out.
 *
 * Part of apply: never yields.
 */
#pragma once

#include "store/inbox.h"
#include "store/record_chat.h"

/* The record, or an empty one when there is none; false then. */
bool chat_get(const struct ledger *ledger, uint64_t user, uint64_t peer, struct record_chat *out);
/* One of which nothing is left to be known leaves no record. What has expired stays as it is. */
void chat_put(struct ledger *ledger, uint64_t user, uint64_t peer, const struct record_chat *chat);

/* What has expired in it, which few need to know; zeros: nothing, or there is no record. */
void chat_expired(const struct ledger *ledger, uint64_t user, uint64_t peer,
                  struct record_expired *out);
/* Puts the record with another one; something must have expired. */
void chat_put_expired(struct ledger *ledger, uint64_t user, uint64_t peer, struct record_chat *chat,
                      const struct record_expired *expired);

/* Whether a message has passed in it, as far as this partition knows: a block, a mute and a name
 * that is held make a record, too. What was swallowed has passed for who wrote it. */
static inline bool
chat_met(const struct record_chat *chat)
{
    return chat->last > 0 || chat->swallowed > 0 || chat->peer_delivered > 0 || chat->expired;
}

/* Whether the peer has written and was never told how far that got. */
static inline bool
chat_is_unheard(const struct record_chat *chat)
{
    return chat->last > 0 && chat->told_number == 0;
}

/* How long messages live that are sent now, as the user sees it, and as the peer does. */
static inline uint64_t
chat_ttl_ms(const struct record_chat *chat)
{
    return chat->ttl_alone.set ? chat->ttl_alone.ttl_ms : chat->ttl_ms;
}
static inline uint64_t
chat_peer_ttl_ms(const struct record_chat *chat)
{
    return chat->blocked && chat->peer_ttl_alone.set ? chat->peer_ttl_alone.ttl_ms : chat->ttl_ms;
}

/* Which of the two sides a mark is about. */
enum chat_side { CHAT_PEER, CHAT_OWN };

/* A chat and its owner's inbox, read, to be changed and written back. */
struct chat_owner {
    uint64_t user;
    uint64_t peer;
    struct record_head *head;
    struct record_chat *chat;
};

/* Tells the peer's partition how far the user got, and what has expired as the record has it,
 * unless it knows, or a receipt is still on its way. What was read is not told to whom the user has
 * blocked, nor by one whose read receipts are off: it is told with the first step after that has
 * ended. */
void chat_tell(struct ledger *ledger, struct effects *effects, const struct chat_owner *owner);

/* Whether the peer is to be told more of what the user has read than he was: receipts were off, or
 * he was blocked, and nothing has moved since. */
bool chat_owes_read(const struct record_head *head, const struct record_chat *chat);

/* Puts the chat's mark at the end of the user's inbox, with what has expired as the record has
 * it. */
void chat_mark(struct ledger *ledger, struct effects *effects, const struct chat_owner *owner,
               enum chat_side side);
