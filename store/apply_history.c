/* SPDX-License-Identifier: Apache-2.0 */
/* What a history keeps no longer. */
#include "store/apply_priv.h"
#include "store/history_ledger.h"

static void
need_history(const struct needs *needs, const struct command *command)
{
    for (uint32_t i = 0; i < command->history.count; i++) {
        struct command_history_row row;
        command_history_get(&command->history, i, &row);
        struct store_key at =
            history_key_at(needs->ledger->partition, row.user, row.chat, row.chat_number, row.own);
        needs->each(needs->context, &at);
    }
}

static void
run_history(const struct apply *apply, const struct command *command)
{
    for (uint32_t i = 0; i < command->history.count; i++) {
        struct command_history_row row;
        command_history_get(&command->history, i, &row);
        history_forget(apply->ledger, row.user, row.chat, row.chat_number, row.own);
    }
}

const struct apply_command_kind apply_history = {need_history, run_history};
