/* SPDX-License-Identifier: Apache-2.0 */
/* What was due when the partition looked (expiry.h) is removed, with what it means. */
#include "store/apply_group.h"
#include "store/apply_priv.h"
#include "store/expiry.h"
#include "store/inbox.h"
#include "store/withdrawn.h"

static void
row_get(const struct command_sweep *sweep, uint32_t index, struct expiry_row *out_row,
        struct expiry *out_due)
{
    expiry_row_get(sweep->rows, index, out_row);
    int error = expiry_decode(out_row->record, out_due);
    ASSERT(error == 0);
}

/* What is due, if it still lies there; it may have been acknowledged, or be known to nobody. */
static bool
entry_get(const struct ledger *ledger, const struct expiry *expiry, uint64_t low,
          struct store_entry *out)
{
    struct store_key key = record_key(ledger->partition, RECORD_INBOX, expiry->user, expiry->a);
    struct store_value value;
    if (expiry->a <= low || delta_get(ledger->delta, &key, &value) != DELTA_PRESENT) {
        return false;
    }
    int error = entry_decode(expiry->a, value.bytes, value.count, out);
    ASSERT(error == 0);
    return true;
}

/* What somebody else said in a chat: he is told that it expired. */
static bool
is_told(const struct expiry *expiry, const struct store_entry *entry)
{
    bool one_to_one = entry->kind == STORE_ENTRY_MESSAGE && entry->peer == entry->message.sender;
    return (one_to_one || entry->kind == STORE_ENTRY_GROUP_MESSAGE) &&
           entry->message.sender != expiry->user;
}

static void
need_entry(const struct needs *needs, const struct expiry *expiry)
{
    struct store_key key = record_key(needs->ledger->partition, RECORD_HEAD, expiry->user, 0);
    struct store_value value;
    struct record_head head;
    struct store_entry entry;
    if (delta_get(needs->ledger->delta, &key, &value) != DELTA_PRESENT ||
        !inbox_head_find(needs->ledger, expiry->user, &head) || expiry->a <= head.low.number) {
        return;
    }
    need(needs, RECORD_INBOX, expiry->user, expiry->a);
    if (entry_get(needs->ledger, expiry, head.low.number, &entry) && is_told(expiry, &entry)) {
        bool group = entry.kind == STORE_ENTRY_GROUP_MESSAGE;
        need(needs, group ? RECORD_MEMBERSHIP : RECORD_CHAT, expiry->user, entry.peer);
    }
}

static void
need_due(const struct needs *needs, const struct expiry *expiry)
{
    if (expiry->kind == EXPIRY_TOMBSTONE && !withdrawn_is(expiry)) {
        return;
    }
    need(needs, RECORD_HEAD, expiry->user, 0);
    if (expiry->kind == EXPIRY_TOMBSTONE) {
        struct store_key key =
            tombstone_key(needs->ledger->partition, expiry->user, expiry->a, expiry->b);
        need_key(needs, &key);
    } else if (expiry->kind == EXPIRY_ENTRY) {
        need_entry(needs, expiry);
    } else if (expiry->kind == EXPIRY_CALL) {
        need(needs, RECORD_CALLS, expiry->user, 0);
    } else if (expiry->kind == EXPIRY_HOLD) {
        need(needs, RECORD_CHAT, expiry->user, expiry->a);
    }
}

static void
need_sweep(const struct needs *needs, const struct command *command)
{
    for (uint32_t i = 0; i < command->sweep.count; i++) {
        struct expiry_row row;
        struct expiry expiry;
        row_get(&command->sweep, i, &row, &expiry);
        need_due(needs, &expiry);
    }
}

static void
trace(const struct apply *apply, uint64_t user, const struct store_entry *entry)
{
    const struct store_entry_message *message = &entry->message;
    struct effect effect = {.kind = EFFECT_EXPIRED,
                            .user = user,
                            .number = entry->number,
                            .sender = message->sender,
                            .sender_device = message->sender_device,
                            .sender_number = message->sender_number};
    effects_add(apply->effects, &effect);
}

/* Devices that have not fetched it pass it by. It goes on to count towards their limits until they
 * acknowledge what lies behind it. If none has, its sender is told. */
static void
expire(const struct apply *apply, const struct expiry *expiry)
{
    struct record_head head;
    struct store_entry entry;
    if (!inbox_head_find(apply->ledger, expiry->user, &head) ||
        !entry_get(apply->ledger, expiry, head.low.number, &entry)) {
        return;
    }
    uint64_t number = is_told(expiry, &entry) ? entry.message.chat_number : 0;
    struct apply_expired expired = {
        .user = expiry->user, .peer = entry.peer, .after = number - 1, .to = number};
    if (number != 0) {
        trace(apply, expiry->user, &entry);
    }
    inbox_take_out(apply->ledger, expiry->user, expiry->a);
    if (number != 0 && entry.kind == STORE_ENTRY_GROUP_MESSAGE) {
        apply_group_expired(apply, expired.user, expired.peer, expired.after, expired.to);
    } else if (number != 0) {
        apply_chat_expired(apply, &expired, &head);
    }
}

static void
run_sweep(const struct apply *apply, const struct command *command)
{
    struct ledger *ledger = apply->ledger;
    for (uint32_t i = 0; i < command->sweep.count; i++) {
        struct expiry_row row;
        struct expiry expiry;
        row_get(&command->sweep, i, &row, &expiry);
        expiry_remove(ledger, row.at_ms, row.number);
        if (expiry.kind == EXPIRY_ENTRY) {
            expire(apply, &expiry);
        } else if (expiry.kind == EXPIRY_CALL) {
            apply_call_due(apply, &expiry, row.at_ms);
        } else if (expiry.kind == EXPIRY_HOLD) {
            apply_hold_due(apply, &expiry, row.at_ms);
        } else if (withdrawn_is(&expiry)) {
            withdrawn_due(apply, &expiry);
        } else {
            struct store_key key =
                tombstone_key(ledger->partition, expiry.user, expiry.a, expiry.b);
            ledger_delete(ledger, &key);
        }
    }
}

const struct apply_command_kind apply_sweep = {need_sweep, run_sweep};
