/* SPDX-License-Identifier: Apache-2.0 */
/* change.h - the request to edit or delete a message that was written before (request.h).
 *
 * A change is a message itself: it has a number of its sender's device, is accepted once, and is
 * answered like one (store_sent, with the number of the message that was changed). It goes to the
 * partition that the message went to; one that hides a message to its own user's. The buffer holds
 * an edit's new body and attachments.
 *
 * To a group's partition it is STORE_GROUP_REVISE (group.h): it knows of its messages, for a while,
 * who wrote them and when, from where until_ms and kept_until_ms count; author and original are not
 * looked at.
 *
 * Else the store does not know who wrote what and when once it is delivered: that the sender may
 * change this message until then is the asker's to find out. It does know what has been taken back,
 * for as long as kept_until_ms says.
 */
#pragma once

#include "store/request.h"

struct store_change {
    struct store_message message; /* recipient: the user whose inbox it goes to */
    uint64_t peer;                /* the chat, as that user sees it */
    uint64_t author;              /* of the message that is changed */
    uint64_t chat_number;
    uint64_t until_ms; /* -ETIME from then on; 0: never */
    uint64_t kept_until_ms;
    uint64_t original;      /* its entry in that inbox (store_sent); 0: not known */
    uint64_t expires_at_ms; /* its end (store_sent): no edit stays longer; 0: it stays */
    uint8_t kind;           /* enum store_change_kind */
    bool in_group;          /* HIDE: the peer is a group */
};
