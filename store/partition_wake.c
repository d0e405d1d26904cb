/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked about waking devices: subscriptions, who is due. */
#include "store/calls.h"
#include "store/due.h"
#include "store/inbox.h"
#include "store/partition_priv.h"
#include "store/store_priv.h"

#include <errno.h>
#include <string.h>

/* --------------------------------------------------------------------------------------- change */

static bool
valid_set(const struct ask *ask)
{
    const struct store_wake_set *set = ASK_DATA(store_wake_set, ask);
    size_t held = ask->buffer != NULL ? ln_buffer_bytes(ask->buffer) : 0;
    return partition_valid_user(ask) &&
           (set->kind == STORE_WAKE_WEBHOOK || set->kind == STORE_WAKE_WEBPUSH) &&
           set->endpoint_bytes <= STORE_WAKE_ENDPOINT_BYTES_MAX &&
           set->app_bytes <= STORE_WAKE_APP_BYTES_MAX &&
           held == (size_t)set->endpoint_bytes + set->app_bytes;
}

static enum ask_outcome
run_set(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_wake_set *set = ASK_DATA(store_wake_set, ask);
    const unsigned char *bytes = ask->buffer != NULL ? ln_buffer_data(ask->buffer) : NULL;
    struct command command = {
        .kind = COMMAND_WAKE_SET,
        .wake_set =
            {
                .user = set->user,
                .device = set->device,
                .wake =
                    {
                        .kind = set->kind,
                        .endpoint_bytes = set->endpoint_bytes,
                        .app_bytes = set->app_bytes,
                        .endpoint = bytes,
                        .app = bytes != NULL ? bytes + set->endpoint_bytes : NULL,
                    },
            },
    };
    memcpy(command.wake_set.wake.p256dh, set->p256dh, sizeof(set->p256dh));
    memcpy(command.wake_set.wake.auth, set->auth, sizeof(set->auth));
    return partition_log_for_user(partition, ask, &command, set->user, act);
}

static enum ask_outcome
run_clear(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_wake_clear *clear = ASK_DATA(store_wake_clear, ask);
    struct command command = {
        .kind = COMMAND_WAKE_CLEAR,
        .wake_clear = {.user = clear->user, .device = clear->device, .id = clear->id},
    };
    return partition_log_for_user(partition, ask, &command, clear->user, act);
}

static enum ask_outcome
run_done(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_wake_done *done = ASK_DATA(store_wake_done, ask);
    struct command command = {
        .kind = COMMAND_WAKE_DONE,
        .wake_done = {.user = done->user,
                      .device = done->device,
                      .id = done->id,
                      .newest = done->newest},
    };
    return partition_log_for_user(partition, ask, &command, done->user, act);
}

/* ----------------------------------------------------------------------------------------- look */

/* Whether the key's record is there; it is known. */
static bool
get(struct partition *partition, enum record_table table, const struct store_device_id *device,
    struct store_value *out)
{
    struct store_key key =
        record_key(partition->ledger.partition, table, device->user, device->device);
    return ledger_get(&partition->ledger, &key, out);
}

static enum ask_outcome
answer_state(struct ask *ask, const struct record_wake *wake, struct store_wake_state *state)
{
    size_t bytes = (size_t)wake->endpoint_bytes + wake->app_bytes;
    struct ln_buffer *buffer = bytes > 0 ? ln_buffer_new(bytes) : NULL;
    if (buffer != NULL) {
        unsigned char *at = ln_buffer_data(buffer);
        memcpy(at, wake->endpoint, wake->endpoint_bytes);
        memcpy(at + wake->endpoint_bytes, wake->app, wake->app_bytes);
    }
    state->id = wake->id;
    state->set_at_ms = wake->set_at_ms;
    state->set.kind = wake->kind;
    state->set.endpoint_bytes = wake->endpoint_bytes;
    state->set.app_bytes = wake->app_bytes;
    memcpy(state->set.p256dh, wake->p256dh, sizeof(wake->p256dh));
    memcpy(state->set.auth, wake->auth, sizeof(wake->auth));
    ask_answer(ask, state, sizeof(*state), buffer);
    return ASK_DONE;
}

static void
state_of(const struct partition *partition, const struct record_head *head,
         const struct record_cursor *cursor, struct store_wake_state *out)
{
    out->set.device = cursor->device;
    out->newest = head->newest;
    out->woken = cursor->woken;
    out->acked = cursor->acked.number;
    out->due = cursor->due;
    out->online = attached_find(&partition->attached, out->set.user, cursor->device) != NULL;
}

/* What rings and was neither acknowledged nor woken for. */
static void
call_of(const struct partition *partition, const struct record_cursor *cursor,
        struct store_wake_state *state)
{
    uint64_t entry;
    uint64_t until_ms;
    if (calls_ring(&partition->ledger, state->set.user, &entry, &until_ms) &&
        entry > cursor->acked.number && entry > cursor->woken) {
        state->call = entry;
        state->ring_until_ms = until_ms;
    }
}

static enum ask_outcome
run_get(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_device_id *device = ASK_DATA(store_device_id, ask);
    struct store_wake_state state = {.set = {.user = device->user}};
    struct record_head head;
    struct record_wake wake;
    struct record_due due;
    struct store_value value;
    bool known = partition_knows_record(partition, RECORD_HEAD, device->user, 0);
    known = partition_knows_record(partition, RECORD_WAKE, device->user, device->device) && known;
    known = partition_knows_record(partition, RECORD_DUE, device->user, device->device) && known;
    known = partition_knows_record(partition, RECORD_CALLS, device->user, 0) && known;
    if (!known || !act) {
        return known ? ASK_READY : ASK_MISSING;
    }
    if (!partition_head(partition, ask, device->user, &head)) {
        return ASK_DONE;
    }
    const struct record_cursor *cursor = inbox_cursor(&head, device->device);
    if (cursor == NULL || !cursor->wakes) {
        return partition_refuse(ask, cursor == NULL ? -ENOENT : -ENODATA);
    }
    state_of(partition, &head, cursor, &state);
    if (get(partition, RECORD_DUE, device, &value)) {
        int error = record_due_decode(value, &due);
        ASSERT(error == 0 && state.due);
        state.due_for = due.number;
        state.due_at_ms = due.since_ms;
        call_of(partition, cursor, &state);
    }
    bool present = get(partition, RECORD_WAKE, device, &value);
    ASSERT(present);
    int error = record_wake_decode(value, &wake);
    ASSERT(error == 0);
    return answer_state(ask, &wake, &state);
}

static enum ask_outcome
run_list(struct partition *partition, struct ask *ask, bool act)
{
    const struct store_wake_list *list = ASK_DATA(store_wake_list, ask);
    struct rows *out = &partition->journal->rows;
    struct store_wake_page result = {.user = list->user, .device = list->device};
    struct page page;
    struct store_key key;
    struct store_value value;
    struct fetch_range wanted = {
        .range = key_range_table(partition->ledger.partition, RECORD_DUE),
        .rows_max = partition_at_most(list->max, STORE_ROWS_MAX),
        .bytes_max = UINT32_MAX,
    };
    wanted.range.low =
        record_key(partition->ledger.partition, RECORD_DUE, list->user, (uint64_t)list->device + 1);
    if (!partition_has_read(&ask->ranges[0], partition, &wanted)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    out->count = 0;
    page_start(&page, partition->ledger.delta, &wanted.range, &ask->ranges[0].rows);
    while (result.count < wanted.rows_max && page_next(&page, &key, &value)) {
        struct record_due record;
        int error = record_due_decode(value, &record);
        ASSERT(error == 0);
        struct store_wake_due due = {.user = key.owner,
                                     .device = (uint16_t)key.a,
                                     .due_for = record.number,
                                     .due_at_ms = record.since_ms};
        memcpy(rows_room(out, sizeof(due)), &due, sizeof(due));
        result.user = key.owner;
        result.device = due.device;
        result.count++;
    }
    if (page.cut) { /* the last rows that were read may have gone since */
        result.user = page.row_key.owner;
        result.device = (uint16_t)page.row_key.a;
    }
    result.more = page.cut || result.count == wanted.rows_max;
    ask_answer(ask, &result, sizeof(result), partition_buffer(out));
    return ASK_DONE;
}

/* ----------------------------------------------------------------------------------------- tell */

void
partition_tell_waker(struct partition *partition, const struct effect *effect)
{
    ln_pid waker = store_pid_get(&partition->journal->waker);
    bool away = attached_find(&partition->attached, effect->user, effect->device) == NULL;
    struct store_wake_due due = {
        .urgent = effect->devices == DUE_URGENT && away,
        .user = effect->user,
        .device = effect->device,
        .due_for = effect->number,
        .due_at_ms = partition->ledger.last_time_ms,
    };
    if (waker != 0) {
        struct ln_msg *msg = ln_msg_new(STORE_WAKE_DUE, LN_LOSSY, sizeof(due));
        memcpy(msg->data, &due, sizeof(due));
        ln_send(waker, &msg);
    }
}

const struct ask_kind ask_wake_set = {.bytes = sizeof(struct store_wake_set),
                                      .needs_space = true,
                                      .valid = valid_set,
                                      .run = run_set};
const struct ask_kind ask_wake_clear = {
    .bytes = sizeof(struct store_wake_clear), .valid = partition_valid_user, .run = run_clear};
const struct ask_kind ask_wake_get = {
    .bytes = sizeof(struct store_device_id), .valid = partition_valid_user, .run = run_get};
const struct ask_kind ask_wake_done = {
    .bytes = sizeof(struct store_wake_done), .valid = partition_valid_user, .run = run_done};
const struct ask_kind ask_wake_list = {.bytes = sizeof(struct store_wake_list), .run = run_list};
