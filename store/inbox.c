/* SPDX-License-Identifier: Apache-2.0 */
#include "store/inbox.h"

#include "store/due.h"

bool
inbox_head_find(const struct ledger *ledger, uint64_t user, struct record_head *out)
{
    struct store_key key = record_key(ledger->partition, RECORD_HEAD, user, 0);
    struct store_value value;
    if (!ledger_get(ledger, &key, &value)) {
        return false;
    }
    int error = record_head_decode(value, out);
    ASSERT(error == 0);
    return !out->removed;
}

bool
inbox_head_get(const struct ledger *ledger, uint64_t user, struct record_head *out)
{
    return inbox_head_find(ledger, user, out) && !out->unborn;
}

void
inbox_head_put(struct ledger *ledger, uint64_t user, const struct record_head *head)
{
    struct store_key key = record_key(ledger->partition, RECORD_HEAD, user, 0);
    unsigned char record[RECORD_BYTES_MAX];
    ledger_put(ledger, &key, record, record_head_encode(head, record));
}

struct record_cursor *
inbox_cursor(struct record_head *head, uint16_t device)
{
    for (unsigned i = 0; i < head->devices; i++) {
        if (head->cursors[i].device == device) {
            return &head->cursors[i];
        }
    }
    return NULL;
}

bool
inbox_has_others(const struct record_head *head, uint16_t device)
{
    return head->devices > 1 || (head->devices == 1 && head->cursors[0].device != device);
}

bool
inbox_owes_changes(const struct record_head *head, uint16_t device)
{
    return inbox_has_others(head, device) || head->copied > head->low.number;
}

uint64_t
inbox_entries_above(const struct record_head *head, const struct record_place *place)
{
    return head->last.entries - place->entries;
}

uint64_t
inbox_bytes_above(const struct record_head *head, const struct record_place *place)
{
    return head->last.bytes - place->bytes;
}

struct record_cursor *
inbox_device_add(struct record_head *head, uint16_t device)
{
    ASSERT(head->devices < STORE_DEVICES_LIMIT);
    struct record_cursor *cursor = &head->cursors[head->devices++];
    *cursor =
        (struct record_cursor){.device = device, .state = RECORD_CURSOR_HOLDS, .acked = head->low};
    return cursor;
}

void
inbox_cursor_resume(const struct record_head *head, struct record_cursor *cursor)
{
    if (cursor->state != RECORD_CURSOR_LOST) {
        return;
    }
    if (cursor->acked.number >= head->low.number) {
        cursor->state = RECORD_CURSOR_HOLDS;
    } else {
        cursor->state = RECORD_CURSOR_RESUMED;
        cursor->acked = head->low;
    }
}

void
inbox_device_remove(struct ledger *ledger, uint64_t user, struct record_head *head, uint16_t device)
{
    struct record_cursor *gone = inbox_cursor(head, device);
    ASSERT(gone != NULL);
    bool holds = false;
    *gone = head->cursors[--head->devices];
    for (unsigned i = 0; i < head->devices; i++) {
        holds = holds || head->cursors[i].state != RECORD_CURSOR_LOST;
    }
    for (unsigned i = 0; !holds && i < head->devices; i++) {
        inbox_cursor_resume(head, &head->cursors[i]);
    }
    inbox_trim(ledger, user, head);
}

static bool
has_room(const struct ledger *ledger, const struct record_head *head,
         const struct record_place *place, size_t bytes)
{
    return inbox_entries_above(head, place) < ledger->limits.inbox_entries_max &&
           inbox_bytes_above(head, place) + bytes <= ledger->limits.inbox_bytes_max;
}

bool
inbox_make_room(struct ledger *ledger, struct effects *effects, uint64_t user,
                struct record_head *head, size_t bytes)
{
    if (head->devices == 0) {
        return has_room(ledger, head, &head->low, bytes);
    }
    unsigned taking = 0;
    unsigned full = 0;
    for (unsigned i = 0; i < head->devices; i++) {
        if (head->cursors[i].state == RECORD_CURSOR_LOST) {
            continue;
        }
        if (has_room(ledger, head, &head->cursors[i].acked, bytes)) {
            taking++;
        } else {
            full++;
        }
    }
    if (taking == 0 || full == 0) {
        return taking > 0;
    }
    for (unsigned i = 0; i < head->devices; i++) {
        struct record_cursor *cursor = &head->cursors[i];
        if (cursor->state != RECORD_CURSOR_LOST && !has_room(ledger, head, &cursor->acked, bytes)) {
            cursor->state = RECORD_CURSOR_LOST;
            struct effect effect = {.kind = EFFECT_RESYNC,
                                    .user = user,
                                    .device = cursor->device,
                                    .number = head->last.number};
            effects_add(effects, &effect);
        }
    }
    inbox_trim(ledger, user, head);
    return true;
}

/* What somebody else wrote in a chat that is not muted, and that he calls; not what other devices
 * of the user did, nor marks, nor who is in a group. */
static bool
entry_wakes(uint64_t user, const struct store_entry *entry)
{
    if (entry->kind == STORE_ENTRY_CALL) {
        return entry_call_wakes(user, &entry->call);
    }
    bool said = entry->kind == STORE_ENTRY_MESSAGE || entry->kind == STORE_ENTRY_GROUP_MESSAGE;
    return said && !entry->quiet && entry->message.sender != user;
}

/* Whose it is and for which devices it waits: only a trace of the message asks. */
static void
tell_holders(struct effects *effects, struct effect *push, const struct record_head *head,
             const struct store_entry *entry)
{
    const struct store_entry_message *message = &entry->message;
    if (entry->kind != STORE_ENTRY_MESSAGE && entry->kind != STORE_ENTRY_GROUP_MESSAGE) {
        return;
    }
    push->sender = message->sender;
    push->sender_device = message->sender_device;
    push->sender_number = message->sender_number;
    for (unsigned i = 0; i < head->devices; i++) {
        if (head->cursors[i].state != RECORD_CURSOR_LOST) {
            effects_hold(effects, push, head->cursors[i].device);
        }
    }
}

/* What the user wrote to others. A note to himself is no copy: it is changed where it lies. */
static bool
is_copy(uint64_t user, const struct store_entry *entry)
{
    bool said = entry->kind == STORE_ENTRY_MESSAGE || entry->kind == STORE_ENTRY_GROUP_MESSAGE;
    return said && entry->message.sender == user && entry->peer != user;
}

void
inbox_append(struct ledger *ledger, struct effects *effects, uint64_t user,
             struct record_head *head, struct store_entry *entry)
{
    struct effect push = {.kind = EFFECT_PUSH, .user = user, .previous = head->last.number};
    size_t bytes = entry_bytes(entry);
    head->last.number = ledger_number_next(ledger);
    if (entry_takes_room(entry)) {
        head->last.entries++;
        head->last.bytes += bytes;
    }
    tell_holders(effects, &push, head, entry);
    entry->number = head->last.number;
    head->copied = is_copy(user, entry) ? entry->number : head->copied;
    entry->total_entries = head->last.entries;
    entry->total_bytes = head->last.bytes;
    struct store_key key = record_key(ledger->partition, RECORD_INBOX, user, entry->number);
    entry_encode(entry, ledger_put_room(ledger, &key, bytes));
    push.number = entry->number;
    effects_add(effects, &push);
    if (entry_wakes(user, entry)) {
        bool rings = entry->kind == STORE_ENTRY_CALL && entry->call.state == STORE_CALL_RINGING;
        due_newest(ledger, effects, user, head, entry->number, rings);
    }
}

/* Entries above the last freeze were never given to a fold: they go without a trace. */
static void
drop_unfrozen(struct ledger *ledger, uint64_t user, uint64_t after, uint64_t to)
{
    uint64_t from = after > ledger->frozen_number ? after : ledger->frozen_number;
    if (from < to) {
        struct store_range range = record_range_inbox(ledger->partition, user, from, to);
        (void)delta_drop(ledger->delta, &range);
    }
}

void
inbox_take_out(struct ledger *ledger, uint64_t user, uint64_t number)
{
    if (number > ledger->frozen_number) {
        drop_unfrozen(ledger, user, number - 1, number);
    } else {
        struct store_key key = record_key(ledger->partition, RECORD_INBOX, user, number);
        ledger_delete(ledger, &key);
    }
}

/* Only the newest mark is kept: it stands behind all that is missing. */
void
inbox_miss(struct ledger *ledger, struct effects *effects, uint64_t user, struct record_head *head,
           uint16_t device)
{
    struct store_entry mark = {.kind = STORE_ENTRY_MISSED, .peer = user, .missed_of = device};
    if (head->missed > head->low.number) {
        inbox_take_out(ledger, user, head->missed);
        mark.missed_of = device == head->missed_of ? device : 0;
    }
    inbox_append(ledger, effects, user, head, &mark);
    head->missed = mark.number;
    head->missed_of = mark.missed_of;
}

/* The user's device that it is from; 0: that is not known. */
static uint16_t
own_device(uint64_t user, const struct store_entry *entry)
{
    const struct store_entry_message *said = entry_said(entry);
    return said != NULL && said->sender == user ? said->sender_device : 0;
}

bool
inbox_append_or_miss(struct ledger *ledger, struct effects *effects, uint64_t user,
                     struct record_head *head, struct store_entry *entry)
{
    if (!inbox_make_room(ledger, effects, user, head, entry_bytes(entry))) {
        inbox_miss(ledger, effects, user, head, own_device(user, entry));
        return false;
    }
    inbox_append(ledger, effects, user, head, entry);
    return true;
}

void
inbox_trim(struct ledger *ledger, uint64_t user, struct record_head *head)
{
    const struct record_place *least = NULL;
    for (unsigned i = 0; i < head->devices; i++) {
        const struct record_cursor *cursor = &head->cursors[i];
        bool holds = cursor->state != RECORD_CURSOR_LOST;
        if (holds && (least == NULL || cursor->acked.number < least->number)) {
            least = &cursor->acked;
        }
    }
    if (least != NULL && least->number > head->low.number) {
        drop_unfrozen(ledger, user, head->low.number, least->number);
        head->low = *least;
    }
}

void
inbox_expire(struct ledger *ledger, struct effects *effects, uint64_t user,
             struct record_head *head, const struct record_place *place)
{
    for (unsigned i = 0; i < head->devices; i++) {
        struct record_cursor *cursor = &head->cursors[i];
        if (cursor->state == RECORD_CURSOR_LOST || cursor->acked.number >= place->number) {
            continue; /* a lost one hears that it has a hole when it attaches */
        }
        cursor->state = RECORD_CURSOR_EXPIRED;
        cursor->acked = *place;
        due_consider(ledger, effects, user, head, cursor);
        struct effect effect = {.kind = EFFECT_RESYNC, .user = user, .device = cursor->device};
        effects_add(effects, &effect);
    }
    inbox_trim(ledger, user, head);
    if (head->low.number < place->number) { /* nobody's cursor held it */
        drop_unfrozen(ledger, user, head->low.number, place->number);
        head->low = *place;
    }
}

void
inbox_empty(struct ledger *ledger, uint64_t user, struct record_head *head)
{
    drop_unfrozen(ledger, user, head->low.number, head->last.number);
    head->low = head->last;
}
