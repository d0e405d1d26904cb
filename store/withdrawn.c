/* SPDX-License-Identifier: Apache-2.0 */
#include "store/withdrawn.h"

#include "store/apply_priv.h"
#include "store/inbox.h"

/* In the place of the number in the chat, beside those of what the peer wrote. */
static const uint64_t own = UINT64_C(1) << 63;

enum { LOOK_AGAIN_MS = 24 * 3600 * 1000 };

bool
withdrawn_key(const struct ledger *ledger, uint64_t user, const struct store_entry *entry,
              struct store_key *out_key)
{
    bool edit = entry->kind == STORE_ENTRY_CHANGE && entry->change.kind == STORE_CHANGE_EDIT &&
                entry->change.author == user;
    if (entry->peer == user || (entry->kind != STORE_ENTRY_MESSAGE && !edit)) {
        return false;
    }
    const struct store_entry_message *said = edit ? &entry->change.message : &entry->message;
    *out_key = tombstone_key(ledger->partition, user, entry->peer, said->chat_number | own);
    return said->sender == user;
}

/* How far the inbox had come when it was taken back. */
static void
tombstone_write(struct ledger *ledger, const struct store_key *key, uint64_t number)
{
    struct cursor_out out;
    unsigned char record[RECORD_HEADER_BYTES + 8];
    cursor_out_init(&out, record, sizeof(record));
    record_begin(&out, RECORD_TOMBSTONE);
    cursor_put_u64(&out, number);
    ledger_put(ledger, key, record, sizeof(record));
}

/* An older linnet did not note it: then no later than the last that was. */
static uint64_t
tombstone_read(const struct ledger *ledger, const struct store_key *key,
               const struct record_head *head)
{
    struct store_value value;
    struct cursor_in in;
    if (!ledger_get(ledger, key, &value)) {
        return 0;
    }
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_TOMBSTONE);
    return cursor_in_left(&in) > 0 ? cursor_get_u64(&in) : head->withdrawn;
}

static void
look_at(const struct apply *apply, const struct expiry *expiry)
{
    expiry_put(apply->ledger, apply->effects, apply->time_ms + LOOK_AGAIN_MS,
               ledger_number_next(apply->ledger), expiry);
}

/* A frame of its own: its callers have a head, too. */
__attribute__((noinline)) void
withdrawn_put(const struct apply *apply, uint64_t user, uint64_t peer, uint64_t chat_number)
{
    struct expiry expiry = {
        .kind = EXPIRY_TOMBSTONE, .user = user, .a = peer, .b = chat_number | own};
    struct record_head head;
    if (!inbox_head_get(apply->ledger, user, &head) || inbox_entries_above(&head, &head.low) == 0) {
        return;
    }
    head.withdrawn = head.last.number;
    inbox_head_put(apply->ledger, user, &head);
    struct store_key key = tombstone_key(apply->ledger->partition, user, peer, expiry.b);
    tombstone_write(apply->ledger, &key, head.last.number);
    look_at(apply, &expiry);
}

bool
withdrawn_is(const struct expiry *expiry)
{
    return expiry->kind == EXPIRY_TOMBSTONE && (expiry->b & own) != 0;
}

void
withdrawn_due(const struct apply *apply, const struct expiry *expiry)
{
    struct store_key key =
        tombstone_key(apply->ledger->partition, expiry->user, expiry->a, expiry->b);
    struct record_head head;
    if (inbox_head_get(apply->ledger, expiry->user, &head) &&
        tombstone_read(apply->ledger, &key, &head) > head.low.number) {
        look_at(apply, expiry);
    } else {
        ledger_delete(apply->ledger, &key);
    }
}
