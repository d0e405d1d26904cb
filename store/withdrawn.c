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
    tombstone_put(apply->ledger, user, peer, expiry.b);
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
    if (inbox_head_get(apply->ledger, expiry->user, &head) && head.withdrawn > head.low.number) {
        look_at(apply, expiry);
    } else {
        ledger_delete(apply->ledger, &key);
    }
}
