/* SPDX-License-Identifier: Apache-2.0 */
#include "store/chat.h"

#include "store/outbox.h"

bool
chat_get(const struct ledger *ledger, uint64_t user, uint64_t peer, struct record_chat *out)
{
    struct store_key key = record_key(ledger->partition, RECORD_CHAT, user, peer);
    struct store_value value;
    *out = (struct record_chat){0};
    if (!ledger_get(ledger, &key, &value)) {
        return false;
    }
    int error = record_chat_decode(value, out);
    ASSERT(error == 0);
    return true;
}

/* Nobody has written, and what was set is at its default again. */
static bool
is_empty(const struct record_chat *chat)
{
    return !chat_met(chat) && chat->told_number == 0 && chat->mark == 0 && !chat->held &&
           !chat->blocked && chat->muted_until_ms == 0 && chat->ttl_at_ms == 0 &&
           !chat->ttl_alone.set && !chat->peer_ttl_alone.set;
}

static void
put(struct ledger *ledger, uint64_t user, uint64_t peer, const struct record_chat *chat,
    const struct record_expired *expired)
{
    struct store_key key = record_key(ledger->partition, RECORD_CHAT, user, peer);
    unsigned char record[RECORD_BYTES_MAX];
    if (is_empty(chat)) {
        ledger_delete(ledger, &key);
    } else {
        ledger_put(ledger, &key, record, record_chat_encode(chat, expired, record));
    }
}

static __attribute__((noinline)) void
put_as_it_expired(struct ledger *ledger, uint64_t user, uint64_t peer,
                  const struct record_chat *chat)
{
    struct record_expired expired;
    chat_expired(ledger, user, peer, &expired);
    put(ledger, user, peer, chat, &expired);
}

void
chat_put(struct ledger *ledger, uint64_t user, uint64_t peer, const struct record_chat *chat)
{
    if (chat->expired) {
        put_as_it_expired(ledger, user, peer, chat);
    } else {
        put(ledger, user, peer, chat, NULL);
    }
}

void
chat_expired(const struct ledger *ledger, uint64_t user, uint64_t peer, struct record_expired *out)
{
    struct store_key key = record_key(ledger->partition, RECORD_CHAT, user, peer);
    struct store_value value;
    *out = (struct record_expired){0};
    if (ledger_get(ledger, &key, &value)) {
        int error = record_expired_decode(value, out);
        ASSERT(error == 0);
    }
}

void
chat_put_expired(struct ledger *ledger, uint64_t user, uint64_t peer, struct record_chat *chat,
                 const struct record_expired *expired)
{
    ASSERT(!expired_is_none(&expired->here) || !expired_is_none(&expired->there));
    chat->expired = true;
    put(ledger, user, peer, chat, expired);
}

/* All that has expired of what the peer wrote goes with it. */
static __attribute__((noinline)) void
payload_add_expired(const struct ledger *ledger, const struct chat_owner *owner,
                    struct payload *payload)
{
    struct record_expired expired;
    chat_expired(ledger, owner->user, owner->peer, &expired);
    payload->kind = PAYLOAD_EXPIRED;
    payload->receipt.expired = expired.here;
}

void
chat_tell(struct ledger *ledger, struct effects *effects, const struct chat_owner *owner)
{
    struct record_chat *chat = owner->chat;
    uint8_t destination = ledger_partition_of(ledger, owner->peer);
    bool withheld = owner->head->receipts_off || chat->blocked;
    uint64_t read = withheld ? chat->told_read : chat->read;
    bool known =
        chat->delivered == chat->told_delivered && read == chat->told_read && !chat->expired_due;
    if (known || chat->told_number > ledger->streams[destination].out_acked) {
        return;
    }
    struct payload payload = {
        .kind = PAYLOAD_RECEIPT,
        .receipt = {.reader = owner->user,
                    .peer = owner->peer,
                    .delivered = chat->delivered,
                    .read = read},
    };
    if (chat->expired_due) {
        payload_add_expired(ledger, owner, &payload);
    }
    chat->told_number = outbox_put(ledger, effects, destination, &payload);
    chat->told_delivered = chat->delivered;
    chat->told_read = read;
    chat->expired_due = false;
}

bool
chat_owes_read(const struct record_head *head, const struct record_chat *chat)
{
    return !head->receipts_off && !chat->blocked && chat->told_read < chat->read;
}

/* What has expired of what the user wrote, as an entry has it. Returns how many bytes; 0: nothing
 * has. */
static __attribute__((noinline)) uint8_t
encode_there(const struct ledger *ledger, const struct chat_owner *owner,
             unsigned char out[EXPIRED_BYTES_MAX])
{
    struct record_expired expired;
    struct cursor_out cursor;
    chat_expired(ledger, owner->user, owner->peer, &expired);
    if (expired_is_none(&expired.there)) {
        return 0;
    }
    cursor_out_init(&cursor, out, EXPIRED_BYTES_MAX);
    expired_put(&cursor, &expired.there);
    return (uint8_t)cursor_out_bytes(&cursor);
}

void
chat_mark(struct ledger *ledger, struct effects *effects, const struct chat_owner *owner,
          enum chat_side side)
{
    struct record_chat *chat = owner->chat;
    if (chat->mark > owner->head->low.number) {
        inbox_take_out(ledger, owner->user, chat->mark);
    } else {
        chat->mark_peer = false;
        chat->mark_own = false;
    }
    chat->mark_peer = chat->mark_peer || side == CHAT_PEER;
    chat->mark_own = chat->mark_own || side == CHAT_OWN;
    unsigned char expired[EXPIRED_BYTES_MAX];
    uint8_t expired_bytes = chat->expired ? encode_there(ledger, owner, expired) : 0;
    struct store_entry entry = {
        .kind = STORE_ENTRY_CURSORS,
        .peer = owner->peer,
        .cursors =
            {
                .peer_moved = chat->mark_peer,
                .peer_delivered = chat->peer_delivered,
                .peer_read = chat->peer_read,
                .expired = expired,
                .expired_bytes = expired_bytes,
                .own_moved = chat->mark_own,
                .own_delivered = chat->delivered,
                .own_read = chat->read,
            },
    };
    inbox_append(ledger, effects, owner->user, owner->head, &entry);
    chat->mark = entry.number;
}
