/* SPDX-License-Identifier: Apache-2.0 */
/* users.h - who logs in: users with real tokens, made for this run or named by a file.
 *
 *     users_init(&users, count);
 *     users_make(&users, &client, "bench-4d1f00aa-");     through the node's socket, in pages
 *     users_load(&users, text);                            or: lines of `linnet user import`
 *     users_remove(&users, &client);
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

enum { USERS_PREFIX_BYTES_MAX = PROTOCOL_NAME_BYTES_MAX - 10, USERS_TEXT_BYTES = 200 };

struct user {
    char name[PROTOCOL_NAME_BYTES_MAX + 1];
    char token[PROTOCOL_TOKEN_BYTES_MAX + 1];
};

struct users {
    struct user *list;
    uint32_t count;
    bool fresh;       /* nobody ever wrote to them before this run */
    uint32_t pid;     /* of the node that made them; 0: not told */
    uint32_t removed; /* from the front */
};

void users_init(struct users *users, uint32_t count);
void users_fini(struct users *users);

/* Makes them all, called PREFIX1, PREFIX2 ... From inside an actor; yields. SHELL_DONE, or another
 * exit code of the tool with the reason told on standard error or in `why`. */
MUST_CHECK int users_make(struct users *users, struct linnet_client *client, const char *prefix,
                          char why[USERS_TEXT_BYTES]);
/* Removes those that were made. Likewise. */
MUST_CHECK int users_remove(struct users *users, struct linnet_client *client);
/* Which process the node is. 0: it does not say. Likewise. */
MUST_CHECK int users_node_pid(struct linnet_client *client, uint32_t *out_pid);

/* Takes them from a text: each line a token, or name,id,token as `linnet user import` prints. 0, or
 * -EINVAL with the reason in `why`. Changes the text. */
MUST_CHECK int users_load(struct users *users, char *text, char why[USERS_TEXT_BYTES]);
