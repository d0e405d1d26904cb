/* SPDX-License-Identifier: Apache-2.0 */
/* history.h - what was said, kept after all devices have it, if the operator wants that
 * (store_options.history_ms): as requests and answers carry it.
 *
 *     STORE_HISTORY, to the partition of the user whose history it is
 *
 * Everything that is said in a chat while history is on stands in the history of each who takes
 * part in it: what came into the user's inbox, what the user wrote, from whichever device, how a
 * group that he was in was changed, and how calls ended. It is told in the order in which it came
 * there, forwards or backwards. Of what was deleted it is told that it was; what has expired is not
 * told, nor, where that is how long it is kept (store_options.history_until_read), what has been
 * read.
 *
 *     size_t at = 0;
 *     struct store_history_row row;
 *     while (store_history_next(buffer, bytes, &at, &row)) { ... row.entry ... }
 */
#pragma once

#include "store/entry.h"
#include "store/expired.h"

/* For store_options.history_ms. */
#define STORE_HISTORY_OFF UINT64_C(0)
#define STORE_HISTORY_FOREVER UINT64_MAX

enum { STORE_HISTORY_MAX = 100 /* rows of one answer */ };

enum store_history_only {
    STORE_HISTORY_ANYTHING = 0,
    STORE_HISTORY_MESSAGES = 1,
    STORE_HISTORY_UPDATES = 2, /* of a group */
    STORE_HISTORY_CALLS = 3,   /* that have ended */
};

enum store_history_tag {
    /* store_history -> store_history_page, buffer: rows (store_history_next) */
    STORE_HISTORY = 0x000100B0,
};

struct store_history {
    uint64_t user;
    uint64_t chat;        /* the other user, or the group */
    uint64_t number;      /* rows beyond this one, as an earlier page told; 0: from the end */
    uint64_t sender;      /* his alone, an update's author's, a caller's; 0: anybody's */
    uint8_t content_kind; /* messages of this kind alone; 0: any */
    uint8_t only;         /* enum store_history_only */
    uint64_t from_ms;     /* accepted then or later; calls: ended */
    uint64_t to_ms;       /* and before; 0: until now */
    uint32_t max;         /* 0: STORE_HISTORY_MAX */
    uint32_t bytes_max;   /* of the buffer, but one row at least; 0: as much as fits */
    bool in_group;        /* the chat is a group: -ENXIO where the user was never in it */
    bool forward;         /* towards newer ones; without a number: from the oldest */
    /* forward alone: of all chats, this one and the number are where to go on */
    bool whole;
};
/* Rows and bytes are bounded, and so is what is looked through for them: a page may hold none
 * and still have more behind it. */
struct store_history_page {
    uint64_t reached; /* the next page's number */
    uint64_t chat;    /* and its chat */
    uint32_t count;
    bool more;
    /* How far the two got in each other's messages; a group: how far the user has, and all have, as
     * he was last told. Not of all chats. */
    uint64_t delivered, read, peer_delivered, peer_read;
    /* One to one, what these pass over: of what the other one wrote, and of what the user did. */
    struct expired expired, peer_expired;
};

/* How far a message has got: what another wrote, to this user; what he wrote, to the other one, or
 * to all members of the group, as he was last told. It only rises; but it is SENT where nothing is
 * said any more of who took it in (expired.h). */
enum store_history_state {
    STORE_HISTORY_NONE = 0, /* an update, a call */
    STORE_HISTORY_SENT = 1,
    STORE_HISTORY_DELIVERED = 2,
    STORE_HISTORY_READ = 3,
    STORE_HISTORY_EXPIRED = 4, /* one to one: no device of whom it was for took it in in time */
};
struct store_history_row {
    struct store_entry entry;
    enum store_history_state state;
    /* There is a count: one's own message to a group, of which one was told, and which not all have
     * read, or which has expired for somebody. */
    bool counted;
    struct store_group_count count;
};
/* Goes through a page's buffer from *at (0 at first) on; false at its end. The store made the
 * buffer: a row that can't be decoded ends the node. The row borrows the bytes. */
bool store_history_next(const unsigned char *bytes, size_t count, size_t *at,
                        struct store_history_row *out);
