/* SPDX-License-Identifier: Apache-2.0 */
#include "store/command_history.h"

#include "store/command_priv.h"

void
command_history_put(unsigned char *rows, uint32_t index, const struct command_history_row *row)
{
    struct cursor_out out;
    cursor_out_init(&out, rows + (size_t)index * COMMAND_HISTORY_ROW_BYTES,
                    COMMAND_HISTORY_ROW_BYTES);
    cursor_put_u64(&out, row->user);
    cursor_put_u64(&out, row->chat);
    cursor_put_u64(&out, row->chat_number);
    cursor_put_u8(&out, row->own);
    ASSERT(!out.failed);
}

void
command_history_get(const struct command_history *history, uint32_t index,
                    struct command_history_row *out)
{
    struct cursor_in in;
    ASSERT(index < history->count);
    cursor_in_init(&in, history->rows + (size_t)index * COMMAND_HISTORY_ROW_BYTES,
                   COMMAND_HISTORY_ROW_BYTES);
    out->user = cursor_get_u64(&in);
    out->chat = cursor_get_u64(&in);
    out->chat_number = cursor_get_u64(&in);
    out->own = cursor_get_u8(&in) != 0;
}

void
command_put_old_history(struct cursor_out *out, const struct command *command)
{
    cursor_put_u32(out, command->history.count);
    cursor_put_bytes(out, command->history.rows,
                     (size_t)command->history.count * COMMAND_HISTORY_ROW_BYTES);
}

void
command_get_old_history(struct cursor_in *in, struct command *out)
{
    out->history.count = cursor_get_u32(in);
    if (out->history.count > COMMAND_HISTORY_ROWS_MAX) {
        cursor_in_fail(in);
        out->history.count = 0;
    }
    out->history.rows =
        cursor_get_bytes(in, (size_t)out->history.count * COMMAND_HISTORY_ROW_BYTES);
}
