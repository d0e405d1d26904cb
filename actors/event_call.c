/* SPDX-License-Identifier: Apache-2.0 */
/* What a client is told of calls. */
#include "actors/event.h"

#include "actors/command.h"

#include <string.h>

static void
id_fill(const struct store_call_id *stored, Linnet__V1__MessageId *out)
{
    linnet__v1__message_id__init(out);
    out->user_id = stored->caller;
    out->device = stored->device;
    out->number = stored->number;
}

static void
chat_fill(uint64_t peer, Linnet__V1__Chat *out)
{
    linnet__v1__chat__init(out);
    out->peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    out->user_id = peer;
}

void
event_call_offered(struct connection *connection, const struct pending *pending,
                   const struct store_sent *stored)
{
    struct store_call_id call = {
        .caller = connection->user, .device = connection->device, .number = pending->number};
    Linnet__V1__MessageId id;
    Linnet__V1__Sent sent = LINNET__V1__SENT__INIT;
    Linnet__V1__Answer answer = LINNET__V1__ANSWER__INIT;
    id_fill(&call, &id);
    sent.id = &id;
    sent.server_time_ms = stored->time_ms;
    sent.duplicate = stored->duplicate;
    answer.result_case = LINNET__V1__ANSWER__RESULT_SENT;
    answer.sent = &sent;
    event_answer(connection, pending, &answer);
}

_Static_assert((int)STORE_CALL_RINGING == (int)LINNET__V1__CALL__PROGRESS__RINGING &&
                   (int)STORE_CALL_ANSWERED == (int)LINNET__V1__CALL__PROGRESS__ANSWERED &&
                   (int)STORE_CALL_ENDED == (int)LINNET__V1__CALL__PROGRESS__ENDED &&
                   (int)STORE_CALL_TALKED == (int)LINNET__V1__CALL__OUTCOME__TALKED &&
                   (int)STORE_CALL_MISSED == (int)LINNET__V1__CALL__OUTCOME__MISSED &&
                   (int)STORE_CALL_DECLINED == (int)LINNET__V1__CALL__OUTCOME__DECLINED &&
                   (int)STORE_CALL_BUSY == (int)LINNET__V1__CALL__OUTCOME__BUSY &&
                   (int)STORE_CALL_CANCELLED == (int)LINNET__V1__CALL__OUTCOME__CANCELLED &&
                   (int)STORE_CALL_FAILED == (int)LINNET__V1__CALL__OUTCOME__FAILED &&
                   (int)STORE_CALL_RINGS == (int)LINNET__V1__CALL_SIGNAL__KIND__RINGING &&
                   (int)STORE_CALL_CANDIDATE == (int)LINNET__V1__CALL_SIGNAL__KIND__CANDIDATE,
               "calls are told as they are stored");

static uint64_t
duration_s(const struct store_entry_call *call)
{
    bool talked = call->answered_at_ms != 0 && call->ended_at_ms > call->answered_at_ms;
    return talked ? (call->ended_at_ms - call->answered_at_ms) / 1000 : 0;
}

/* Who is given it when it rings no more is told so by what comes in its place. */
void
event_call(struct connection *connection, const struct store_entry *entry)
{
    const struct store_entry_call *call = &entry->call;
    char name[STORE_NAME_BYTES_MAX + 1];
    Linnet__V1__MessageId id;
    Linnet__V1__Chat chat;
    Linnet__V1__Sender caller = LINNET__V1__SENDER__INIT;
    Linnet__V1__Call event = LINNET__V1__CALL__INIT;
    memcpy(name, call->name, call->name_bytes);
    name[call->name_bytes] = '\0';
    id_fill(&call->id, &id);
    chat_fill(entry->peer, &chat);
    caller.user_id = call->id.caller;
    caller.device = call->id.device;
    caller.name = name;
    event.inbox_number = entry->number;
    event.id = &id;
    event.chat = &chat;
    event.caller = &caller;
    event.video = call->video;
    event.state = (Linnet__V1__Call__Progress)call->state;
    event.started_at_ms = call->started_at_ms;
    event.ring_until_ms = call->state == STORE_CALL_RINGING ? call->ring_until_ms : 0;
    event.answering_device = call->device;
    event.answered_at_ms = call->answered_at_ms;
    event.ended_at_ms = call->ended_at_ms;
    event.outcome = (Linnet__V1__Call__Outcome)call->outcome;
    event.duration_s = duration_s(call);
    event.content.data = (unsigned char *)(uintptr_t)call->content;
    event.content.len = call->content_bytes;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_CALL;
    frame.call = &event;
    event_send(connection, &frame);
}

void
event_call_signal(struct connection *connection, const struct ln_msg *msg)
{
    const struct store_call_told *told = (const struct store_call_told *)(const void *)msg->data;
    Linnet__V1__MessageId id;
    Linnet__V1__Chat chat;
    Linnet__V1__CallSignal event = LINNET__V1__CALL_SIGNAL__INIT;
    id_fill(&told->id, &id);
    chat_fill(told->peer, &chat);
    event.call = &id;
    event.chat = &chat;
    event.kind = (Linnet__V1__CallSignal__Kind)told->signal;
    event.device = told->device;
    if (msg->buffer != NULL) {
        event.content.data = ln_buffer_data(msg->buffer);
        event.content.len = ln_buffer_bytes(msg->buffer);
    }
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_CALL_SIGNAL;
    frame.call_signal = &event;
    event_send(connection, &frame);
}
