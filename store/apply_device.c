/* SPDX-License-Identifier: Apache-2.0 */
/* A user's devices. What becomes of one is an entry in the inbox that all of them share. */
#include "store/apply_priv.h"
#include "store/due.h"
#include "store/inbox.h"

#include <errno.h>
#include <string.h>

bool
apply_device_get(const struct apply *apply, uint64_t user, uint16_t device,
                 struct record_device *out)
{
    struct store_key key = record_key(apply->ledger->partition, RECORD_DEVICE, user, device);
    struct store_value value;
    if (!ledger_get(apply->ledger, &key, &value)) {
        return false;
    }
    int error = record_device_decode(value, out);
    ASSERT(error == 0);
    return true;
}

void
apply_device_put(const struct apply *apply, uint64_t user, uint16_t device,
                 const struct record_device *record)
{
    struct store_key key = record_key(apply->ledger->partition, RECORD_DEVICE, user, device);
    unsigned char *bytes = effects_scratch(apply->effects, RECORD_BYTES_MAX);
    ledger_put(apply->ledger, &key, bytes, record_device_encode(record, bytes));
}

/* Nobody is refused for what becomes of a device: where none of the others has room they are told
 * that something is missing, and the list tells how things stand. */
void
apply_device_news(const struct apply *apply, uint64_t user, struct record_head *head,
                  const struct store_entry_device *news, const struct store_name *name)
{
    struct store_entry entry = {.kind = STORE_ENTRY_DEVICE, .peer = user, .device = *news};
    entry.device.time_ms = apply->time_ms;
    entry.device.name = name->text;
    entry.device.name_bytes = name->bytes;
    (void)inbox_append_or_miss(apply->ledger, apply->effects, user, head, &entry);
}

static void
tell_devices(const struct apply *apply, uint64_t user, const struct record_head *head)
{
    struct effect effect = {.kind = EFFECT_DEVICES, .user = user, .devices = head->devices};
    effects_add(apply->effects, &effect);
}

uint16_t
apply_device_new(const struct apply *apply, struct record_head *head,
                 const struct command_device_add *add)
{
    struct record_device record = {
        .added_at_ms = apply->time_ms, .name = add->name, .seen_at_ms = apply->time_ms};
    memcpy(record.token_hash, add->token_hash, STORE_TOKEN_HASH_BYTES);
    uint16_t device = head->device_next++;
    (void)inbox_device_add(head, device);
    apply_device_put(apply, add->user, device, &record);
    return device;
}

bool
apply_device_link(const struct apply *apply, struct record_head *head,
                  const struct command_device_add *add)
{
    bool numbers_used_up = head->device_next == UINT16_MAX; /* one is never given again */
    if (head->devices >= apply->ledger->limits.devices_max || numbers_used_up) {
        apply->result->error = -EMFILE;
        return false;
    }
    apply->result->device = apply_device_new(apply, head, add);
    tell_devices(apply, add->user, head);
    if (head->devices > 1) {
        struct store_entry_device news = {.change = STORE_DEVICE_LINKED,
                                          .device = apply->result->device};
        apply_device_news(apply, add->user, head, &news, &add->name);
    }
    inbox_head_put(apply->ledger, add->user, head);
    return true;
}

static void
need_add(const struct needs *needs, const struct command *command)
{
    need(needs, RECORD_HEAD, command->device_add.user, 0);
}

static void
run_add(const struct apply *apply, const struct command *command)
{
    const struct command_device_add *add = &command->device_add;
    struct record_head head;
    if (!inbox_head_get(apply->ledger, add->user, &head)) {
        apply->result->error = -ENOENT;
        return;
    }
    (void)apply_device_link(apply, &head, add);
}

const struct apply_command_kind apply_device_add = {need_add, run_add};

/* A device that lost its own count of commands goes on in a range that nobody has used: ranges rise
 * with the clock, and by one at least. */
static uint64_t
range_next(uint64_t time_ms, uint64_t range)
{
    uint64_t seconds = ledger_seconds(time_ms);
    uint64_t reached = (range >> LEDGER_NUMBER_COUNTER_BITS) + 1;
    return (seconds > reached ? seconds : reached) << LEDGER_NUMBER_COUNTER_BITS;
}

static void
need_attach(const struct needs *needs, const struct command *command)
{
    need(needs, RECORD_HEAD, command->device.user, 0);
    need(needs, RECORD_DEVICE, command->device.user, command->device.device);
}

static void
run_attach(const struct apply *apply, const struct command *command)
{
    const struct command_device *device = &command->device;
    struct ledger *ledger = apply->ledger;
    struct result *result = apply->result;
    struct record_head head;
    struct record_device record;
    if (!inbox_head_get(ledger, device->user, &head) ||
        !apply_device_get(apply, device->user, device->device, &record)) {
        result->error = -ENOENT;
        return;
    }
    record.range = range_next(apply->time_ms, record.range);
    record.seen_at_ms = apply->time_ms;
    record.warned_at_ms = 0;
    apply_device_put(apply, device->user, device->device, &record);
    struct record_cursor *cursor = inbox_cursor(&head, device->device);
    ASSERT(cursor != NULL);
    if (cursor->state == RECORD_CURSOR_LOST) {
        inbox_cursor_resume(&head, cursor);
        due_consider(ledger, apply->effects, device->user, &head, cursor);
        inbox_head_put(ledger, device->user, &head);
    }
    result->acked = cursor->acked.number;
    result->last = head.last.number;
    result->range = record.range;
    result->resync = cursor->state != RECORD_CURSOR_HOLDS;
    result->expired = cursor->state == RECORD_CURSOR_EXPIRED;
    result->devices = head.devices;
}

const struct apply_command_kind apply_device_attach = {need_attach, run_attach};

/* What apply_device_remove looks up. */
static void
need_removal(const struct needs *needs, uint64_t user, uint16_t device)
{
    need(needs, RECORD_HEAD, user, 0);
    need(needs, RECORD_DEVICE, user, device);
    need(needs, RECORD_LINK, user, 0);
    need(needs, RECORD_CALLS, user, 0);
}

void
apply_device_remove(const struct apply *apply, uint64_t user, struct record_head *head,
                    const struct store_entry_device *news)
{
    struct ledger *ledger = apply->ledger;
    struct record_device record;
    bool found = apply_device_get(apply, user, news->device, &record);
    ASSERT(found);
    struct store_key key = record_key(ledger->partition, RECORD_DEVICE, user, news->device);
    ledger_delete(ledger, &key);
    apply_link_void(apply, user, news->device);
    due_unsubscribe(ledger, user, inbox_cursor(head, news->device));
    inbox_device_remove(ledger, user, head, news->device);
    struct effect effect = {.kind = EFFECT_REVOKED, .user = user, .device = news->device};
    effects_add(apply->effects, &effect);
    tell_devices(apply, user, head);
    if (head->devices > 0) {
        apply_device_news(apply, user, head, news, &record.name);
    }
    inbox_head_put(ledger, user, head);
    apply_call_leave(apply, user, news->device);
}

static void
need_revoke(const struct needs *needs, const struct command *command)
{
    need_removal(needs, command->device.user, command->device.device);
}

static void
run_revoke(const struct apply *apply, const struct command *command)
{
    const struct command_device *device = &command->device;
    struct record_head head;
    struct store_entry_device news = {.change = STORE_DEVICE_REVOKED, .device = device->device};
    if (!inbox_head_get(apply->ledger, device->user, &head)) {
        apply->result->error = -ENOENT;
        return;
    }
    if (inbox_cursor(&head, device->device) == NULL) { /* numbers are given once: it was one */
        bool gone = device->device != 0 && device->device < head.device_next;
        apply->result->error = gone ? -EALREADY : -ENOENT;
        return;
    }
    apply_device_remove(apply, device->user, &head, &news);
}

const struct apply_command_kind apply_device_revoke = {need_revoke, run_revoke};

/* What is remembered of it. */
static struct store_entry_message
rename_id(const struct command_device_rename *rename)
{
    return (struct store_entry_message){
        .sender = rename->user, .sender_device = rename->by, .sender_number = rename->number};
}

static void
need_rename(const struct needs *needs, const struct command *command)
{
    need(needs, RECORD_HEAD, command->rename.user, 0);
    need(needs, RECORD_DEVICE, command->rename.user, command->rename.device);
    struct store_entry_message id = rename_id(&command->rename);
    need_number(needs, &id);
}

static void
run_rename(const struct apply *apply, const struct command *command)
{
    const struct command_device_rename *rename = &command->rename;
    struct store_entry_message id = rename_id(rename);
    struct record_head head;
    struct record_device record;
    if (!apply_number_is_new(apply, &id)) {
        return;
    }
    if (!inbox_head_get(apply->ledger, rename->user, &head) ||
        !apply_device_get(apply, rename->user, rename->device, &record)) {
        apply->result->error = -ENOENT;
        return;
    }
    apply_number_accept(apply, &id);
    if (record.name.bytes == rename->name.bytes &&
        memcmp(record.name.text, rename->name.text, rename->name.bytes) == 0) {
        return;
    }
    record.name = rename->name;
    apply_device_put(apply, rename->user, rename->device, &record);
    struct store_entry_device news = {.change = STORE_DEVICE_RENAMED, .device = rename->device};
    apply_device_news(apply, rename->user, &head, &news, &rename->name);
    inbox_head_put(apply->ledger, rename->user, &head);
}

const struct apply_command_kind apply_device_rename = {need_rename, run_rename};

static void
need_unseen(const struct needs *needs, const struct command *command)
{
    need_removal(needs, command->unseen.user, command->unseen.device);
}

/* The round judged what it read; the device may have come back, or gone, since. */
static void
run_unseen(const struct apply *apply, const struct command *command)
{
    const struct command_device_unseen *unseen = &command->unseen;
    struct record_head head;
    struct record_device record;
    if (!inbox_head_get(apply->ledger, unseen->user, &head) ||
        !apply_device_get(apply, unseen->user, unseen->device, &record) ||
        record.seen_at_ms != unseen->seen_at_ms) {
        return;
    }
    struct store_entry_device news = {.device = unseen->device};
    if (unseen->verdict == UNSEEN_ANEW) {
        record.seen_at_ms = apply->time_ms;
        record.warned_at_ms = 0;
        apply_device_put(apply, unseen->user, unseen->device, &record);
    } else if (unseen->verdict == UNSEEN_WARN && record.warned_at_ms == 0) {
        record.warned_at_ms = apply->time_ms;
        apply_device_put(apply, unseen->user, unseen->device, &record);
        news.change = STORE_DEVICE_WARNED;
        news.unlink_at_ms = unseen->unlink_at_ms;
        apply_device_news(apply, unseen->user, &head, &news, &record.name);
        inbox_head_put(apply->ledger, unseen->user, &head);
    } else if (unseen->verdict == UNSEEN_UNLINK && record.warned_at_ms != 0 && head.devices > 1) {
        news.change = STORE_DEVICE_UNLINKED;
        apply_device_remove(apply, unseen->user, &head, &news);
    }
}

const struct apply_command_kind apply_device_unseen = {need_unseen, run_unseen};
