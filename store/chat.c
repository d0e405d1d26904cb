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

void
chat_put(struct ledger *ledger, uint64_t user, uint64_t peer, const struct record_chat *chat)
{
    struct store_key key = record_key(ledger->partition, RECORD_CHAT, user, peer);
    unsigned char record[RECORD_BYTES_MAX];
    if (is_empty(chat)) {
        ledger_delete(ledger, &key);
    } else {
        ledger_put(ledger, &key, record, record_chat_encode(chat, record));
    }
}

void
chat_tell(struct ledger *ledger, struct effects *effects, const struct chat_owner *owner)
{
    struct record_chat *chat = owner->chat;
    uint8_t destination = ledger_partition_of(ledger, owner->peer);
    bool withheld = owner->head->receipts_off || chat->blocked;
    uint64_t read = withheld ? chat->told_read : chat->read;
    bool expired =
        chat->expired != chat->told_expired || chat->expired_after != chat->told_expired_after;
    bool known = chat->delivered == chat->told_delivered && read == chat->told_read && !expired;
    if (known || chat->told_number > ledger->streams[destination].out_acked) {
        return;
    }
    struct payload payload = {
        .kind = expired ? PAYLOAD_EXPIRED : PAYLOAD_RECEIPT,
        .receipt = {.reader = owner->user,
                    .peer = owner->peer,
                    .delivered = chat->delivered,
                    .read = read,
                    .expired_after = chat->expired_after,
                    .expired = chat->expired},
    };
    chat->told_number = outbox_put(ledger, effects, destination, &payload);
    chat->told_delivered = chat->delivered;
    chat->told_read = read;
    chat->told_expired_after = chat->expired_after;
    chat->told_expired = chat->expired;
}

bool
chat_owes_read(const struct record_head *head, const struct record_chat *chat)
{
    return !head->receipts_off && !chat->blocked && chat->told_read < chat->read;
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
    struct store_entry entry = {
        .kind = STORE_ENTRY_CURSORS,
        .peer = owner->peer,
        .cursors =
            {
                .peer_moved = chat->mark_peer,
                .peer_delivered = chat->peer_delivered,
                .peer_read = chat->peer_read,
                .peer_expired_after = chat->peer_expired_after,
                .peer_expired = chat->peer_expired,
                .own_moved = chat->mark_own,
                .own_delivered = chat->delivered,
                .own_read = chat->read,
            },
    };
    inbox_append(ledger, effects, owner->user, owner->head, &entry);
    chat->mark = entry.number;
}
