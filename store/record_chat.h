/* SPDX-License-Identifier: Apache-2.0 */
/* record_chat.h - CHAT: a chat of two as one of them sees it. As record.h has it.
 */
#pragma once

#include "store/expired.h"
#include "store/record.h"

struct record_ttl_alone {
    bool set;
    uint64_t ttl_ms;
};

/* A chat as one of the two sees it. What the peer wrote is numbered here, in the user's
 * partition. */
struct record_chat {
    uint64_t last; /* number of the newest message that the peer wrote to the user */
    uint64_t delivered;
    uint64_t read;
    uint64_t told_number; /* the stream's record that tells the peer of the next two; 0: none did */
    uint64_t told_delivered;
    uint64_t told_read;
    uint64_t peer_delivered; /* of what the user wrote, as the peer's partition told */
    uint64_t peer_read;
    uint64_t mark;  /* inbox number of the chat's mark; 0: there never was one */
    bool mark_peer; /* what the mark tells: the peer's cursors, the user's own */
    bool mark_own;
    bool held;               /* the peer is not there yet, and counts among record_head.holds */
    uint64_t held_until_ms;  /* no longer than that; 0: not known (an older linnet's record) */
    bool blocked;            /* the user has blocked the peer */
    uint64_t muted_until_ms; /* what the peer writes wakes none of the user's devices */
    uint64_t swallowed;      /* messages that the peer wrote while it was blocked */
    bool expired;            /* some of what one of the two wrote has: record_expired tells which */
    bool expired_due;        /* the peer's partition has not been told all of that yet */
    /* How long messages live that are sent from now on (0: for good), and who set it when. */
    uint64_t ttl_ms;
    uint64_t ttl_at_ms;
    uint64_t ttl_by;
    /* The same, set since by the user whom the peer has blocked, and by the peer whom the user has:
     * it holds for who set it alone. */
    struct record_ttl_alone ttl_alone, peer_ttl_alone;
};
/* Which of a chat's messages no device took in. Few chats have it: it stands at the end of their
 * records, and is decoded by itself. */
struct record_expired {
    struct expired here;  /* of what the peer wrote */
    struct expired there; /* of what the user wrote, as the peer's partition told */
};
/* `expired` is read where chat->expired says that there is something. */
size_t record_chat_encode(const struct record_chat *chat, const struct record_expired *expired,
                          unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_chat_decode(struct store_value value, struct record_chat *out);
/* Zeros: nothing has expired. */
MUST_CHECK int record_expired_decode(struct store_value value, struct record_expired *out);
