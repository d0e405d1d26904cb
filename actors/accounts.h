/* SPDX-License-Identifier: Apache-2.0 */
/* accounts.h - what an operator does to users, as straight-line calls over the store's requests.
 *
 *     error = accounts_add(messenger, "alice", "correct horse", &user);       -EEXIST: there is one
 *     error = accounts_import(messenger, items, count);                       many at once
 *
 * Called from inside an actor; all yield. Errors: -EINVAL a name that name_fault refuses, or a
 * password that is empty or too long; -ENOENT no such user; else what ln_call and the store
 * (store/request.h) answer. What has been answered is durable.
 */
#pragma once

#include "actors/auth.h"
#include "actors/messenger.h"
#include "runtime/check.h"
#include "store/request.h"

enum {
    /* Both partitions of a new user write once each; a slow disk behind a fold takes seconds. */
    ACCOUNTS_TIMEOUT_MS = 30000,
    /* Requests of one import under way: enough for every log to find a full batch each time. */
    ACCOUNTS_IMPORT_WINDOW = 1024,
    /* How often one is asked again that the store had no room for. */
    ACCOUNTS_IMPORT_TRIES = 100,
};

/* False: empty or beyond PROTOCOL_NAME_BYTES_MAX; then *out is empty. */
MUST_CHECK bool accounts_name(const char *text, struct store_name *out);

/* `password` may be NULL: the user has none, and logs in by token only. */
MUST_CHECK int accounts_add(struct messenger *messenger, const char *name, const char *password,
                            uint64_t *out_user);
MUST_CHECK int accounts_find(struct messenger *messenger, const char *name, uint64_t *out_user);
MUST_CHECK int accounts_get(struct messenger *messenger, uint64_t user, struct store_user *out);
MUST_CHECK int accounts_password_set(struct messenger *messenger, const char *name,
                                     const char *password);
/* The user, its devices and its inbox. */
MUST_CHECK int accounts_remove(struct messenger *messenger, const char *name);
/* A new device of the user, and the token that it logs in with. */
MUST_CHECK int accounts_token(struct messenger *messenger, const char *name, const char *device,
                              char out_token[AUTH_TOKEN_TEXT_BYTES]);

/* -ENODEV: the user has no such device. */
MUST_CHECK int accounts_revoke(struct messenger *messenger, const char *name, uint16_t device);

/* A page of a partition's users, above an id; the rows are in the answer's buffer: the caller's to
 * free. */
MUST_CHECK int accounts_list(struct messenger *messenger, uint8_t partition, uint64_t after,
                             struct ln_msg **out_answer);
/* The same of a user's devices; and those that the answer holds, how many of them. */
MUST_CHECK int accounts_devices(struct messenger *messenger, uint64_t user,
                                struct ln_msg **out_answer);
const struct store_device *accounts_device_list(const struct ln_msg *answer, uint32_t *out_count);

/* A user to be made, with one device and no password; or to be removed. */
struct accounts_item {
    const char *name;        /* borrowed */
    const char *device_name; /* borrowed; may be empty */
    struct auth_token token; /* filled: what it logs in with */
    int error;               /* filled: 0, -EEXIST, ... */
    /* accounts_import's own */
    uint64_t ref;
    unsigned tries;
};

/* Makes them all, many at a time; each has its own error. For processes: other messages stay in the
 * mailbox. 0, or -ECANCELED: the caller is being ended, and some were not tried (error 1). */
MUST_CHECK int accounts_import(struct messenger *messenger, struct accounts_item *items,
                               unsigned count);
/* Removes them all, by name, likewise; -ENOENT: there is none. The rest of each item is zero
 * before. */
MUST_CHECK int accounts_remove_many(struct messenger *messenger, struct accounts_item *items,
                                    unsigned count);
