/* SPDX-License-Identifier: Apache-2.0 */
/* callOffer, callRinging, callAnswer, callCandidate, callHangUp: each decided in the partition of
 * who says it (store/call.h). */
#include "actors/command.h"
#include "actors/event.h"

#include <errno.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- refusals */

struct refusal {
    int error;
    Linnet__V1__Error__Code code;
    const char *text;
};

/* What calls alone are refused for. */
static const struct refusal refusals[] = {
    {-EBUSY, LINNET__V1__ERROR__CODE__IN_A_CALL, "callOffer: this user is in a call"},
    {-EIDRM, LINNET__V1__ERROR__CODE__GONE, "call: it is over, or another device has it"},
    {-EPROTO, LINNET__V1__ERROR__CODE__NOT_PERMITTED, "call: this device is not (yet) in it"},
};

static void
refused(struct connection *connection, const struct pending *pending, int error)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        if (refusals[i].error == error) {
            event_error(connection, command_number(pending), pending->ref, refusals[i].code,
                        refusals[i].text, 0);
            return;
        }
    }
    command_refuse_own(connection, pending, error);
}

static void
done(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    (void)answer;
    event_done(connection, command_number(pending), pending->ref);
}

static struct ln_buffer *
content_of(const ProtobufCBinaryData *content, struct store_call_act *act)
{
    act->content_bytes = (uint32_t)content->len;
    if (content->len == 0) {
        return NULL;
    }
    struct ln_buffer *buffer = ln_buffer_new(content->len);
    memcpy(ln_buffer_data(buffer), content->data, content->len);
    return buffer;
}

/* ---------------------------------------------------------------------------------------- offer */

static void
offered(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    const struct store_sent *stored = (const struct store_sent *)(const void *)answer->data;
    if (!stored->duplicate) {
        connection_acted(connection);
        if (pending->strangers > 0) {
            connection_rate_charge(connection, RATE_STRANGERS);
        }
    }
    event_call_offered(connection, pending, stored);
}

static void
refuse_nobody(struct connection *connection, uint64_t number, uint64_t ref)
{
    event_error(connection, number, ref, LINNET__V1__ERROR__CODE__UNKNOWN_USER,
                "callOffer.chat: no such user", 0);
}

static void
offer_refused(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -ESRCH) {
        command_start_over(connection);
    } else if (error == -EUSERS && pending->gone) {
        refuse_nobody(connection, command_number(pending), pending->ref);
    } else if (error == -EUSERS) {
        connection_rate_gives_back(connection, RATE_CALLS, 1);
        connection_rate_say(connection, command_number(pending), pending->ref, RATE_STRANGERS, 1);
    } else {
        refused(connection, pending, error);
    }
}

static const struct request_kind request_offer = {
    .tag = STORE_CALL_OFFER, .ordered = true, .done = offered, .refused = offer_refused};

/* Whether there is such a user, and a stranger: 0, or why not. Yields. */
static int
look(struct connection *connection, uint64_t callee, bool *out_stranger)
{
    struct store_call_look look = {.user = callee, .caller = connection->user};
    struct ln_msg *request = ln_msg_new(STORE_CALL_LOOK, LN_DURABLE, sizeof look);
    struct ln_msg *answer = NULL;
    memcpy(request->data, &look, sizeof look);
    int error = ln_call(store_user_pid(connection->messenger->store, callee), &request,
                        CONNECTION_CALL_MS, &answer);
    if (error == 0) {
        *out_stranger = !((const struct store_call_looked *)(const void *)answer->data)->known;
        ln_msg_free(&answer);
    }
    if (error == 0 && *out_stranger) {
        bool met = false;
        error = command_met(connection, callee, &met);
        *out_stranger = !met;
    }
    return error;
}

static void
refuse_offer(struct connection *connection, const Linnet__V1__ClientFrame *frame, int error)
{
    if (error == -ENOENT) {
        refuse_nobody(connection, frame->number, frame->ref);
    } else if (error == -EPERM) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__NOT_PERMITTED,
                    "callOffer.chat: oneself", 0);
    } else {
        command_refuse(connection, frame->number, frame->ref, error == -ESRCH ? -EAGAIN : error);
    }
}

/* Stands for who is gone, in what the store looks at the number of alone. */
#define NOBODY UINT64_MAX

static void
offer(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__CallOffer *asked = frame->call_offer;
    bool stranger = false;
    struct store_call_act act = {
        .user = connection->user,
        .device = connection->device,
        .ring_ms = connection->messenger->limits.call_ring_ms,
        .video = asked->video,
    };
    struct store_name name;
    int error = command_chat_resolve(connection, asked->chat, &act.callee);
    if (error == 0) {
        error = act.callee == act.user ? -EPERM : look(connection, act.callee, &stranger);
    }
    bool gone = error == -ENOENT && frame->number != 0; /* he was there, perhaps, when it rang */
    if (error != 0 && !gone) {
        refuse_offer(connection, frame, error);
        return;
    }
    act.callee = gone ? NOBODY : act.callee;
    act.id = (struct store_call_id){
        .caller = act.user, .device = act.device, .number = command_number_new(connection, frame)};
    act.known_only = gone || (stranger && connection_rate_wait_ms(connection, RATE_STRANGERS) > 0);
    short_name_get(&connection->name, &name);
    act.name_bytes = name.bytes;
    memcpy(act.name, name.text, name.bytes);
    struct ln_buffer *buffer = content_of(&asked->content, &act);
    struct pending *pending = command_pending(&request_offer, frame, act.id.number);
    pending->gone = gone;
    pending->strangers = stranger ? 1 : 0;
    command_ask_in_order(connection, pending, act.user, &act, sizeof act, buffer);
}

const struct command_kind command_call_offer = {offer};

/* ------------------------------------------------------------------------------- within a call */

static struct store_call_act
act_in(const struct connection *connection, const Linnet__V1__MessageId *id)
{
    return (struct store_call_act){
        .user = connection->user,
        .device = connection->device,
        .id = {.caller = id->user_id, .number = id->number, .device = (uint16_t)id->device},
    };
}

static void
ask(struct connection *connection, const Linnet__V1__ClientFrame *frame,
    const struct request_kind *kind, const struct store_call_act *act, struct ln_buffer *buffer)
{
    command_ask(connection, frame, kind, act->user, act, sizeof *act, buffer);
}

static const struct request_kind request_answer = {
    .tag = STORE_CALL_ANSWER, .done = done, .refused = refused};
static const struct request_kind request_end = {
    .tag = STORE_CALL_END, .done = done, .refused = refused};
static const struct request_kind request_signal = {
    .tag = STORE_CALL_SIGNAL, .done = done, .refused = refused};

static void
answer_call(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_call_act act = act_in(connection, frame->call_answer->call);
    struct ln_buffer *buffer = content_of(&frame->call_answer->content, &act);
    connection_acted(connection);
    ask(connection, frame, &request_answer, &act, buffer);
}

const struct command_kind command_call_answer = {answer_call};

_Static_assert((int)STORE_CALL_HANG_UP == (int)LINNET__V1__CALL_HANG_UP__REASON__HANG_UP + 1 &&
                   (int)STORE_CALL_FAIL == (int)LINNET__V1__CALL_HANG_UP__REASON__FAILED + 1,
               "reasons are kept as they are told, one higher");

static void
hang_up(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_call_act act = act_in(connection, frame->call_hang_up->call);
    act.reason = (uint8_t)(frame->call_hang_up->reason + 1);
    ask(connection, frame, &request_end, &act, NULL);
}

const struct command_kind command_call_hang_up = {hang_up};

static void
ringing(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_call_act act = act_in(connection, frame->call_ringing->call);
    act.signal = STORE_CALL_RINGS;
    ask(connection, frame, &request_signal, &act, NULL);
}

const struct command_kind command_call_ringing = {ringing};

static void
candidate(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_call_act act = act_in(connection, frame->call_candidate->call);
    struct ln_buffer *buffer = content_of(&frame->call_candidate->content, &act);
    act.signal = STORE_CALL_CANDIDATE;
    ask(connection, frame, &request_signal, &act, buffer);
}

const struct command_kind command_call_candidate = {candidate};
