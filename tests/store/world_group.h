/* SPDX-License-Identifier: Apache-2.0 */
/* world_group.h - groups in a world (world.h), and what is set for a chat of two. */
#pragma once

#include "store/group_ledger.h"
#include "tests/store/world.h"

/* Not settled: nobody else has heard of it. `numbers` of commands are the caller's. */
struct result world_group_create(struct world *world, uint64_t creator, uint64_t number,
                                 const uint64_t *members, uint32_t count);
/* Settled; everything is left to all members. */
uint64_t world_group(struct world *world, uint64_t creator, uint64_t number,
                     const uint64_t *members, uint32_t count);

struct result world_group_send(struct world *world, uint64_t sender, uint64_t number,
                               uint64_t group, const char *text);

/* The same, disappearing. */
struct result world_group_send_for(struct world *world, uint64_t sender, uint64_t number,
                                   uint64_t group, const char *text, uint64_t ttl_ms);

/* An edit or a deletion, within `until_ms` of the message. */
struct world_revision {
    enum store_change_kind kind;
    uint64_t group;
    uint64_t user, number;
    uint64_t chat_number;
    uint64_t until_ms;
    uint64_t ttl_ms;
    const char *text;
};
struct result world_group_revise(struct world *world, const struct world_revision *revision);

struct world_group_change {
    uint64_t group;
    uint64_t user;
    uint64_t number;
    uint8_t kind;
    const char *text;
    uint64_t value;
    unsigned char secret; /* the invitation is so many times this */
    uint32_t members_max; /* 0: 100 */
    uint32_t subjects;
    uint64_t ids[8];
};
struct result world_group_change(struct world *world, const struct world_group_change *change);
struct result world_group_read(struct world *world, uint64_t user, uint64_t group,
                               uint64_t chat_number);
/* By the user's first device. */
struct result world_chat_ttl(struct world *world, uint64_t user, uint64_t number,
                             uint64_t recipient, uint64_t ttl_ms);
/* What a timer would do: all reports that are due, carried. */
void world_group_report(struct world *world);
struct result world_group_tell(struct world *world, const struct command_group_tell *tell);

/* What is visible; false: there is none. */
bool world_group_get(struct world *world, uint64_t group, struct record_group *out);
bool world_group_member(struct world *world, uint64_t group, uint64_t user,
                        struct record_member *out);
bool world_membership(struct world *world, uint64_t user, uint64_t group,
                      struct record_membership *out);
