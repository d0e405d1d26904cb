/* SPDX-License-Identifier: Apache-2.0 */
/* attached.h - which session is to be told what is new for a user.
 *
 * Set and removed in order among the applies, so a session knows exactly from which entry on it is
 * told. A session that once had no room for a push is behind: it is told nothing more until it has
 * read its inbox to the end.
 *
 * A hash table of a partition's users, with linear probing. On the partition's scheduler.
 */
#pragma once

#include "runtime/linnet.h"

struct attached_session {
    uint64_t user; /* 0: an empty place */
    ln_pid pid;
    bool behind;
};

/* Embedded; count may be read. */
struct attached {
    struct attached_session *places;
    uint32_t count;
    uint32_t capacity; /* a power of two, or 0 */
};

void attached_init(struct attached *attached);
void attached_fini(struct attached *attached);

/* Replaces the user's session, if there is one. */
void attached_set(struct attached *attached, uint64_t user, ln_pid pid);
/* Only if it is this one. */
void attached_remove(struct attached *attached, uint64_t user, ln_pid pid);
/* Borrowed until the next set or remove; NULL: there is none. */
struct attached_session *attached_find(struct attached *attached, uint64_t user);
