/* SPDX-License-Identifier: Apache-2.0 */
/* What a history tells, as events that were in no inbox. */
#include "actors/event.h"

#include "store/history.h"

void
event_history(struct connection *connection, const struct ln_buffer *rows)
{
    const unsigned char *bytes = ln_buffer_data((struct ln_buffer *)(uintptr_t)rows);
    size_t count = ln_buffer_bytes(rows);
    size_t at = 0;
    struct store_history_row row;
    while (store_history_next(bytes, count, &at, &row)) {
        row.entry.number = 0;
        switch ((int)row.entry.kind) {
        case STORE_ENTRY_GROUP_UPDATE:
            event_group_update(connection, &row.entry);
            break;
        case STORE_ENTRY_CALL:
            event_call(connection, &row.entry);
            break;
        default:
            event_told(connection, &row);
            break;
        }
    }
}
