/* SPDX-License-Identifier: Apache-2.0 */
/* lookup.h - many users found at once: names become ids, and ids are those of users who exist.
 *
 *     struct lookup_user users[] = {{.user = 7}, {.name = bob}};
 *     unsigned failed;
 *     error = lookup_users(messenger, users, 2, &failed);          -ENOENT: users[failed] is nobody
 *
 * Each stands in a partition of its own. A process of its own asks LOOKUP_WINDOW of them at a time,
 * so that a group of a thousand costs a few rounds and floods no mailbox.
 */
#pragma once

#include "actors/messenger.h"
#include "store/account.h"

enum {
    LOOKUP_WINDOW = 32,
    /* All of it together. */
    LOOKUP_TIMEOUT_MS = 10000,
};

struct lookup_user {
    uint64_t user;          /* 0: find it by name */
    bool known;             /* nobody is asked about it */
    struct store_name name; /* where user is 0 */
};

/* Finds all of them. 0 with every `user` set, or the first error met, with who it was about in
 * *out_failed: -ENOENT nobody has this name or id; -EAGAIN a partition has no room, -ESRCH its
 * actor ended; -ETIMEDOUT, -ECANCELED. Yields. */
MUST_CHECK int lookup_users(struct messenger *messenger, struct lookup_user *users, unsigned count,
                            unsigned *out_failed);
