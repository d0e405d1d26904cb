/* SPDX-License-Identifier: Apache-2.0 */
/* Requests about how long messages of a chat of two live. */
#include "store/chat.h"
#include "store/chat_ttl.h"
#include "store/partition_priv.h"

#include <errno.h>

static bool
valid_chat_ttl(const struct ask *ask)
{
    const struct store_chat_ttl *set = ASK_DATA(store_chat_ttl, ask);
    return partition_valid_user(ask) && set->user != 0 && set->number != 0 &&
           set->ttl_ms <= STORE_TTL_MS_MAX;
}

static enum ask_outcome
run_chat_ttl(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_chat_ttl *set = ASK_DATA(store_chat_ttl, ask);
    struct command command = {
        .kind = COMMAND_CHAT_TTL,
        .chat_ttl = {.recipient = set->recipient,
                     .user = set->user,
                     .number = set->number,
                     .ttl_ms = set->ttl_ms,
                     .device = set->device,
                     .met = set->met},
    };
    return partition_log_for_user(partition, ask, &command, set->recipient, act);
}

const struct ask_kind ask_chat_ttl = {
    .bytes = sizeof(struct store_chat_ttl),
    .needs_space = true,
    .valid = valid_chat_ttl,
    .run = run_chat_ttl,
    .answer = partition_answer_sent,
};
