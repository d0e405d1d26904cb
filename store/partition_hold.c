/* SPDX-License-Identifier: Apache-2.0 */
/* What a sender's connection asks before it writes to a name that nobody has (hold.h). What has
 * been decided already is answered without a command. */
#include "store/chat.h"
#include "store/hold.h"
#include "store/partition_priv.h"
#include "store/record_account.h"
#include "store/store_priv.h"

#include <errno.h>

static bool
valid_name_hold(const struct ask *ask)
{
    return partition_owns_name(ask, &ASK_DATA(store_name_hold, ask)->name);
}

static void
answer_held(struct ask *ask, const struct result *result)
{
    struct store_name_held held = {.user = result->user, .waits = result->waits};
    ask_answer(ask, &held, sizeof(held), NULL);
}

static enum ask_outcome
run_name_hold(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_name_hold *asked = ASK_DATA(store_name_hold, ask);
    struct command command = {.kind = COMMAND_NAME_HOLD, .name_hold = asked->name};
    struct store_key key = record_key_name(partition->ledger.seed, &asked->name);
    struct store_value value;
    struct record_name record;
    enum ask_outcome outcome = partition_log(partition, ask, &command, false);
    if (outcome != ASK_READY || !act) {
        return outcome;
    }
    if (!ledger_get(&partition->ledger, &key, &value)) {
        return asked->known_only ? partition_refuse(ask, -EUSERS)
                                 : partition_log(partition, ask, &command, true);
    }
    int error = record_name_decode(value, &record);
    ASSERT(error == 0);
    if (!record_names_equal(&record.name, &asked->name)) {
        return partition_refuse(ask, -ENOENT);
    }
    struct result known = {.user = record.user, .waits = record.promised};
    answer_held(ask, &known);
    return ASK_DONE;
}

static bool
valid_hold(const struct ask *ask)
{
    const struct store_hold *hold = ASK_DATA(store_hold, ask);
    return partition_valid_user(ask) && hold->recipient != 0 &&
           hold->recipients_max <= STORE_HOLD_RECIPIENTS_LIMIT;
}

static void
answer_counted(struct ask *ask, const struct result *result)
{
    struct store_hold_counted counted = {.anew = result->waits};
    ask_answer(ask, &counted, sizeof(counted), NULL);
}

/* Round about it an inbox is looked through for what is too old (partition_round.c). */
enum { ROUND_MS = 2 * 3600000 };

/* What is written to him now may wait for so long. */
static uint64_t
waits_until_ms(const struct partition *partition)
{
    int64_t wall = ln_wall_ms();
    return (uint64_t)(wall > 0 ? wall : 0) + partition->store->options.hold_ms + ROUND_MS;
}

static enum ask_outcome
run_hold(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_hold *asked = ASK_DATA(store_hold, ask);
    struct command command = {.kind = COMMAND_HOLD, .hold = *asked};
    struct record_chat chat;
    enum ask_outcome outcome = partition_log(partition, ask, &command, false);
    if (outcome != ASK_READY || !act) {
        return outcome;
    }
    (void)chat_get(&partition->ledger, asked->user, asked->recipient, &chat);
    uint64_t until_ms = waits_until_ms(partition);
    bool counted = chat.held && chat.held_until_ms >= until_ms;
    if (asked->back ? !chat.held : counted) {
        answer_counted(ask, &(struct result){.waits = false});
        return ASK_DONE;
    }
    /* Twice as long, so that not every message is a command. */
    command.hold.until_ms = asked->back ? 0 : until_ms + partition->store->options.hold_ms;
    return partition_log_for_user(partition, ask, &command, asked->user, act);
}

const struct ask_kind ask_name_hold = {
    .bytes = sizeof(struct store_name_hold),
    .needs_space = true,
    .valid = valid_name_hold,
    .run = run_name_hold,
    .answer = answer_held,
};
const struct ask_kind ask_hold = {
    .bytes = sizeof(struct store_hold),
    .needs_space = true,
    .valid = valid_hold,
    .run = run_hold,
    .answer = answer_counted,
};
