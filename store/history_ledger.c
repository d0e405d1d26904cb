/* SPDX-License-Identifier: Apache-2.0 */
#include "store/history_ledger.h"

enum { AT_BYTES_MAX = RECORD_HEADER_BYTES + 8 + 3 * 4 + 1 };

bool
history_is_on(const struct ledger *ledger)
{
    return ledger->limits.history_ms > 0;
}

void
history_place(uint64_t user, uint64_t chat, const struct store_entry *entry, uint64_t *out_number,
              bool *out_own)
{
    if (entry->kind == STORE_ENTRY_GROUP_UPDATE) {
        *out_number = entry->update.update;
        *out_own = true;
    } else if (entry->kind == STORE_ENTRY_CALL) {
        *out_number = HISTORY_CALL | entry->number;
        *out_own = false;
    } else {
        *out_number = entry->message.chat_number;
        *out_own =
            entry->kind == STORE_ENTRY_MESSAGE && entry->message.sender == user && chat != user;
    }
}

static void
at_put(struct ledger *ledger, const struct store_key *key, const struct history_at *at)
{
    struct cursor_out out;
    unsigned char record[AT_BYTES_MAX];
    cursor_out_init(&out, record, sizeof(record));
    record_begin(&out, RECORD_HISTORY_AT);
    cursor_put_u64(&out, at->number);
    if (at->counted) {
        cursor_put_u32(&out, at->count.delivered);
        cursor_put_u32(&out, at->count.read);
        cursor_put_u32(&out, at->count.expired);
        cursor_put_u8(&out, at->all);
    }
    ledger_put(ledger, key, record, cursor_out_bytes(&out));
}

void
history_put(struct ledger *ledger, uint64_t user, struct store_entry *entry)
{
    if (!history_is_on(ledger)) {
        return;
    }
    if (entry->number == 0) {
        entry->number = ledger_number_next(ledger);
    }
    struct store_key key = history_key(ledger->partition, user, entry->peer, entry->number);
    entry_encode(entry, ledger_put_room(ledger, &key, entry_bytes(entry)));

    struct cursor_out out;
    unsigned char nothing[RECORD_HEADER_BYTES];
    cursor_out_init(&out, nothing, sizeof(nothing));
    record_begin(&out, RECORD_HISTORY_BACK);
    key = history_key_back(ledger->partition, user, entry->peer, entry->number);
    ledger_put(ledger, &key, nothing, cursor_out_bytes(&out));

    struct history_at at = {.number = entry->number};
    uint64_t chat_number;
    bool own;
    history_place(user, entry->peer, entry, &chat_number, &own);
    key = history_key_at(ledger->partition, user, entry->peer, chat_number, own);
    at_put(ledger, &key, &at);
}

int
history_at_decode(struct store_value value, struct history_at *out)
{
    struct history_at at = {0};
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_HISTORY_AT);
    at.number = cursor_get_u64(&in);
    at.counted = cursor_in_left(&in) > 0;
    if (at.counted) {
        at.count.delivered = cursor_get_u32(&in);
        at.count.read = cursor_get_u32(&in);
        at.count.expired = cursor_get_u32(&in);
        at.all = record_get_flag(&in);
    }
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = at;
    }
    return error;
}

static bool
at_get(const struct ledger *ledger, const struct store_key *key, struct history_at *out)
{
    struct store_value value;
    if (!ledger_get(ledger, key, &value)) {
        return false;
    }
    int error = history_at_decode(value, out);
    ASSERT(error == 0);
    return true;
}

void
history_count(struct ledger *ledger, uint64_t user, uint64_t group,
              const struct store_group_count *count, bool all)
{
    struct store_key key =
        history_key_at(ledger->partition, user, group, count->chat_number, false);
    struct history_at at;
    if (!at_get(ledger, &key, &at)) {
        return;
    }
    bool same = at.counted && at.all == all && at.count.delivered == count->delivered &&
                at.count.read == count->read && at.count.expired == count->expired;
    if (!same) {
        at.counted = true;
        at.all = all;
        at.count = *count;
        at_put(ledger, &key, &at);
    }
}

void
history_forget(struct ledger *ledger, uint64_t user, uint64_t chat, uint64_t chat_number, bool own)
{
    struct store_key at_key = history_key_at(ledger->partition, user, chat, chat_number, own);
    struct history_at at;
    if (!at_get(ledger, &at_key, &at)) {
        return;
    }
    struct store_key key = history_key(ledger->partition, user, chat, at.number);
    struct store_key back = history_key_back(ledger->partition, user, chat, at.number);
    ledger_delete(ledger, &key);
    ledger_delete(ledger, &back);
    ledger_delete(ledger, &at_key);
}

/* The message and its key, if it is there. What it points to is good until the ledger's next
 * change. */
static bool
find(const struct ledger *ledger, const struct store_key *at_key, struct store_key *out_key,
     struct store_entry *out)
{
    struct store_value value;
    struct history_at at;
    if (!at_get(ledger, at_key, &at)) {
        return false;
    }
    *out_key = history_key(ledger->partition, at_key->owner, at_key->a, at.number);
    bool present = ledger_get(ledger, out_key, &value);
    ASSERT(present);
    int error = entry_decode(at.number, value.bytes, value.count, out);
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
