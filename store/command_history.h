/* SPDX-License-Identifier: Apache-2.0 */
/* command_history.h - histories' command (command.h): what has grown too old is forgotten. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { COMMAND_HISTORY_ROW_BYTES = 3 * 8 + 1, COMMAND_HISTORY_ROWS_MAX = 300 };

/* One row of one user's history, as history_place names it (history_ledger.h). */
struct command_history_row {
    uint64_t user;
    uint64_t chat;
    uint64_t chat_number;
    bool own;
};
struct command_history {
    uint32_t count;
    const unsigned char *rows; /* COMMAND_HISTORY_ROW_BYTES each: command_history_get */
};
void command_history_put(unsigned char *rows, uint32_t index,
                         const struct command_history_row *row);
void command_history_get(const struct command_history *history, uint32_t index,
                         struct command_history_row *out);
