/* SPDX-License-Identifier: Apache-2.0 */
/* partition_history.h - what telling a history (partition_history.c) and looking through all of
 * them (partition_history_sweep.c) both ask of a row: whether it is over, whose it is, how far the
 * chat has got. In the partition's own actor. */
#pragma once

#include "store/history.h"
#include "store/partition_priv.h"

enum { HISTORY_CHATS_MAX = 64 /* whose cursors are fetched at once */ };

/* How far things have got in a chat; of a group, how far the user has, and all have, as he was last
 * told. */
struct history_cursors {
    uint64_t delivered, read, peer_delivered, peer_read;
    bool member;               /* the chat is a group that the user is or was in */
    bool expired;              /* they pass over some: chat_expired */
    uint64_t gap_from, gap_to; /* of a group: the last messages that his full inbox did not take */
};
/* False: in the fetch; all are 0 then. */
bool history_cursors_get(struct partition *partition, uint64_t user, uint64_t chat,
                         struct history_cursors *out);

/* Whoever was to read it has, and that is how long it is kept: what expired nobody has, nor what is
 * not known to have come. An update is read with what was said
 * behind it; of a call nobody says when he has seen it, so that it is kept by none. */
bool history_is_read(const struct partition *partition, uint64_t user, uint64_t chat,
                     const struct store_entry *entry, const struct history_cursors *cursors);

/* Its time is over, or histories are off. */
bool history_has_expired(const struct partition *partition, const struct store_entry *entry);
