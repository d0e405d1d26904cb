/* SPDX-License-Identifier: Apache-2.0 */
/* presence_users.h - the users of one partition of whom presence knows something: a hash table,
 * open and linear, 32 bytes each.
 *
 * Plain data; zeroed it is empty, and takes no memory. What stands in a user's place is
 * presence_table.h's.
 */
#pragma once

#include "runtime/linnet.h"

#include <stdbool.h>
#include <stdint.h>

struct presence_watch;

/* A user as others may watch him. */
struct presence_subject {
    uint64_t user;                  /* 0: an empty place */
    struct presence_watch *watches; /* `watchers` of them; NULL: none */
    uint32_t seen_s;                /* since 1970 */
    uint32_t leases;                /* the first, in the pool; 0: offline */
    uint16_t watchers;
    uint8_t flags; /* presence_table.c */
};

/* The users of one partition. */
struct presence_users {
    struct presence_subject *places;
    uint32_t count;
    uint32_t capacity; /* a power of two, or 0 */
    bool left;         /* one of them has left the foreground, and that is not in the store yet */
    bool kept;         /* nobody is forgotten: what is on its way to the store may come back */
};

/* NULL: nothing is known of the user. Borrowed until the next change. */
struct presence_subject *presence_users_find(const struct presence_users *users, uint64_t user);
/* His place, zeroed; he had none. Moves others. */
struct presence_subject *presence_users_add(struct presence_users *users, uint64_t user);
/* Empties a place. Whoever probed past it moves up, so another may stand there afterwards. */
void presence_users_take_out(struct presence_users *users, uint32_t place);
/* Gives memory back when few are left. Moves all. */
void presence_users_fit(struct presence_users *users);
/* And their watches. */
void presence_users_fini(struct presence_users *users);
