/* SPDX-License-Identifier: Apache-2.0 */
/* history.h - what was said, kept after all devices have it, if the operator wants that
 * (store_options.history_ms): as requests and answers carry it.
 *
 *     STORE_HISTORY, to the partition of the user whose history it is
 *
 * Everything that is said in a chat while history is on stands in the history of each who takes
 * part in it: what came into the user's inbox, and what the user wrote, from whichever device. It
 * is told in the order in which it came there, forwards or backwards. Of what was deleted it is
 * told that it was; what has expired is not told, nor, where that is how long it is kept
 * (store_options.history_until_read), what has been read.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* For store_options.history_ms. */
#define STORE_HISTORY_OFF UINT64_C(0)
#define STORE_HISTORY_FOREVER UINT64_MAX

enum { STORE_HISTORY_MAX = 100 /* messages of one answer */ };

enum store_history_tag {
    /* store_history -> store_history_page, buffer: entries (entry_next) */
    STORE_HISTORY = 0x000100B0,
};

struct store_history {
    uint64_t user;
    uint64_t chat;        /* the other user, or the group */
    uint64_t number;      /* messages beyond this one, as an earlier page told; 0: from the end */
    uint64_t sender;      /* his alone; 0: anybody's */
    uint8_t content_kind; /* of this kind alone; 0: any */
    uint64_t from_ms;     /* accepted then or later */
    uint64_t to_ms;       /* and before; 0: until now */
    uint32_t max;         /* 0: STORE_HISTORY_MAX */
    uint32_t bytes_max;   /* of the buffer, but one message at least; 0: as much as fits */
    bool in_group;        /* the chat is a group: -ENXIO where the user was never in it */
    bool forward;         /* towards newer ones; without a number: from the oldest */
    /* forward alone: of all chats, this one and the number are where to go on */
    bool whole;
};
/* Messages and bytes are bounded, and so is what is looked through for them: a page may hold none
 * and still have more behind it. */
struct store_history_page {
    uint64_t reached; /* the next page's number */
    uint64_t chat;    /* and its chat */
    uint32_t count;
    bool more;
    /* How far the two got in each other's messages; a group: the user's own cursors. */
    uint64_t delivered, read, peer_delivered, peer_read;
};
