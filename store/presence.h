/* SPDX-License-Identifier: Apache-2.0 */
/* presence.h - when users were last seen, as requests and answers carry it (request.h).
 *
 * Who is online is nobody's record: that is known to the actors who hear it. What outlives them is
 * one instant per user, told now and then for many users of a partition at once. Plain values.
 */
#pragma once

#include "store/request.h"

enum store_presence_tag {
    /* store_seen, buffer: struct store_seen_user [count] -> nothing. Of users who are all of this
     * partition; those who were removed are passed over. */
    STORE_SEEN = STORE_TAG_FIRST + 0x90,
    STORE_SEEN_GET, /* store_seen_get -> store_seen_at */
    /* store_strangers, buffer: the ids -> store_strangers_found. To the user's partition. */
    STORE_STRANGERS,
};

enum { STORE_SEEN_MAX = 1000 }; /* users in one request */

struct store_seen_user {
    uint64_t user;
    uint64_t at_ms; /* since 1970, not 0 */
};
struct store_seen {
    uint32_t count; /* 1 to STORE_SEEN_MAX */
};

struct store_seen_get {
    uint64_t user;
    uint64_t watcher; /* who asks */
};
struct store_seen_at {
    uint64_t at_ms; /* 0: never */
    bool met;       /* a message has passed, as far as the user's partition knows */
    bool sees_online, sees_last_seen; /* the user lets the watcher see it (state.h) */
};

/* Of these users, how many are strangers to this one: no message has passed between them. */
struct store_strangers {
    uint64_t user;
    uint32_t count; /* 1 to STORE_STRANGERS_MAX */
};
enum { STORE_STRANGERS_MAX = 256 };
struct store_strangers_found {
    uint32_t count;
};
