/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.h - what is new in several inboxes of a partition, gathered so that each user's sessions
 * are pushed all of it at once.
 *
 * A round of what a large group says (fan.h) gives every member some entries in one batch. Pushed
 * one by one they would be as many messages, and turns of his connection. Entries are copied as
 * they are put into the inbox; whoever gathers them says when they go, which is before anybody else
 * can run or is told anything.
 *
 *     bundle = bundles_of(&bundles, user, previous);
 *     ... bundle_room(bundle, number, bytes) ...                  and again
 *     for (i = 0; i < bundles.count; i++) { ... bundles.items[i] ... }
 *     bundles_clear(&bundles);
 *
 * One per journal, used again and again; it keeps its memory. One thread.
 */
#pragma once

#include "store/rows.h"

#include <stdbool.h>

enum {
    BUNDLES_MAX = 16,         /* users; a group of a thousand has four in a partition */
    BUNDLE_BYTES_MAX = 16384, /* one that has so much takes no more */
    BUNDLE_ENTRY_BYTES_MAX =
        1024, /* what is longer goes alone: it is dearer to copy than to send */
};

struct bundle {
    uint64_t user;
    uint64_t previous; /* the entry before the first */
    uint64_t number;   /* of the last */
    uint32_t count;
    struct rows entries;
};

/* Embedded; items and count may be read. */
struct bundles {
    struct bundle items[BUNDLES_MAX];
    unsigned count;
};

void bundles_init(struct bundles *bundles);
void bundles_fini(struct bundles *bundles);
void bundles_clear(struct bundles *bundles);

/* The user's, or a new one behind entry `previous`. NULL: there is no room for one more, or in his:
 * what is there has to go first. */
struct bundle *bundles_of(struct bundles *bundles, uint64_t user, uint64_t previous);
/* Room for one more entry, to be filled; borrowed until the next call. */
unsigned char *bundle_room(struct bundle *bundle, uint64_t number, size_t bytes);
