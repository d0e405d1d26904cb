/* SPDX-License-Identifier: Apache-2.0 */
/* stencil.h - what a group says, encoded once for many members.
 *
 * The event is the same for all of them but for the inbox number. So each scheduler keeps the last
 * few as they were sent to somebody, and whoever is told the same next gets the same bytes with a
 * number of his own:
 *
 *     stencil = stencil_find(form, entry);
 *     if (stencil != NULL) { ... stencil->frame, stencil->frame_bytes ... }
 *     else { ... encode ...; stencil_keep(form, entry, payload, bytes); }
 *
 * For entries of which nothing in the event is their reader's but that number: messages of groups.
 * What was said is compared as a whole, so a message that was edited meanwhile is another. What is
 * found is the same as what would be encoded; so there is nothing to invalidate. Never yields.
 */
#pragma once

#include "net/protocol.h"
#include "store/entry.h"

enum { STENCIL_BYTES = 1024 };

struct stencil {
    struct store_entry entry; /* somebody's; what it points to is in `said` */
    enum protocol_form form;
    size_t number_at, number_bytes;
    size_t frame_bytes; /* 0: empty */
    unsigned char said[STENCIL_BYTES];
    unsigned char frame[STENCIL_BYTES];
};

/* The entry's event, if it was kept; good until the next call of one of the two. */
const struct stencil *stencil_find(enum protocol_form form, const struct store_entry *entry);
/* Keeps it, if it is not too long. */
void stencil_keep(enum protocol_form form, const struct store_entry *entry, const void *frame,
                  size_t bytes);
