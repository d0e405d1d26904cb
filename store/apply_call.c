/* SPDX-License-Identifier: Apache-2.0 */
/* What one of the two does in a call, decided in his own partition; what the other's makes of it is
 * in apply_call_peer.c. */
#include "store/calls.h"
#include "store/chat.h"
#include "store/expiry.h"

#include <errno.h>

static void
need_calls(const struct needs *needs, uint64_t user)
{
    need(needs, RECORD_HEAD, user, 0);
    need(needs, RECORD_CALLS, user, 0);
}

/* ---------------------------------------------------------------------------------------- offer */

/* The offer as a message is named: numbers are of the same count. */
static struct store_entry_message
as_message(const struct command *command)
{
    const struct store_call_id *id = &command->call_offer.call.id;
    return (struct store_entry_message){.sender = id->caller,
                                        .sender_device = id->device,
                                        .sender_number = id->number,
                                        .time_ms = command->time_ms};
}

static void
need_offer(const struct needs *needs, const struct command *command)
{
    struct store_entry_message message = as_message(command);
    uint64_t caller = command->call_offer.call.id.caller;
    need_calls(needs, caller);
    need(needs, RECORD_CHAT, caller, command->call_offer.callee);
    need_number(needs, &message);
}

/* The caller's other devices are told that he calls, if there are any; the callee's partition gets
 * the offer. */
static void
begin(const struct apply *apply, const struct payload_call *step, unsigned devices)
{
    uint64_t caller = step->call.id.caller;
    struct calls calls;
    calls_get(apply->ledger, caller, &calls);
    if (calls_current(&calls) != NULL) {
        apply->result->error = -EBUSY;
        return;
    }
    struct record_call *call = calls_add(&calls, step->callee, &step->call);
    if (call == NULL) {
        apply->result->error = -EAGAIN;
        return;
    }
    struct store_entry_call said = calls_said(call);
    if (devices > 1) {
        (void)calls_tell(apply, caller, call, &said);
    }
    calls_put(apply, caller, &calls);
    calls_look_at(apply, caller, call, call->ring_until_ms);
    calls_count(apply, STORE_CALL_COUNT_OFFERS);
    calls_send(apply, step->callee, step);
}

static void
run_offer(const struct apply *apply, const struct command *command)
{
    const struct command_call_offer *offer = &command->call_offer;
    struct store_entry_message message = as_message(command);
    struct payload_call step = {
        .step = PAYLOAD_CALL_OFFERED, .callee = offer->callee, .call = offer->call};
    struct record_chat chat;
    unsigned devices;
    if (!apply_number_is_new(apply, &message)) {
        return;
    }
    if (!calls_user_lives(apply, message.sender, &devices)) {
        apply->result->error = -ENOENT;
        return;
    }
    step.call.started_at_ms = apply->time_ms;
    step.call.ring_until_ms = apply->time_ms + offer->ring_ms;
    (void)chat_get(apply->ledger, message.sender, offer->callee, &chat);
    step.one_way = chat.blocked;
    begin(apply, &step, devices);
    if (apply->result->error == 0) {
        apply_number_accept(apply, &message);
        apply->result->time_ms = apply->time_ms;
    }
}

const struct apply_command_kind apply_call_offer = {need_offer, run_offer};

/* --------------------------------------------------------------------------------------- answer */

static void
need_call(const struct needs *needs, const struct command *command)
{
    need_calls(needs, command->call.user);
}

static void
refuse(const struct apply *apply)
{
    calls_count(apply, STORE_CALL_COUNT_REFUSED);
    apply->result->error = -EIDRM;
}

/* The first device that answers has it; the others are told so, and ring no more. */
static void
run_answer(const struct apply *apply, const struct command *command)
{
    const struct command_call *answer = &command->call;
    struct calls calls;
    calls_get(apply->ledger, answer->user, &calls);
    struct record_call *call = calls_find(&calls, &answer->id);
    if (call == NULL || call->id.caller == answer->user || call->state == RECORD_CALL_ENDING) {
        refuse(apply);
        return;
    }
    if (call->state == RECORD_CALL_ANSWERED) {
        if (call->device != answer->device) {
            refuse(apply);
        }
        return; /* else it says so again */
    }
    call->state = RECORD_CALL_ANSWERED;
    call->device = answer->device;
    call->answered_at_ms = apply->time_ms;
    struct payload_call step = {
        .step = PAYLOAD_CALL_ANSWERED, .callee = answer->user, .call = calls_said(call)};
    (void)calls_tell(apply, answer->user, call, &step.call);
    step.call.content = answer->content;
    step.call.content_bytes = answer->content_bytes;
    calls_put(apply, answer->user, &calls);
    calls_look_at(apply, answer->user, call, apply->time_ms + STORE_CALL_LOOK_MS);
    calls_send(apply, call->id.caller, &step);
}

const struct apply_command_kind apply_call_answer = {need_call, run_answer};

/* ------------------------------------------------------------------------------------------ end */

/* Whose device is not in it has no say: it rings no more there, or never did. */
static bool
may_end(const struct record_call *call, uint64_t user, uint16_t device)
{
    bool rings = call->id.caller != user && call->state == RECORD_CALL_RINGING;
    return rings || calls_device(call, user) == device;
}

/* What is over already has been ended. */
static void
run_end(const struct apply *apply, const struct command *command)
{
    const struct command_call *end = &command->call;
    struct calls calls;
    calls_get(apply->ledger, end->user, &calls);
    struct record_call *call = calls_find(&calls, &end->id);
    if (call == NULL || call->state == RECORD_CALL_ENDING) {
        return;
    }
    if (!may_end(call, end->user, end->device)) {
        refuse(apply);
        return;
    }
    calls_leave(apply, end->user, &calls, call, end->reason);
    calls_put(apply, end->user, &calls);
}

const struct apply_command_kind apply_call_end = {need_call, run_end};

void
apply_call_leave(const struct apply *apply, uint64_t user, uint16_t device)
{
    uint8_t reason = device == 0 ? STORE_CALL_FAIL : STORE_CALL_HANG_UP;
    struct calls calls;
    calls_get(apply->ledger, user, &calls);
    if (calls.record.count == 0) {
        return;
    }
    struct record_call *call = calls_current(&calls);
    if (call != NULL && (device == 0 || calls_device(call, user) == device)) {
        calls_leave(apply, user, &calls, call, reason);
    }
    if (device == 0) {
        calls.record.count = 0;
    }
    calls_put(apply, user, &calls);
}

/* ---------------------------------------------------------------------------------------- looks */

void
apply_call_due(const struct apply *apply, const struct expiry *expiry, uint64_t at_ms)
{
    struct calls calls;
    calls_get(apply->ledger, expiry->user, &calls);
    struct record_call *call = calls_current(&calls);
    if (call == NULL || call->id.caller != expiry->a || call->id.number != expiry->b) {
        return;
    }
    if (call->state == RECORD_CALL_ANSWERED) {
        struct effect look = {.kind = EFFECT_CALL_LOOK,
                              .user = expiry->user,
                              .device = calls_device(call, expiry->user),
                              .devices = call->absent ? 1 : 0,
                              .sender = call->id.caller,
                              .sender_number = call->id.number,
                              .sender_device = call->id.device};
        effects_add(apply->effects, &look);
        calls_look_at(apply, expiry->user, call, apply->time_ms + STORE_CALL_LOOK_MS);
    } else if (call->id.caller == expiry->user && call->ring_until_ms <= at_ms) {
        calls_end(apply, expiry->user, &calls, call, STORE_CALL_MISSED);
        calls_put(apply, expiry->user, &calls);
    }
}

static void
run_check(const struct apply *apply, const struct command *command)
{
    const struct command_call *check = &command->call;
    struct calls calls;
    calls_get(apply->ledger, check->user, &calls);
    struct record_call *call = calls_find(&calls, &check->id);
    if (call == NULL || call->state != RECORD_CALL_ANSWERED) {
        return;
    }
    if (!check->present && call->absent) {
        calls_leave(apply, check->user, &calls, call, STORE_CALL_FAIL);
    } else {
        call->absent = !check->present;
    }
    calls_put(apply, check->user, &calls);
}

const struct apply_command_kind apply_call_check = {need_call, run_check};
