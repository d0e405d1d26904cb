/* SPDX-License-Identifier: Apache-2.0 */
/* What is said in a call and of no use later goes past the log: from the partition of who says it,
 * which knows whether he may, to the other's, and from there to the sessions that are concerned.
 *
 * Both take it in its turn among the applies: it comes behind the offer or answer that was said
 * before it. A crash may lose it, and so may a queue that is full. */
#include "store/calls.h"
#include "store/partition_priv.h"
#include "store/store_priv.h"

#include <errno.h>
#include <string.h>

static enum ask_outcome
run_in_turn(struct partition *partition, struct ask *ask, uint64_t user, bool act)
{
    if (!partition_knows_record(partition, RECORD_CALLS, user, 0)) {
        return ASK_MISSING;
    }
    if (!act) {
        return ASK_READY;
    }
    ask_enter(ask);
    journal_pass(partition->journal, ask);
    return ASK_TAKEN;
}

/* --------------------------------------------------------------------------- who says it: where */

static bool
valid_signal(const struct ask *ask)
{
    const struct store_call_act *said = ASK_DATA(store_call_act, ask);
    size_t held = ask->buffer != NULL ? ln_buffer_bytes(ask->buffer) : 0;
    return partition_valid_user(ask) && said->content_bytes == held &&
           held <= STORE_CALL_CONTENT_BYTES_MAX &&
           (said->signal == STORE_CALL_RINGS || said->signal == STORE_CALL_CANDIDATE);
}

static enum ask_outcome
run_signal(struct partition *partition, struct ask *ask, bool act)
{
    return run_in_turn(partition, ask, ASK_DATA(store_call_act, ask)->user, act);
}

/* It rings at the callee's while nobody has answered; a candidate comes from a device that is in
 * the call. */
static int
judge(const struct record_call *call, const struct store_call_act *said)
{
    bool own_call = said->user == said->id.caller;
    if (call == NULL || call->state == RECORD_CALL_ENDING) {
        return -EIDRM;
    }
    if (said->signal == STORE_CALL_RINGS) {
        bool over = call->state != RECORD_CALL_RINGING;
        return own_call ? -EPROTO : over ? -EIDRM : 0;
    }
    if (calls_device(call, said->user) == said->device) {
        return 0;
    }
    bool elsewhere = !own_call && call->state == RECORD_CALL_ANSWERED;
    return elsewhere ? -EIDRM : -EPROTO;
}

static void
relay(struct partition *partition, struct ask *ask, uint64_t peer)
{
    const struct store_call_act *said = ASK_DATA(store_call_act, ask);
    struct store_call_told told = {.user = peer,
                                   .id = said->id,
                                   .peer = said->user,
                                   .device = said->device,
                                   .signal = said->signal};
    struct ln_msg *msg = ln_msg_new(ASK_CALL_RELAY, LN_LOSSY, sizeof(told));
    memcpy(msg->data, &told, sizeof(told));
    msg->buffer = ask->buffer;
    ask->buffer = NULL;
    partition_streams_send(partition, false); /* the offer, the answer: first */
    counter_add(&partition->journal->calls[STORE_CALL_COUNT_SIGNALS], 1);
    ln_send(store_user_pid(partition->store, peer), &msg);
}

static void
signal_passed(struct partition *partition, struct ask *ask)
{
    const struct store_call_act *said = ASK_DATA(store_call_act, ask);
    struct calls calls;
    calls_get(&partition->ledger, said->user, &calls);
    const struct record_call *call = calls_find(&calls, &said->id);
    int error = judge(call, said);
    if (error == 0) {
        relay(partition, ask, call->peer);
    } else {
        counter_add(&partition->journal->calls[STORE_CALL_COUNT_REFUSED], 1);
    }
    ask_answer_error(ask, error);
}

/* ------------------------------------------------------------------------------ whom it is told */

void
partition_call_relayed(struct partition *partition, struct ln_msg *msg)
{
    if (partition->waiting.count < PARTITION_WAITING_MAX) {
        ask_queue_push(&partition->waiting, ask_of_message(partition, msg));
    }
}

static enum ask_outcome
run_relay(struct partition *partition, struct ask *ask, bool act)
{
    return run_in_turn(partition, ask, ASK_DATA(store_call_told, ask)->user, act);
}

static void
tell_session(const struct ask *ask, ln_pid session)
{
    struct ln_msg *msg = ln_msg_new(STORE_CALL_TOLD, LN_LOSSY, sizeof(struct store_call_told));
    memcpy(msg->data, ask->data, sizeof(struct store_call_told));
    msg->buffer = ask->buffer != NULL ? ln_buffer_get(ask->buffer) : NULL;
    ln_send(session, &msg);
}

/* The device that is in the call; all of the callee's while it rings. */
static void
relay_passed(struct partition *partition, struct ask *ask)
{
    const struct store_call_told *told = ASK_DATA(store_call_told, ask);
    struct calls calls;
    calls_get(&partition->ledger, told->user, &calls);
    const struct record_call *call = calls_find(&calls, &told->id);
    if (call == NULL || call->peer != told->peer || call->state == RECORD_CALL_ENDING) {
        return;
    }
    uint16_t device = calls_device(call, told->user);
    const struct attached_session *session = attached_next(&partition->attached, told->user, NULL);
    for (; session != NULL; session = attached_next(&partition->attached, told->user, session)) {
        if (device == 0 || session->device == device) {
            tell_session(ask, session->pid);
        }
    }
}

const struct ask_kind ask_call_signal = {.bytes = sizeof(struct store_call_act),
                                         .valid = valid_signal,
                                         .run = run_signal,
                                         .passed = signal_passed};
const struct ask_kind ask_of_call_relay = {.run = run_relay, .passed = relay_passed};
