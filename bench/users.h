/* SPDX-License-Identifier: Apache-2.0 */
/* users.h - who logs in: users with real tokens, made for this run or named by a file.
 *
 *     users_init(&users, count);
 *     users_name(&users, "bench-4d1f00aa-", first);        PREFIX<first + 1>, ...
 *     while (users.made < users.count)
 *         users_make(&users, &client, why);                 a page, through the node's socket
 *     users_load(&users, text, skip, why);                 or: lines of `linnet user import`
 *     users_ids(&users, why);                              are they known, without a login?
 *     users_remove(&users, &client);                       a page
 *     users_fini(&users);
 *
 * Filled before the generator's actors start, read by all of them, changed by none.
 */
#pragma once

#include "net/protocol.h"
#include "runtime/check.h"
#include "tools/linnet_client.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    USERS_PREFIX_BYTES_MAX = PROTOCOL_NAME_BYTES_MAX - 10,
    USERS_TEXT_BYTES = 200,
};

struct user {
    const char *name, *token; /* the users' */
    uint64_t id;              /* 0: not known */
};

struct users_text;

struct users {
    struct user *list;
    uint32_t count;
    bool fresh;       /* nobody ever wrote to them before this run */
    uint32_t made;    /* have their tokens, from the front */
    uint32_t removed; /* of those, from the front */
    struct users_text *texts;
};

void users_init(struct users *users, uint32_t count);
void users_fini(struct users *users);

/* Names those that are to be made: the prefix and first + 1, first + 2 ...; `prefix` has at most
 * USERS_PREFIX_BYTES_MAX bytes. */
void users_name(struct users *users, const char *prefix, uint32_t first);
/* Makes a page of them. From inside an actor; yields. SHELL_DONE, or another exit code of the tool
 * with the reason told on standard error or in `why`. */
MUST_CHECK int users_make(struct users *users, struct linnet_client *client,
                          char why[USERS_TEXT_BYTES]);
/* Removes a page of those that were made. Likewise. */
MUST_CHECK int users_remove(struct users *users, struct linnet_client *client);

/* Takes them from a text, behind the first `skip` of it: each line a token, or name,id,token as
 * `linnet user import` prints. 0, or -EINVAL with the reason in `why`. Changes the text. */
MUST_CHECK int users_load(struct users *users, char *text, uint32_t skip,
                          char why[USERS_TEXT_BYTES]);
/* Are the ids of all of them known? They are of those that were made, and of lines with an id. 0,
 * or -EINVAL with the reason in `why`. */
MUST_CHECK int users_ids(const struct users *users, char why[USERS_TEXT_BYTES]);
