/* SPDX-License-Identifier: Apache-2.0 */
/* attached.h - which devices of a partition's users are online, and the actor that is told what is
 * new for each: its session, as the store calls it.
 *
 * Set and removed in order among the applies, so a session knows exactly from which entry on it is
 * told. A session that once had no room for a push is behind: it is told nothing more until it has
 * read its inbox to the end.
 *
 *     for (session = attached_next(attached, user, NULL); session != NULL;
 *          session = attached_next(attached, user, session)) { ... }
 *
 * A hash table over users with linear probing, a place for each device. On the partition's
 * scheduler.
 */
#pragma once

#include "runtime/linnet.h"

struct attached_session {
    uint64_t user; /* 0: an empty place */
    ln_pid pid;
    uint16_t device;
    bool behind;
    /* The lower bits of the newest entry that it is told of, or will read (audit.h). */
    uint32_t newest;
};

/* Embedded; count may be read. */
struct attached {
    struct attached_session *places;
    uint32_t count;
    uint32_t users;    /* with one device or more */
    uint32_t capacity; /* a power of two, or 0 */
};

void attached_init(struct attached *attached);
void attached_fini(struct attached *attached);

/* Replaces the device's session, if there is one, and returns that; 0: there was none. */
ln_pid attached_set(struct attached *attached, uint64_t user, uint16_t device, ln_pid pid);
/* Only if it is this one. */
void attached_remove(struct attached *attached, uint64_t user, uint16_t device, ln_pid pid);
/* Borrowed until the next set or remove; NULL: there is none. */
struct attached_session *attached_find(const struct attached *attached, uint64_t user,
                                       uint16_t device);
/* The user's sessions, one after the other: the one behind `before` (NULL: the first), or NULL. No
 * set and no remove in between. */
struct attached_session *attached_next(const struct attached *attached, uint64_t user,
                                       const struct attached_session *before);
