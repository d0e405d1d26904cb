/* SPDX-License-Identifier: Apache-2.0 */
/* What the other one's partition tells of a call. Steps come once and in order, but those of the
 * two cross: what is of a call that is over here already is passed over. */
#include "store/calls.h"
#include "store/chat.h"

static void
need_told(const struct needs *needs, const struct payload *payload)
{
    const struct payload_call *told = &payload->call;
    bool to_callee = told->step == PAYLOAD_CALL_OFFERED || told->step == PAYLOAD_CALL_ENDED;
    uint64_t user = to_callee ? told->callee : told->call.id.caller;
    need(needs, RECORD_HEAD, user, 0);
    need(needs, RECORD_CALLS, user, 0);
    if (told->step == PAYLOAD_CALL_OFFERED) {
        need(needs, RECORD_CHAT, user, told->call.id.caller);
    }
}

/* -------------------------------------------------------------------------------------- offered */

/* The two call each other. Both partitions decide alike that the one with the lower id does: the
 * other's call gives way. Where the caller has blocked the callee, whose call has rung nobody,
 * there is one call, the caller's. */
static bool
crosses(const struct record_call *current, uint64_t caller, uint64_t callee)
{
    return current->state == RECORD_CALL_RINGING && current->id.caller == callee &&
           current->peer == caller;
}

/* No more calls are remembered than a few: this one is over at once, as missed. */
static void
pass_by(const struct apply *apply, const struct payload_call *told)
{
    struct record_call call = {.id = told->call.id, .peer = told->call.id.caller};
    struct store_entry_call said = told->call;
    said.state = STORE_CALL_ENDED;
    said.outcome = STORE_CALL_BUSY;
    said.ended_at_ms = apply->time_ms;
    said.content_bytes = 0;
    (void)calls_tell(apply, told->callee, &call, &said);
    calls_ask_end(apply, told->callee, &call, STORE_CALL_REJECT_BUSY);
}

/* Rings on all devices, or not: then it waits for its end. */
static void
ring(const struct apply *apply, const struct payload_call *told, struct calls *calls)
{
    uint64_t user = told->callee;
    uint64_t caller = told->call.id.caller;
    struct record_call *before = calls_current(calls);
    bool gives_way = false;
    if (before != NULL && crosses(before, caller, user)) {
        gives_way = user < caller && !told->one_way;
        if (!gives_way) {
            calls_end(apply, user, calls, before, STORE_CALL_CANCELLED);
            before = NULL;
        }
    }
    struct record_call *call = calls_add(calls, caller, &told->call);
    if (call == NULL) {
        pass_by(apply, told);
    } else if (gives_way) {
        call->state = RECORD_CALL_ENDING; /* its partition hears of ours, and ends it */
    } else if (before != NULL) {
        calls_ask_end(apply, user, call, STORE_CALL_REJECT_BUSY);
    } else if (!calls_tell(apply, user, call, &told->call)) {
        calls_ask_end(apply, user, call, STORE_CALL_FAIL);
    }
}

/* One whom the user has blocked hears nothing of it, and calls until his own partition has had
 * enough. */
static void
offered(const struct apply *apply, const struct payload_call *told)
{
    struct record_chat chat;
    struct calls calls;
    unsigned devices;
    if (!calls_user_lives(apply, told->callee, &devices)) {
        struct record_call gone = {.id = told->call.id};
        calls_ask_end(apply, told->callee, &gone, STORE_CALL_FAIL);
        return;
    }
    (void)chat_get(apply->ledger, told->callee, told->call.id.caller, &chat);
    if (!chat.blocked) {
        calls_get(apply->ledger, told->callee, &calls);
        ring(apply, told, &calls);
        calls_put(apply, told->callee, &calls);
    }
}

/* ------------------------------------------------------------------------------------- the rest */

static void
answered(const struct apply *apply, const struct payload_call *told, struct calls *calls,
         struct record_call *call)
{
    struct store_entry_call said = told->call;
    if (call->state != RECORD_CALL_RINGING) {
        return;
    }
    call->state = RECORD_CALL_ANSWERED;
    call->device = said.device;
    call->answered_at_ms = said.answered_at_ms;
    if (!calls_tell(apply, call->id.caller, call, &said)) {
        calls_end(apply, call->id.caller, calls, call, STORE_CALL_FAILED);
    }
}

static void
ended(const struct apply *apply, const struct payload_call *told, struct calls *calls,
      struct record_call *call)
{
    (void)calls_tell(apply, told->callee, call, &told->call);
    calls_remove(calls, call);
}

static void
run_told(const struct apply *apply, const struct payload *payload)
{
    const struct payload_call *told = &payload->call;
    uint64_t user = told->step == PAYLOAD_CALL_ENDED ? told->callee : told->call.id.caller;
    struct calls calls;
    if (told->step == PAYLOAD_CALL_OFFERED) {
        offered(apply, told);
        return;
    }
    calls_get(apply->ledger, user, &calls);
    struct record_call *call = calls_find(&calls, &told->call.id);
    if (call == NULL) {
        return;
    }
    if (told->step == PAYLOAD_CALL_ANSWERED) {
        answered(apply, told, &calls, call);
    } else if (told->step == PAYLOAD_CALL_END_ASKED) {
        calls_end(apply, user, &calls, call, calls_outcome(call, told->reason, false));
    } else {
        ended(apply, told, &calls, call);
    }
    calls_put(apply, user, &calls);
}

const struct apply_payload_kind apply_call_told = {need_told, run_told};
