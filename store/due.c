/* SPDX-License-Identifier: Apache-2.0 */
#include "store/due.h"

static struct store_key
due_key(const struct ledger *ledger, uint64_t user, const struct record_cursor *cursor)
{
    return record_key(ledger->partition, RECORD_DUE, user, cursor->device);
}

static void
due_put(struct ledger *ledger, struct effects *effects, uint64_t user,
        const struct record_head *head, struct record_cursor *cursor)
{
    struct record_due due = {.number = head->newest, .since_ms = ledger->last_time_ms};
    struct effect effect = {
        .kind = EFFECT_DUE, .user = user, .device = cursor->device, .number = due.number};
    struct store_key key = due_key(ledger, user, cursor);
    unsigned char record[RECORD_DUE_BYTES];
    ledger_put(ledger, &key, record, record_due_encode(&due, record));
    effects_add(effects, &effect);
    cursor->due = true;
}

void
due_delete(struct ledger *ledger, uint64_t user, struct record_cursor *cursor)
{
    struct store_key key = due_key(ledger, user, cursor);
    ledger_delete(ledger, &key);
    cursor->due = false;
}

void
due_consider(struct ledger *ledger, struct effects *effects, uint64_t user,
             const struct record_head *head, struct record_cursor *cursor)
{
    bool due = cursor->wakes && head->newest > cursor->acked.number && head->newest > cursor->woken;
    if (due && !cursor->due) {
        due_put(ledger, effects, user, head, cursor);
    } else if (!due && cursor->due) {
        due_delete(ledger, user, cursor);
    }
}

void
due_newest(struct ledger *ledger, struct effects *effects, uint64_t user, struct record_head *head,
           uint64_t number, bool urgent)
{
    head->newest = number;
    for (unsigned i = 0; i < head->devices; i++) {
        struct record_cursor *cursor = &head->cursors[i];
        struct effect effect = {.kind = EFFECT_DUE,
                                .user = user,
                                .device = cursor->device,
                                .devices = DUE_URGENT,
                                .number = number};
        due_consider(ledger, effects, user, head, cursor);
        if (urgent && cursor->due) {
            effects_add(effects, &effect);
        }
    }
}

void
due_unsubscribe(struct ledger *ledger, uint64_t user, struct record_cursor *cursor)
{
    struct store_key key = record_key(ledger->partition, RECORD_WAKE, user, cursor->device);
    if (!cursor->wakes) {
        return;
    }
    ledger_delete(ledger, &key);
    if (cursor->due) {
        due_delete(ledger, user, cursor);
    }
    cursor->wakes = false;
    cursor->woken = 0;
}
