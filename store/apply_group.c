/* SPDX-License-Identifier: Apache-2.0 */
/* A group begins in its creator's partition, which names it, and then in its own, which tells the
 * partitions of its members. Nothing on that way can be refused, so all members have it, or none
 * ever will. */
#include "store/apply_group.h"
#include "store/outbox.h"

#include <errno.h>
#include <stdlib.h>

struct store_entry_message
apply_group_command(uint64_t user, uint16_t device, uint64_t number)
{
    return (struct store_entry_message){
        .sender = user, .sender_device = device, .sender_number = number};
}

static void
need_create(const struct needs *needs, const struct command *command)
{
    const struct command_group_create *create = &command->group_create;
    struct store_entry_message id =
        apply_group_command(create->user, create->device, create->number);
    need(needs, RECORD_HEAD, create->user, 0);
    need_number(needs, &id);
}

static void
run_create(const struct apply *apply, const struct command *command)
{
    const struct command_group_create *create = &command->group_create;
    struct ledger *ledger = apply->ledger;
    struct store_entry_message id =
        apply_group_command(create->user, create->device, create->number);
    struct record_head head;
    if (!inbox_head_get(ledger, create->user, &head)) {
        apply->result->error = -ENOENT;
        return;
    }
    if (!apply_number_is_new(apply, &id)) {
        apply->result->user = apply->result->chat_number; /* the group's id stands there */
        return;
    }
    uint64_t group = ledger_user_next(ledger);
    struct payload payload = {
        .kind = PAYLOAD_GROUP_BEGIN,
        .group_begin =
            {
                .group = group,
                .creator = create->user,
                .created_at_ms = apply->time_ms,
                .ttl_ms = create->ttl_ms,
                .rights = create->rights,
                .name_bytes = create->name_bytes,
                .name = create->name,
                .members = create->members,
            },
    };
    apply->result->user = group;
    apply->result->stream_to = ledger_partition_of(ledger, group);
    apply->result->stream_number =
        outbox_put(ledger, apply->effects, apply->result->stream_to, &payload);
    id.chat_number = group;
    id.time_ms = apply->time_ms;
    apply_number_accept(apply, &id);
}

const struct apply_command_kind apply_group_create = {need_create, run_create};

static void
member_new(const struct apply *apply, uint64_t group, uint64_t user, uint8_t role,
           struct record_spread *spread)
{
    struct record_member member = {.role = role};
    group_member_put(apply->ledger, group, user, &member);
    spread->members[ledger_partition_of(apply->ledger, user)]++;
}

/* The creator behind those who were named. */
static uint64_t
member_at(const struct payload_group_begin *begin, uint32_t index)
{
    return index < begin->members.count ? command_id_at(&begin->members, index) : begin->creator;
}

/* One update for each partition: it names those who live there. `ids` has room for all. */
static void
created_send(const struct apply *apply, const struct payload_group_begin *begin,
             const struct record_spread *spread, unsigned char *ids)
{
    struct ledger *ledger = apply->ledger;
    struct payload_group_update created = {
        .group = begin->group,
        .update =
            {
                .update = 1,
                .time_ms = begin->created_at_ms,
                .author = begin->creator,
                .members = begin->members.count + 1,
                .kind = STORE_GROUP_CREATED,
                .subject_ids = ids,
                .text = begin->name,
                .text_bytes = begin->name_bytes,
            },
    };
    struct store_entry_update *update = &created.update;
    uint8_t *homes = malloc((size_t)begin->members.count + 1);
    ASSERT(homes != NULL);
    for (uint32_t at = 0; at <= begin->members.count; at++) {
        homes[at] = ledger_partition_of(ledger, member_at(begin, at));
    }
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        uint64_t only[4] = {0};
        if (spread->members[i] == 0) {
            continue;
        }
        only[i / 64] = UINT64_C(1) << i % 64;
        update->subjects = 0;
        for (uint32_t at = 0; at <= begin->members.count; at++) {
            if (homes[at] == i) {
                uint64_t user = member_at(begin, at);
                memcpy(ids + update->subjects * sizeof(user), &user, sizeof(user));
                update->subjects++;
            }
        }
        group_send_update(ledger, apply->effects, only, &created);
    }
    free(homes);
}

static void
run_begin(const struct apply *apply, const struct payload *payload)
{
    const struct payload_group_begin *begin = &payload->group_begin;
    struct record_spread spread = {0};
    struct record_group group = {
        .rights = begin->rights,
        .created_at_ms = begin->created_at_ms,
        .creator = begin->creator,
        .update = 1,
        .ttl_ms = begin->ttl_ms,
        .members = begin->members.count + 1,
        .name = {.bytes = begin->name_bytes, .text = begin->name},
        .owners_count = 1,
        .admins_count = 1,
        .admins = {begin->creator},
    };
    uint64_t *room = malloc(((size_t)begin->members.count + 1) * sizeof(*room));
    ASSERT(room != NULL);
    unsigned char *ids = (unsigned char *)room;
    member_new(apply, begin->group, begin->creator, STORE_GROUP_OWNER, &spread);
    for (uint32_t i = 0; i < begin->members.count; i++) {
        member_new(apply, begin->group, command_id_at(&begin->members, i), STORE_GROUP_MEMBER,
                   &spread);
    }
    group_put(apply->ledger, apply->effects, begin->group, &group);
    group_spread_put(apply->ledger, apply->effects, begin->group, &spread);
    created_send(apply, begin, &spread, ids);
    free(room);
}

const struct apply_payload_kind apply_group_begin = {NULL, run_begin};

/* ------------------------------------------------------------------------------------- messages */

static void
need_message(const struct needs *needs, const struct command *command)
{
    uint64_t group = command->message.recipient;
    need(needs, RECORD_GROUP, group, 0);
    need(needs, RECORD_SPREAD, group, 0);
    need(needs, RECORD_MEMBER, group, command->message.message.sender);
    need_number(needs, &command->message.message);
}

/* 0, or why he may not; a group is no news for who never was in it. */
static int
may_send(const struct apply *apply, uint64_t id, const struct record_group *group, uint64_t user)
{
    struct record_member member;
    bool all = (group->rights & STORE_GROUP_ALL_SEND) != 0;
    if (!group_member_get(apply->ledger, id, user, &member)) {
        return -ENOENT;
    }
    return member.role >= (all ? STORE_GROUP_MEMBER : STORE_GROUP_ADMIN) ? 0 : -EPERM;
}

static void
log_row(const struct apply *apply, uint64_t group, const struct store_entry_message *message)
{
    struct store_key key =
        record_key(apply->ledger->partition, RECORD_GROUP_LOG, group, message->chat_number);
    struct record_group_log row = {
        .sender = message->sender,
        .sender_number = message->sender_number,
        .time_ms = message->time_ms,
        .expires_at_ms = message->expires_at_ms,
        .sender_device = message->sender_device,
    };
    unsigned char *bytes = effects_scratch(apply->effects, RECORD_BYTES_MAX);
    ledger_put(apply->ledger, &key, bytes, record_group_log_encode(&row, bytes));
}

static void
run_message(const struct apply *apply, const struct command *command)
{
    uint64_t id = command->message.recipient;
    struct ledger *ledger = apply->ledger;
    struct record_group group;
    struct record_spread spread;
    uint64_t partitions[4] = {0};
    struct payload payload = {
        .kind = PAYLOAD_GROUP_MESSAGE,
        .group_message = {.group = id, .message = command->message.message},
    };
    struct store_entry_message *message = &payload.group_message.message;
    if (!apply_number_is_new(apply, message)) {
        return;
    }
    if (!group_get(ledger, id, &group)) {
        apply->result->error = -ENOENT;
        return;
    }
    apply->result->error = may_send(apply, id, &group, message->sender);
    if (apply->result->error != 0) {
        return;
    }
    message->chat_number = ++group.last;
    apply_live_for(apply, group.ttl_ms, message);
    group_put(ledger, apply->effects, id, &group);
    log_row(apply, id, message);
    group_spread_get(ledger, id, &spread);
    group_spread_mark(&spread, partitions);
    outbox_put_all(ledger, apply->effects, partitions, &payload);
    apply->effects->fan_members = group.members;
    apply->effects->fan_group = id;
    apply_number_accept(apply, message);
    apply->result->chat_number = message->chat_number;
    apply->result->time_ms = apply->time_ms;
}

const struct apply_command_kind apply_group_message = {need_message, run_message};
