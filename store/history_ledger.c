/* SPDX-License-Identifier: Apache-2.0 */
#include "store/history_ledger.h"

enum { AT_BYTES = RECORD_HEADER_BYTES + 8 };

bool
history_is_on(const struct ledger *ledger)
{
    return ledger->limits.history_ms > 0;
}

static bool
is_own(uint64_t user, const struct store_entry *entry)
{
    return entry->kind == STORE_ENTRY_MESSAGE && entry->message.sender == user &&
           entry->peer != user;
}

void
history_put(struct ledger *ledger, struct effects *effects, uint64_t user,
            struct store_entry *entry)
{
    if (!history_is_on(ledger)) {
        return;
    }
    if (entry->number == 0) {
        entry->number = ledger_number_next(ledger);
    }
    struct store_key key = history_key(ledger->partition, user, entry->peer, entry->number);
    size_t bytes = entry_bytes(entry);
    unsigned char *record = effects_scratch(effects, bytes);
    entry_encode(entry, record);
    ledger_put(ledger, &key, record, bytes);

    struct cursor_out out;
    unsigned char small[AT_BYTES];
    cursor_out_init(&out, small, sizeof(small));
    record_begin(&out, RECORD_HISTORY_BACK);
    key = history_key_back(ledger->partition, user, entry->peer, entry->number);
    ledger_put(ledger, &key, small, cursor_out_bytes(&out));

    cursor_out_init(&out, small, sizeof(small));
    record_begin(&out, RECORD_HISTORY_AT);
    cursor_put_u64(&out, entry->number);
    key = history_key_at(ledger->partition, user, entry->peer, entry->message.chat_number,
                         is_own(user, entry));
    ledger_put(ledger, &key, small, cursor_out_bytes(&out));
}

int
history_at_decode(struct store_value value, uint64_t *out_number)
{
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_HISTORY_AT);
    *out_number = cursor_get_u64(&in);
    return cursor_in_end(&in);
}

void
history_forget(struct ledger *ledger, uint64_t user, uint64_t chat, uint64_t chat_number, bool own)
{
    struct store_key at = history_key_at(ledger->partition, user, chat, chat_number, own);
    struct store_value value;
    uint64_t number;
    if (!ledger_get(ledger, &at, &value)) {
        return;
    }
    int error = history_at_decode(value, &number);
    ASSERT(error == 0);
    struct store_key key = history_key(ledger->partition, user, chat, number);
    struct store_key back = history_key_back(ledger->partition, user, chat, number);
    ledger_delete(ledger, &key);
    ledger_delete(ledger, &back);
    ledger_delete(ledger, &at);
}

/* The message and its key, if it is there. What it points to is good until the ledger's next
 * change. */
static bool
find(const struct ledger *ledger, const struct store_key *at, struct store_key *out_key,
     struct store_entry *out)
{
    struct store_value value;
    uint64_t number;
    if (!ledger_get(ledger, at, &value)) {
        return false;
    }
    int error = history_at_decode(value, &number);
    ASSERT(error == 0);
    *out_key = history_key(ledger->partition, at->owner, at->a, number);
    bool present = ledger_get(ledger, out_key, &value);
    ASSERT(present);
    error = entry_decode(number, value.bytes, value.count, out);
    ASSERT(error == 0);
    return true;
}

static void
rewrite(struct ledger *ledger, struct effects *effects, const struct store_key *key,
        const struct store_entry *entry)
{
    size_t bytes = entry_bytes(entry);
    unsigned char *record = effects_scratch(effects, bytes);
    entry_encode(entry, record);
    ledger_put(ledger, key, record, bytes);
}

void
history_delete(struct ledger *ledger, struct effects *effects, uint64_t user, uint64_t chat,
               uint64_t chat_number, bool own)
{
    struct store_key at = history_key_at(ledger->partition, user, chat, chat_number, own);
    struct store_key key;
    struct store_entry entry;
    if (find(ledger, &at, &key, &entry)) {
        entry_blank(&entry.message);
        rewrite(ledger, effects, &key, &entry);
    }
}

void
history_edit(struct ledger *ledger, struct effects *effects, uint64_t user, uint64_t chat, bool own,
             const struct store_entry_message *edit)
{
    struct store_key at = history_key_at(ledger->partition, user, chat, edit->chat_number, own);
    struct store_key key;
    struct store_entry entry;
    if (!find(ledger, &at, &key, &entry) || entry.message.deleted) {
        return;
    }
    entry.message.body_kind = edit->body_kind;
    entry.message.body = edit->body;
    entry.message.body_bytes = edit->body_bytes;
    entry.message.attachments = edit->attachments;
    entry.message.attachments_bytes = edit->attachments_bytes;
    if (entry.message.expires_at_ms == 0 ||
        (edit->expires_at_ms != 0 && edit->expires_at_ms < entry.message.expires_at_ms)) {
        entry.message.expires_at_ms = edit->expires_at_ms;
    }
    entry.message.edited = true;
    if (edit->content_kind != 0) {
        entry.message.content_kind = edit->content_kind;
    }
    rewrite(ledger, effects, &key, &entry);
}
