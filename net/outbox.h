/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.h - a device's messages that the node has not answered yet, in the order of their numbers.
 *
 * Each keeps its encoded frame, number included, so that it is sent again byte by byte the same:
 * that is what lets the node tell a retry from a new message. An entry is in one of three states:
 *
 *     QUEUED ---- written to the connection ----> ON_WIRE ---- refused, but it passes ----> REFUSED
 *       ^                                           |                                         |
 *       +--------------- the connection ended ------+--------- resend, or it ended -----------+
 *
 * and leaves when it is answered for good or given up. For net/client.c. One thread at a time.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/check.h"

enum outbox_state {
    OUTBOX_QUEUED,
    OUTBOX_ON_WIRE,
    OUTBOX_REFUSED,
    OUTBOX_STATES,
};

struct outbox_entry {
    struct outbox_entry *next;
    uint64_t number;
    uint64_t ref;
    uint32_t count; /* of bytes */
    uint8_t state;
    unsigned char bytes[]; /* the frame's payload, unmasked */
};

/* Embedded, zero is empty. */
struct outbox {
    struct outbox_entry *first;
    struct outbox_entry *last;
    uint32_t counts[OUTBOX_STATES]; /* of entries in each state */
};

static inline uint32_t
outbox_count(const struct outbox *outbox)
{
    return outbox->counts[OUTBOX_QUEUED] + outbox->counts[OUTBOX_ON_WIRE] +
           outbox->counts[OUTBOX_REFUSED];
}

/* A queued entry with room for `bytes_max`, behind all others, whose numbers are lower; NULL
 * without memory. */
struct outbox_entry *outbox_push(struct outbox *outbox, uint64_t number,
                                 size_t bytes_max) MUST_CHECK;

/* The entry with this number; NULL if there is none. */
struct outbox_entry *outbox_find(const struct outbox *outbox, uint64_t number);

/* The first that is queued; NULL if none is. */
struct outbox_entry *outbox_queued(const struct outbox *outbox);

/* Changes an entry's state, and the counts with it. */
void outbox_move(struct outbox *outbox, struct outbox_entry *entry, enum outbox_state state);

/* All are queued again: the connection ended. */
void outbox_requeue(struct outbox *outbox);

/* Frees an entry of this outbox. */
void outbox_remove(struct outbox *outbox, struct outbox_entry *entry);

/* Frees all. */
void outbox_clear(struct outbox *outbox);
