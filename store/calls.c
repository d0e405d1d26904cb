/* SPDX-License-Identifier: Apache-2.0 */
#include "store/calls.h"

#include "store/expiry.h"
#include "store/history_ledger.h"
#include "store/inbox.h"
#include "store/outbox.h"

#include <string.h>

/* ----------------------------------------------------------------------------------- the record */

/* The names are copied, since the record changes while they are used. */
static void
names_keep(struct calls *calls)
{
    for (unsigned i = 0; i < calls->record.count; i++) {
        struct record_call *call = &calls->record.calls[i];
        if (call->name != calls->names[i]) {
            memmove(calls->names[i], call->name, call->name_bytes);
            call->name = calls->names[i];
        }
    }
}

void
calls_get(const struct ledger *ledger, uint64_t user, struct calls *out)
{
    struct store_key key = record_key(ledger->partition, RECORD_CALLS, user, 0);
    struct store_value value;
    out->record.count = 0;
    if (ledger_get(ledger, &key, &value)) {
        int error = record_calls_decode(value, &out->record);
        ASSERT(error == 0);
        names_keep(out);
    }
}

void
calls_put(const struct apply *apply, uint64_t user, const struct calls *calls)
{
    struct store_key key = record_key(apply->ledger->partition, RECORD_CALLS, user, 0);
    unsigned char *bytes = effects_scratch(apply->effects, RECORD_CALLS_BYTES_MAX);
    if (calls->record.count == 0) {
        ledger_delete(apply->ledger, &key);
    } else {
        ledger_put(apply->ledger, &key, bytes, record_calls_encode(&calls->record, bytes));
    }
}

struct record_call *
calls_find(struct calls *calls, const struct store_call_id *id)
{
    for (unsigned i = 0; i < calls->record.count; i++) {
        struct record_call *call = &calls->record.calls[i];
        if (call->id.caller == id->caller && call->id.number == id->number &&
            call->id.device == id->device) {
            return call;
        }
    }
    return NULL;
}

struct record_call *
calls_current(struct calls *calls)
{
    for (unsigned i = 0; i < calls->record.count; i++) {
        if (calls->record.calls[i].state != RECORD_CALL_ENDING) {
            return &calls->record.calls[i];
        }
    }
    return NULL;
}

bool
calls_ring(const struct ledger *ledger, uint64_t user, uint64_t *out_entry, uint64_t *out_until_ms)
{
    struct calls calls;
    calls_get(ledger, user, &calls);
    const struct record_call *call = calls_current(&calls);
    if (call == NULL || call->state != RECORD_CALL_RINGING || call->id.caller == user) {
        return false;
    }
    *out_entry = call->entry;
    *out_until_ms = call->ring_until_ms;
    return true;
}

struct record_call *
calls_add(struct calls *calls, uint64_t peer, const struct store_entry_call *said)
{
    if (calls->record.count == RECORD_CALLS_MAX) {
        return NULL;
    }
    struct record_call *call = &calls->record.calls[calls->record.count++];
    *call = (struct record_call){
        .id = said->id,
        .peer = peer,
        .started_at_ms = said->started_at_ms,
        .ring_until_ms = said->ring_until_ms,
        .state = RECORD_CALL_RINGING,
        .video = said->video,
        .name_bytes = said->name_bytes,
        .name = said->name,
    };
    names_keep(calls);
    return call;
}

void
calls_remove(struct calls *calls, struct record_call *call)
{
    unsigned last = --calls->record.count;
    *call = calls->record.calls[last];
    names_keep(calls);
}

uint16_t
calls_device(const struct record_call *call, uint64_t user)
{
    return call->id.caller == user ? call->id.device : call->device;
}

/* ------------------------------------------------------------------------------------- telling */

struct store_entry_call
calls_said(const struct record_call *call)
{
    return (struct store_entry_call){
        .id = call->id,
        .state = call->answered_at_ms != 0 ? STORE_CALL_ANSWERED : STORE_CALL_RINGING,
        .video = call->video,
        .device = call->device,
        .started_at_ms = call->started_at_ms,
        .ring_until_ms = call->ring_until_ms,
        .answered_at_ms = call->answered_at_ms,
        .name_bytes = call->name_bytes,
        .name = call->name,
    };
}

bool
calls_tell(const struct apply *apply, uint64_t user, struct record_call *call,
           const struct store_entry_call *said)
{
    struct store_entry entry = {.kind = STORE_ENTRY_CALL, .peer = call->peer, .call = *said};
    struct record_head head;
    if (!inbox_head_get(apply->ledger, user, &head)) {
        return false;
    }
    if (call->entry > head.low.number) {
        inbox_take_out(apply->ledger, user, call->entry);
    }
    bool told = inbox_append_or_miss(apply->ledger, apply->effects, user, &head, &entry);
    inbox_head_put(apply->ledger, user, &head);
    call->entry = told ? entry.number : 0;
    if (said->state == STORE_CALL_ENDED) {
        history_put(apply->ledger, user, &entry);
    }
    return told;
}

bool
calls_user_lives(const struct apply *apply, uint64_t user, unsigned *out_devices)
{
    struct record_head head;
    bool lives = inbox_head_get(apply->ledger, user, &head);
    *out_devices = lives ? head.devices : 0;
    return lives;
}

void
calls_send(const struct apply *apply, uint64_t to, const struct payload_call *step)
{
    struct payload payload = {.kind = PAYLOAD_CALL, .call = *step};
    (void)outbox_put(apply->ledger, apply->effects, ledger_partition_of(apply->ledger, to),
                     &payload);
}

void
calls_count(const struct apply *apply, enum store_call_count what)
{
    struct effect effect = {.kind = EFFECT_CALL, .number = what};
    effects_add(apply->effects, &effect);
}

void
calls_look_at(const struct apply *apply, uint64_t user, const struct record_call *call,
              uint64_t at_ms)
{
    struct expiry expiry = {
        .kind = EXPIRY_CALL, .user = user, .a = call->id.caller, .b = call->id.number};
    expiry_put(apply->ledger, apply->effects, at_ms, ledger_number_next(apply->ledger), &expiry);
}

/* --------------------------------------------------------------------------------------- ending */

enum store_call_outcome
calls_outcome(const struct record_call *call, uint8_t reason, bool by_caller)
{
    if (reason == STORE_CALL_FAIL) {
        return STORE_CALL_FAILED;
    }
    if (call->answered_at_ms != 0) {
        return STORE_CALL_TALKED;
    }
    if (by_caller) {
        return STORE_CALL_CANCELLED;
    }
    return reason == STORE_CALL_REJECT_BUSY ? STORE_CALL_BUSY : STORE_CALL_DECLINED;
}

void
calls_end(const struct apply *apply, uint64_t caller, struct calls *calls, struct record_call *call,
          enum store_call_outcome outcome)
{
    struct payload_call step = {
        .step = PAYLOAD_CALL_ENDED, .callee = call->peer, .call = calls_said(call)};
    step.call.state = STORE_CALL_ENDED;
    step.call.outcome = (uint8_t)outcome;
    step.call.ended_at_ms = apply->time_ms;
    (void)calls_tell(apply, caller, call, &step.call);
    calls_send(apply, call->peer, &step);
    calls_count(apply, (enum store_call_count)(STORE_CALL_COUNT_OFFERS + (int)outcome));
    calls_remove(calls, call);
}

void
calls_ask_end(const struct apply *apply, uint64_t callee, struct record_call *call, uint8_t reason)
{
    struct payload_call step = {.step = PAYLOAD_CALL_END_ASKED,
                                .reason = reason,
                                .callee = callee,
                                .call = calls_said(call)};
    call->state = RECORD_CALL_ENDING;
    calls_send(apply, call->id.caller, &step);
}

void
calls_leave(const struct apply *apply, uint64_t user, struct calls *calls, struct record_call *call,
            uint8_t reason)
{
    if (call->id.caller == user) {
        calls_end(apply, user, calls, call, calls_outcome(call, reason, true));
    } else {
        calls_ask_end(apply, user, call, reason);
    }
}
