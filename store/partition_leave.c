/* SPDX-License-Identifier: Apache-2.0 */
/* A user leaves for good, and his groups with that, and who wrote to him before he was there is
 * told (hold.h): which these are has to be read, since an apply looks up single records only. */
#include "store/chat.h"
#include "store/gather.h"
#include "store/group_ledger.h"
#include "store/partition_priv.h"

#include <string.h>

static_assert(COMMAND_LEFT_MAX * sizeof(uint64_t) <= GATHER_PAIRS_BYTES, "in the scratch");

/* The groups that he is in. False: they are in the fetch. */
static bool
gather_groups(struct partition *partition, struct ask *ask, uint64_t user, struct command_ids *out)
{
    unsigned char *ids = partition->journal->pairs;
    struct fetch_range wanted = {
        .range = key_range_owner(partition->ledger.partition, RECORD_MEMBERSHIP, user),
        .rows_max = COMMAND_LEFT_MAX,
        .bytes_max = STORE_PAGE_BYTES_MAX,
    };
    struct page page;
    struct store_key key;
    struct store_value value;
    if (!partition_has_read(&ask->ranges[0], partition, &wanted)) {
        return false;
    }
    *out = (struct command_ids){.bytes = ids};
    page_start(&page, partition->ledger.delta, &wanted.range, &ask->ranges[0].rows);
    while (out->count < COMMAND_LEFT_MAX && page_next(&page, &key, &value)) {
        struct record_membership membership;
        int error = record_membership_decode(value, &membership);
        ASSERT(error == 0);
        if (!membership.gone) {
            memcpy(ids + out->count * sizeof(key.a), &key.a, sizeof(key.a));
            out->count++;
        }
    }
    return true;
}

/* Who wrote to him and never heard of it, as many as fit behind the groups; whom that leaves out
 * finds out in time. False: they are in the fetch. */
static bool
gather_waiting(struct partition *partition, struct ask *ask, struct command_user_remove *remove)
{
    uint32_t room = COMMAND_LEFT_MAX - remove->groups.count;
    unsigned char *ids = partition->journal->pairs + remove->groups.count * sizeof(uint64_t);
    struct fetch_range wanted = {
        .range = key_range_owner(partition->ledger.partition, RECORD_CHAT, remove->user),
        .rows_max = COMMAND_LEFT_MAX,
        .bytes_max = STORE_PAGE_BYTES_MAX,
    };
    struct page page;
    struct store_key key;
    struct store_value value;
    if (!partition_has_read(&ask->ranges[1], partition, &wanted)) {
        return false;
    }
    struct command_ids *out = &remove->waiting;
    *out = (struct command_ids){.bytes = ids};
    page_start(&page, partition->ledger.delta, &wanted.range, &ask->ranges[1].rows);
    while (out->count < room && page_next(&page, &key, &value)) {
        struct record_chat chat;
        int error = record_chat_decode(value, &chat);
        ASSERT(error == 0);
        if (chat_is_unheard(&chat)) {
            memcpy(ids + out->count * sizeof(key.a), &key.a, sizeof(key.a));
            out->count++;
        }
    }
    return true;
}

static enum ask_outcome
run_user_remove(struct partition *partition, struct ask *ask, bool act)
{
    uint64_t user = ASK_DATA(store_user_id, ask)->user;
    struct command command = {.kind = COMMAND_USER_REMOVE, .user_remove = {.user = user}};
    if (!gather_groups(partition, ask, user, &command.user_remove.groups) ||
        !gather_waiting(partition, ask, &command.user_remove)) {
        return ASK_MISSING;
    }
    return partition_log_for_user(partition, ask, &command, user, act);
}

const struct ask_kind ask_user_remove = {
    .bytes = sizeof(struct store_user_id), .valid = partition_valid_user, .run = run_user_remove};
