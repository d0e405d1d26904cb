/* SPDX-License-Identifier: Apache-2.0 */
/* pending.h - a connection's commands that partitions work on: in the order in which they came, and
 * found again by the request whose answer has come.
 *
 *     pending_list_add(&list, pending, ln_request(partition, &request));
 *     ...
 *     while ((pending = pending_list_take(&list, answer->ref)) != NULL) {
 *         ...                                      several may share a request
 *         ln_free(pending);
 *     }
 *
 * A client that writes to one has them answered in their order, and most have few under way, so a
 * short list is looked through. One with many under way to many partitions is answered in these
 * partitions' order: each look would touch cold memory halfway down. So a list that has become long
 * has an index, until it is empty. Empty, it holds no memory. Part of a connection, whose memory it
 * uses.
 */
#pragma once

#include "runtime/linnet.h"

#include <stdbool.h>
#include <stdint.h>

struct pending_index;
struct request_kind;

/* A command that a partition works on. */
struct pending {
    struct pending *next;
    struct pending *before;  /* of the first: the last */
    struct pending *chained; /* in the index */
    uint64_t request;        /* ln_request's reference; 0: it will be asked again */
    uint64_t number, ref;
    const struct request_kind *kind; /* command.h */
    union {
        uint64_t inbox;     /* STORE_ACK: up to where; STORE_LINK_CREATE: the chance */
        uint64_t subject;   /* command_presence.c: whose presence */
        uint64_t group;     /* command_group.c: of commands about one */
        uint64_t recipient; /* STORE_MESSAGE; STORE_READ, STORE_GROUP_READ: whose chat */
    };
    union {
        ln_pid to;              /* of an ordered kind: who got it */
        uint64_t checked_at_ns; /* command_presence.c: when the store was asked */
        uint64_t chat_number;   /* command_group_look.c: of which message; markRead: up to where */
    };
    uint8_t partition; /* of an ordered kind: whose actor that was */
    /* command_presence.c; command_cursor.c: how it may be asked; command_group.c: which change */
    uint8_t mode;
    uint8_t stale;       /* command_presence.c: how often the store was asked in vain */
    bool blind : 1;      /* likewise: nothing may be seen for now */
    bool met : 1;        /* likewise: a message has passed */
    bool held : 1;       /* STORE_MESSAGE: its recipient may not be there yet */
    bool counted : 1;    /* likewise: among those who wait for the sender, on account of this one */
    bool by_name : 1;    /* likewise: a name was looked up for it */
    bool duplicate : 1;  /* command_group.c: an invitation that was made before is shown */
    bool known_only : 1; /* command_group.c: only what was accepted before is answered */
    bool gone : 1;       /* likewise, since somebody who is named is nobody; command_call.c */
    uint32_t
        strangers; /* command_group.c: who are put into a group, or who is gone; command_call.c */
};
_Static_assert(sizeof(struct pending) <= 80, "with what the runtime has beside it, 128 bytes");

/* All zeros: an empty one. */
struct pending_list {
    struct pending *first;
    struct pending_index *index; /* NULL: it is short enough to be looked through */
    uint32_t count;
    uint32_t starts; /* command_ask_in_order: as of then each was the newest of its partition */
};

/* Puts it last. `request` as in it. */
void pending_list_add(struct pending_list *list, struct pending *pending, uint64_t request);
/* One of the list whose request was 0 has been asked; it stays in its place. */
void pending_list_asked(struct pending_list *list, struct pending *pending, uint64_t request);
/* The one with this request, of several the one that was asked first, taken out; NULL: there is
 * none. The caller's. `request` is not 0. */
struct pending *pending_list_take(struct pending_list *list, uint64_t request);
