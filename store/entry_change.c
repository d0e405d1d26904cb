/* SPDX-License-Identifier: Apache-2.0 */
/* What was done to a message later: the change's kind and the changed message's author, then the
 * change as a message of its own. */
#include "store/cursor.h"
#include "store/entry.h"

enum { CHANGE_BYTES = 1 + 8 };

size_t
entry_change_bytes(const struct store_entry_change *change)
{
    return CHANGE_BYTES + entry_message_bytes(&change->message);
}

void
entry_put_change(struct cursor_out *out, const struct store_entry_change *change)
{
    cursor_put_u8(out, (uint8_t)change->kind);
    cursor_put_u64(out, change->author);
    entry_put_message(out, &change->message);
}

void
entry_get_change(struct cursor_in *in, struct store_entry_change *out)
{
    uint8_t kind = cursor_get_u8(in);
    if (kind < STORE_CHANGE_EDIT || kind > STORE_CHANGE_HIDE) {
        cursor_in_fail(in);
    }
    out->kind = (enum store_change_kind)kind;
    out->author = cursor_get_u64(in);
    entry_get_message(in, &out->message);
}

void
entry_blank(struct store_entry_message *message)
{
    message->deleted = true;
    message->body_kind = 0;
    message->content_kind = 0;
    message->body_bytes = 0;
    message->attachments_bytes = 0;
}
