/* SPDX-License-Identifier: Apache-2.0 */
#include "store/history_row.h"

#include "store/cursor.h"

#include <string.h>

enum { ROW_BYTES = 2 + 3 * 4 };

size_t
history_row_bytes(size_t record_bytes)
{
    return ROW_BYTES + ENTRY_PREFIX_BYTES + record_bytes;
}

void
history_row_put(const struct history_row *row, unsigned char *out)
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, ROW_BYTES);
    cursor_put_u8(&cursor, (uint8_t)row->state);
    cursor_put_u8(&cursor, row->counted);
    cursor_put_u32(&cursor, row->count.delivered);
    cursor_put_u32(&cursor, row->count.read);
    cursor_put_u32(&cursor, row->count.expired);
    ASSERT(!cursor.failed);
    entry_prefix(row->number, row->record.count, out + ROW_BYTES);
    memcpy(out + ROW_BYTES + ENTRY_PREFIX_BYTES, row->record.bytes, row->record.count);
}

bool
store_history_next(const unsigned char *bytes, size_t count, size_t *at,
                   struct store_history_row *out)
{
    struct cursor_in in;
    if (*at == count) {
        return false;
    }
    cursor_in_init(&in, bytes + *at, count - *at);
    out->state = (enum store_history_state)cursor_get_u8(&in);
    out->counted = cursor_get_u8(&in) != 0;
    out->count.delivered = cursor_get_u32(&in);
    out->count.read = cursor_get_u32(&in);
    out->count.expired = cursor_get_u32(&in);
    ASSERT(!in.failed);
    *at += ROW_BYTES;
    bool there = entry_next(bytes, count, at, &out->entry);
    ASSERT(there);
    out->count.chat_number = out->counted ? out->entry.message.chat_number : 0;
    return true;
}
