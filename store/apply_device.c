/* SPDX-License-Identifier: Apache-2.0 */
#include "store/apply_priv.h"
#include "store/due.h"
#include "store/inbox.h"

#include <errno.h>
#include <string.h>

static void
device_put(const struct apply *apply, uint64_t user, uint16_t device,
           const struct record_device *record)
{
    struct store_key key = record_key(apply->ledger->partition, RECORD_DEVICE, user, device);
    unsigned char *bytes = effects_scratch(apply->effects, RECORD_BYTES_MAX);
    ledger_put(apply->ledger, &key, bytes, record_device_encode(record, bytes));
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
    struct record_device record = {.added_at_ms = apply->time_ms, .name = add->name};
    memcpy(record.token_hash, add->token_hash, STORE_TOKEN_HASH_BYTES);
    uint16_t device = head->device_next++;
    (void)inbox_device_add(head, device);
    device_put(apply, add->user, device, &record);
    return device;
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
    bool numbers_used_up =
        head.device_next == UINT16_MAX; /* a device's number is never given again */
    if (head.devices >= apply->ledger->limits.devices_max || numbers_used_up) {
        apply->result->error = -EMFILE;
        return;
    }
    apply->result->device = apply_device_new(apply, &head, add);
    inbox_head_put(apply->ledger, add->user, &head);
    tell_devices(apply, add->user, &head);
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
    struct store_value value;
    struct store_key key =
        record_key(ledger->partition, RECORD_DEVICE, device->user, device->device);
    if (!inbox_head_get(ledger, device->user, &head) || !ledger_get(ledger, &key, &value)) {
        result->error = -ENOENT;
        return;
    }
    int error = record_device_decode(value, &record);
    ASSERT(error == 0);
    record.range = range_next(apply->time_ms, record.range);
    device_put(apply, device->user, device->device, &record);
    struct record_cursor *cursor = inbox_cursor(&head, device->device);
    ASSERT(cursor != NULL);
    if (cursor->state == RECORD_CURSOR_LOST) {
        inbox_cursor_resume(&head, cursor);
        inbox_head_put(ledger, device->user, &head);
    }
    result->acked = cursor->acked.number;
    result->last = head.last.number;
    result->range = record.range;
    result->resync = cursor->state == RECORD_CURSOR_RESUMED;
    result->devices = head.devices;
}

const struct apply_command_kind apply_device_attach = {need_attach, run_attach};

static void
need_revoke(const struct needs *needs, const struct command *command)
{
    need(needs, RECORD_HEAD, command->device.user, 0);
}

static void
run_revoke(const struct apply *apply, const struct command *command)
{
    const struct command_device *device = &command->device;
    struct ledger *ledger = apply->ledger;
    struct record_head head;
    if (!inbox_head_get(ledger, device->user, &head) ||
        inbox_cursor(&head, device->device) == NULL) {
        apply->result->error = -ENOENT;
        return;
    }
    struct store_key key =
        record_key(ledger->partition, RECORD_DEVICE, device->user, device->device);
    ledger_delete(ledger, &key);
    due_unsubscribe(ledger, device->user, inbox_cursor(&head, device->device));
    inbox_device_remove(ledger, device->user, &head, device->device);
    inbox_head_put(ledger, device->user, &head);
    struct effect effect = {.kind = EFFECT_REVOKED, .user = device->user, .device = device->device};
    effects_add(apply->effects, &effect);
    tell_devices(apply, device->user, &head);
}

const struct apply_command_kind apply_device_revoke = {need_revoke, run_revoke};
