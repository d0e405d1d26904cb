/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to the journal: its command goes there when all that its apply will look up is
 * known. What is certain to be refused is refused before, so that nobody fills the log with
 * refusals; everything else is decided when the command is applied. */
#include "store/change.h"
#include "store/partition_priv.h"

#include <errno.h>

/* The wall clock, but never earlier than anything this partition has seen: messages of a chat are
 * shown in the order of their times. */
static uint64_t
time_of_command(struct partition *partition)
{
    int64_t wall = ln_wall_ms();
    uint64_t time_ms = wall > 0 ? (uint64_t)wall : 0;
    if (time_ms < partition->ledger.last_time_ms) {
        time_ms = partition->ledger.last_time_ms;
    }
    if (time_ms > partition->last_time_ms) {
        partition->last_time_ms = time_ms;
    }
    return partition->last_time_ms;
}

static void
message_dated(struct store_entry_message *message, uint64_t time_ms,
              const struct store_message *asked)
{
    message->time_ms = time_ms;
    message->expires_at_ms = asked->ttl_ms != 0 ? time_ms + asked->ttl_ms : 0;
}

enum ask_outcome
partition_log_known(struct partition *partition, struct ask *ask, struct command *command)
{
    command->time_ms = time_of_command(partition);
    if (command->kind == COMMAND_MESSAGE || command->kind == COMMAND_GROUP_MESSAGE) {
        message_dated(&command->message.message, command->time_ms, ASK_DATA(store_message, ask));
    } else if (command->kind == COMMAND_CHANGE || command->kind == COMMAND_GROUP_REVISE) {
        message_dated(&command->change.change.message, command->time_ms,
                      &ASK_DATA(store_change, ask)->message);
    }
    ask_enter(ask); /* what apply will look up is known now, and stays known */
    if (journal_append(partition->journal, ask, command) != 0) {
        return ASK_STALLED;
    }
    partition_trace_accepted(partition, command);
    return ASK_TAKEN;
}

/* Collects what the partition does not know of a command's needs. */
struct knowing {
    struct partition *partition;
    bool all;
};

static void
know(void *context, const struct store_key *key)
{
    struct knowing *knowing = context;
    knowing->all = partition_knows(knowing->partition, key) && knowing->all;
}

bool
partition_knows_needs(struct partition *partition, const struct command *command)
{
    struct knowing knowing = {.partition = partition, .all = true};
    apply_needs(&partition->ledger, command, know, &knowing);
    return knowing.all;
}

enum ask_outcome
partition_log(struct partition *partition, struct ask *ask, struct command *command, bool act)
{
    command->partition = partition->ledger.partition;
    if (!partition_knows_needs(partition, command)) {
        return ASK_MISSING;
    }
    return act ? partition_log_known(partition, ask, command) : ASK_READY;
}

enum ask_outcome
partition_log_for_user(struct partition *partition, struct ask *ask, struct command *command,
                       uint64_t user, bool act)
{
    struct store_key key = record_key(partition->ledger.partition, RECORD_HEAD, user, 0);
    struct store_value value;
    enum ask_outcome outcome = partition_log(partition, ask, command, false);
    if (outcome != ASK_READY || !act) {
        return outcome;
    }
    if (!ledger_get(&partition->ledger, &key, &value)) {
        return partition_refuse(ask, -ENOENT);
    }
    return partition_log_known(partition, ask, command);
}
