/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions, and how far their devices have been woken. */
#include "store/apply_priv.h"
#include "store/due.h"
#include "store/inbox.h"

#include <errno.h>
#include <string.h>

/* The head and the device's cursor in it; NULL: there is no such device, and the result says so. */
static struct record_cursor *
cursor_get(const struct apply *apply, uint64_t user, uint16_t device, struct record_head *out)
{
    struct record_cursor *cursor = NULL;
    if (inbox_head_get(apply->ledger, user, out)) {
        cursor = inbox_cursor(out, device);
    }
    if (cursor == NULL) {
        apply->result->error = -ENOENT;
    }
    return cursor;
}

/* The id of the device's subscription; 0: it has none. */
static uint64_t
subscription_of(const struct apply *apply, uint64_t user, const struct record_cursor *cursor)
{
    struct store_key key = record_key(apply->ledger->partition, RECORD_WAKE, user, cursor->device);
    struct store_value value;
    struct record_wake record;
    if (!cursor->wakes) {
        return 0;
    }
    bool present = ledger_get(apply->ledger, &key, &value);
    ASSERT(present);
    int error = record_wake_decode(value, &record);
    ASSERT(error == 0);
    return record.id;
}

static void
need_set(const struct needs *needs, const struct command *command)
{
    need(needs, RECORD_HEAD, command->wake_set.user, 0);
}

/* What came before the device could be woken is nothing to wake it for. */
static void
run_set(const struct apply *apply, const struct command *command)
{
    const struct command_wake_set *set = &command->wake_set;
    struct ledger *ledger = apply->ledger;
    struct record_head head;
    struct record_cursor *cursor = cursor_get(apply, set->user, set->device, &head);
    if (cursor == NULL) {
        return;
    }
    struct record_wake record = set->wake;
    struct store_key key = record_key(ledger->partition, RECORD_WAKE, set->user, set->device);
    unsigned char *bytes = effects_scratch(apply->effects, RECORD_WAKE_BYTES_MAX);
    record.id = ledger_number_next(ledger);
    record.set_at_ms = apply->time_ms;
    ledger_put(ledger, &key, bytes, record_wake_encode(&record, bytes));
    if (!cursor->wakes) {
        cursor->wakes = true;
        cursor->woken = head.last.number;
    }
    inbox_head_put(ledger, set->user, &head);
}

const struct apply_command_kind apply_wake_set = {need_set, run_set};

static void
need_clear(const struct needs *needs, const struct command *command)
{
    need(needs, RECORD_HEAD, command->wake_clear.user, 0);
    need(needs, RECORD_WAKE, command->wake_clear.user, command->wake_clear.device);
}

static void
run_clear(const struct apply *apply, const struct command *command)
{
    const struct command_wake_clear *clear = &command->wake_clear;
    struct record_head head;
    struct record_cursor *cursor = cursor_get(apply, clear->user, clear->device, &head);
    if (cursor == NULL) {
        return;
    }
    uint64_t id = subscription_of(apply, clear->user, cursor);
    if (id != 0 && (clear->id == 0 || clear->id == id)) {
        due_unsubscribe(apply->ledger, clear->user, cursor);
        inbox_head_put(apply->ledger, clear->user, &head);
    }
}

const struct apply_command_kind apply_wake_clear = {need_clear, run_clear};

static void
need_done(const struct needs *needs, const struct command *command)
{
    need(needs, RECORD_HEAD, command->wake_done.user, 0);
    need(needs, RECORD_WAKE, command->wake_done.user, command->wake_done.device);
}

/* Something newer may have come meanwhile: then the device is due anew, for that. */
static void
run_done(const struct apply *apply, const struct command *command)
{
    const struct command_wake_done *done = &command->wake_done;
    struct record_head head;
    struct record_cursor *cursor = cursor_get(apply, done->user, done->device, &head);
    if (cursor == NULL) {
        return;
    }
    bool same = subscription_of(apply, done->user, cursor) == done->id;
    if (!same || done->newest <= cursor->woken || done->newest > head.newest) {
        return;
    }
    cursor->woken = done->newest;
    if (cursor->due) {
        due_delete(apply->ledger, done->user, cursor);
    }
    due_consider(apply->ledger, apply->effects, done->user, &head, cursor);
    inbox_head_put(apply->ledger, done->user, &head);
}

const struct apply_command_kind apply_wake_done = {need_done, run_done};
