/* SPDX-License-Identifier: Apache-2.0 */
#include "store/apply.h"

#include "store/apply_priv.h"

void
need(const struct needs *needs, enum record_table table, uint64_t owner, uint64_t a)
{
    struct store_key key = record_key(needs->ledger->partition, table, owner, a);
    needs->each(needs->context, &key);
}

void
need_key(const struct needs *needs, const struct store_key *key)
{
    needs->each(needs->context, key);
}

void
need_name(const struct needs *needs, const struct store_name *name)
{
    struct store_key key = record_key_name(needs->ledger->seed, name);
    needs->each(needs->context, &key);
}

static void
run_open(const struct apply *apply, const struct command *command)
{
    struct ledger_limits limits = {
        .inbox_entries_max = command->open.inbox_entries_max,
        .inbox_bytes_max = command->open.inbox_bytes_max,
        .devices_max = command->open.devices_max,
        .history_ms = command->open.history_ms,
    };
    ledger_open(apply->ledger, apply->time_ms, &limits);
}

static const struct apply_command_kind apply_open = {NULL, run_open};

static const struct apply_command_kind *const kinds[COMMAND_KINDS] = {
    [COMMAND_OPEN] = &apply_open,
    [COMMAND_NAME_CLAIM] = &apply_name_claim,
    [COMMAND_USER_REMOVE] = &apply_user_remove,
    [COMMAND_PASSWORD_SET] = &apply_password_set,
    [COMMAND_DEVICE_ADD] = &apply_device_add,
    [COMMAND_DEVICE_ATTACH] = &apply_device_attach,
    [COMMAND_DEVICE_REVOKE] = &apply_device_revoke,
    [COMMAND_MESSAGE] = &apply_message,
    [COMMAND_ACK] = &apply_ack,
    [COMMAND_READ] = &apply_read,
    [COMMAND_ACK_READ] = &apply_ack,
    [COMMAND_STREAM] = &apply_stream,
    [COMMAND_STREAM_ACK] = &apply_stream_ack,
    [COMMAND_STREAM_ROUND] = &apply_stream_round,
    [COMMAND_SEEN] = &apply_seen,
    [COMMAND_WAKE_SET] = &apply_wake_set,
    [COMMAND_WAKE_CLEAR] = &apply_wake_clear,
    [COMMAND_WAKE_DONE] = &apply_wake_done,
    [COMMAND_STATE] = &apply_state,
    [COMMAND_HISTORY] = &apply_history,
    [COMMAND_NAME_HOLD] = &apply_name_hold,
    [COMMAND_HOLD] = &apply_hold,
    [COMMAND_GROUP_CREATE] = &apply_group_create,
    [COMMAND_GROUP_CHANGE] = &apply_group_change,
    [COMMAND_GROUP_MESSAGE] = &apply_group_message,
    [COMMAND_GROUP_READ] = &apply_group_read,
    [COMMAND_GROUP_REPORT] = &apply_group_report,
    [COMMAND_GROUP_TELL] = &apply_group_tell,
    [COMMAND_GROUP_REVISE] = &apply_group_revise,
    [COMMAND_CHANGE] = &apply_change,
    [COMMAND_CHAT_TTL] = &apply_chat_ttl,
    [COMMAND_SWEEP] = &apply_sweep,
    [COMMAND_DEVICE_RENAME] = &apply_device_rename,
    [COMMAND_LINK_CREATE] = &apply_link_create,
    [COMMAND_LINK_REDEEM] = &apply_link_redeem,
    [COMMAND_DEVICE_UNSEEN] = &apply_device_unseen,
    [COMMAND_INBOX_EXPIRE] = &apply_inbox_expire,
    [COMMAND_CALL_OFFER] = &apply_call_offer,
    [COMMAND_CALL_ANSWER] = &apply_call_answer,
    [COMMAND_CALL_END] = &apply_call_end,
    [COMMAND_CALL_CHECK] = &apply_call_check,
};

void
apply_needs(const struct ledger *ledger, const struct command *command,
            void (*each)(void *context, const struct store_key *key), void *context)
{
    struct needs needs = {.ledger = ledger, .each = each, .context = context};
    ASSERT(command->kind < COMMAND_KINDS && kinds[command->kind] != NULL);
    if (kinds[command->kind]->needs != NULL) {
        kinds[command->kind]->needs(&needs, command);
    }
}

void
apply_command(struct ledger *ledger, const struct command *command, struct effects *effects,
              struct result *out)
{
    struct apply apply = {
        .ledger = ledger, .effects = effects, .result = out, .time_ms = command->time_ms};
    ASSERT(command->partition == ledger->partition);
    ASSERT(command->kind < COMMAND_KINDS && kinds[command->kind] != NULL);
    *out = (struct result){0};
    ledger->changed = true;
    if (command->time_ms > ledger->last_time_ms) {
        ledger->last_time_ms = command->time_ms;
    }
    kinds[command->kind]->run(&apply, command);
}
