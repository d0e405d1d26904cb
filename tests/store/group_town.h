/* SPDX-License-Identifier: Apache-2.0 */
/* group_town.h - a world (world_group.h) with a few users, for groups' specs. */
#pragma once

#include "tests/store/world_group.h"
#include "tests/store/world_spec.h"

#include <stdio.h>

enum { TOWN_USERS = 6 };

static struct store_entry entries[WORLD_PAGE_MAX];
static uint64_t users[TOWN_USERS];

static int
town_begin(void **state)
{
    /* Twenty entries in an inbox. */
    static const struct ledger_limits limits = {
        .inbox_entries_max = 20, .inbox_bytes_max = 100000, .devices_max = 3};
    struct world *world = world_new(5, &limits);
    for (unsigned i = 0; i < TOWN_USERS; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "user%u", i);
        users[i] = world_user(world, name, 1);
    }
    *state = world;
    return 0;
}

#define IN_TOWN(title, function)                         \
    {                                                    \
        (title), (function), town_begin, world_end, NULL \
    }

/* A user's inbox as letters: messages by their first one, updates by their kind ('A' is
 * STORE_GROUP_CREATED), cursors as '#', counts as '='. Leaves the entries in `entries`. */
static inline const char *
heard(struct world *world, uint64_t user)
{
    static char text[256];
    size_t count = world_inbox(world, user, 0, entries);
    size_t used = 0;
    for (size_t i = 0; i < count && used + 1 < sizeof(text); i++) {
        if (entries[i].kind == STORE_ENTRY_GROUP_MESSAGE) {
            text[used++] = (char)entries[i].message.body[0];
        } else if (entries[i].kind == STORE_ENTRY_GROUP_UPDATE) {
            text[used++] = (char)('A' + entries[i].update.kind - STORE_GROUP_CREATED);
        } else {
            text[used++] = entries[i].kind == STORE_ENTRY_GROUP_COUNTS ? '=' : '#';
        }
    }
    text[used] = '\0';
    return text;
}

/* With a subject or (0) without; settled. */
static inline struct result
change(struct world *world, uint64_t group, uint64_t by, uint64_t number, uint8_t kind,
       uint64_t subject)
{
    struct world_group_change asked = {.group = group,
                                       .user = by,
                                       .number = number,
                                       .kind = kind,
                                       .subjects = subject != 0,
                                       .ids = {subject}};
    struct result result = world_group_change(world, &asked);
    world_settle(world);
    return result;
}
