/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/world_group.h"

#include <string.h>

struct result
world_group_create(struct world *world, uint64_t creator, uint64_t number, const uint64_t *members,
                   uint32_t count)
{
    struct command command = {
        .partition = world_partition(world, creator),
        .kind = COMMAND_GROUP_CREATE,
        .group_create =
            {
                .user = creator,
                .number = number,
                .device = 1,
                .rights = STORE_GROUP_ALL_SEND | STORE_GROUP_ALL_ADD | STORE_GROUP_ALL_EDIT,
                .name = "us",
                .name_bytes = 2,
                .members = {.count = count, .bytes = (const unsigned char *)members},
            },
    };
    return world_apply(world, &command);
}

uint64_t
world_group(struct world *world, uint64_t creator, uint64_t number, const uint64_t *members,
            uint32_t count)
{
    struct result result = world_group_create(world, creator, number, members, count);
    ASSERT(result.error == 0);
    world_settle(world);
    return result.user;
}

struct result
world_group_send_for(struct world *world, uint64_t sender, uint64_t number, uint64_t group,
                     const char *text, uint64_t ttl_ms)
{
    struct command command = {
        .partition = world_partition(world, group),
        .kind = COMMAND_GROUP_MESSAGE,
        .message =
            {
                .recipient = group,
                .message =
                    {
                        .sender = sender,
                        .sender_device = 1,
                        .sender_number = number,
                        .body = (const unsigned char *)text,
                        .body_bytes = (uint32_t)strlen(text),
                        .expires_at_ms = ttl_ms != 0 ? world_now_ms(world) + ttl_ms : 0,
                    },
            },
    };
    return world_apply(world, &command);
}

struct result
world_group_send(struct world *world, uint64_t sender, uint64_t number, uint64_t group,
                 const char *text)
{
    return world_group_send_for(world, sender, number, group, text, 0);
}

struct result
world_group_revise(struct world *world, const struct world_revision *revision)
{
    const char *text = revision->text != NULL ? revision->text : "";
    struct command command = {
        .partition = world_partition(world, revision->group),
        .kind = COMMAND_GROUP_REVISE,
        .change =
            {
                .owner = revision->group,
                .peer = revision->group,
                .until_ms = revision->until_ms,
                .kept_until_ms = revision->until_ms,
                .change = {.kind = revision->kind,
                           .author = revision->user,
                           .message =
                               {
                                   .sender = revision->user,
                                   .sender_device = 1,
                                   .sender_number = revision->number,
                                   .chat_number = revision->chat_number,
                                   .body = (const unsigned char *)text,
                                   .body_bytes = (uint32_t)strlen(text),
                                   .expires_at_ms = revision->ttl_ms != 0
                                                        ? world_now_ms(world) + revision->ttl_ms
                                                        : 0,
                               }},
            },
    };
    return world_apply(world, &command);
}

struct result
world_group_change(struct world *world, const struct world_group_change *change)
{
    struct command command = {
        .partition = world_partition(world, change->group),
        .kind = COMMAND_GROUP_CHANGE,
        .group_change =
            {
                .group = change->group,
                .user = change->user,
                .number = change->number,
                .value = change->value,
                .members_max = change->members_max != 0 ? change->members_max : 100,
                .device = 1,
                .kind = change->kind,
                .text = change->text,
                .text_bytes = change->text != NULL ? (uint16_t)strlen(change->text) : 0,
                .subjects = {.count = change->subjects,
                             .bytes = (const unsigned char *)change->ids},
            },
    };
    memset(command.group_change.invite, change->secret, STORE_GROUP_INVITE_BYTES);
    return world_apply(world, &command);
}

struct result
world_group_read(struct world *world, uint64_t user, uint64_t group, uint64_t chat_number)
{
    struct command command = {
        .partition = world_partition(world, user),
        .kind = COMMAND_GROUP_READ,
        .read = {.user = user, .peer = group, .chat_number = chat_number},
    };
    return world_apply(world, &command);
}

struct result
world_chat_ttl(struct world *world, uint64_t user, uint64_t number, uint64_t recipient,
               uint64_t ttl_ms)
{
    struct command command = {
        .partition = world_partition(world, recipient),
        .kind = COMMAND_CHAT_TTL,
        .chat_ttl = {
            .recipient = recipient, .user = user, .number = number, .ttl_ms = ttl_ms, .device = 1}};
    return world_apply(world, &command);
}

/* One that is due, or 0. */
static uint64_t
report_due(struct world *world, uint8_t partition)
{
    const struct group_dues *dues = &world_ledger(world, partition)->due;
    for (uint32_t i = 0; i < dues->capacity; i++) {
        if (dues->places[i].report) {
            return dues->places[i].group;
        }
    }
    return 0;
}

void
world_group_report(struct world *world)
{
    for (unsigned p = 0; p < STORE_PARTITIONS; p++) {
        struct command command = {.partition = (uint8_t)p, .kind = COMMAND_GROUP_REPORT};
        for (;;) {
            command.group_report = report_due(world, (uint8_t)p);
            if (command.group_report == 0) {
                break;
            }
            (void)world_apply(world, &command);
        }
    }
    world_settle(world);
}

struct result
world_group_tell(struct world *world, const struct command_group_tell *tell)
{
    struct command command = {.partition = world_partition(world, tell->group),
                              .kind = COMMAND_GROUP_TELL,
                              .group_tell = *tell};
    return world_apply(world, &command);
}

bool
world_group_get(struct world *world, uint64_t group, struct record_group *out)
{
    struct store_value value;
    struct store_key key = record_key(world_partition(world, group), RECORD_GROUP, group, 0);
    return world_get(world, &key, &value) && record_group_decode(value, out) == 0;
}

bool
world_group_member(struct world *world, uint64_t group, uint64_t user, struct record_member *out)
{
    struct store_value value;
    struct store_key key = record_key(world_partition(world, group), RECORD_MEMBER, group, user);
    return world_get(world, &key, &value) && record_member_decode(value, out) == 0;
}

bool
world_membership(struct world *world, uint64_t user, uint64_t group, struct record_membership *out)
{
    struct store_value value;
    struct store_key key = record_key(world_partition(world, user), RECORD_MEMBERSHIP, user, group);
    return world_get(world, &key, &value) && record_membership_decode(value, out) == 0;
}
