/* SPDX-License-Identifier: Apache-2.0 */
/* Frames out: who is there, who types. */
#include "actors/command.h"
#include "actors/presence.h"

static void
event_of(const struct presence_state *state, Linnet__V1__Presence *out)
{
    linnet__v1__presence__init(out);
    out->user_id = state->user;
    out->online = state->online;
    out->last_seen_ms = state->seen_ms;
    out->hidden = state->hidden;
}

void
event_presence_answer(struct connection *connection, const struct pending *pending,
                      const struct presence_state *state)
{
    Linnet__V1__Presence presence;
    event_of(state, &presence);
    Linnet__V1__Answer answer = LINNET__V1__ANSWER__INIT;
    answer.result_case = LINNET__V1__ANSWER__RESULT_PRESENCE;
    answer.presence = &presence;
    event_answer_to(connection, pending->number, pending->ref, &answer);
}

void
event_presence(struct connection *connection, const struct presence_state *state)
{
    Linnet__V1__Presence presence;
    event_of(state, &presence);
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_PRESENCE;
    frame.presence = &presence;
    event_send(connection, &frame);
}

static void
event_typing(struct connection *connection, const struct presence_update *update)
{
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    if (update->in_group) {
        chat.peer_case = LINNET__V1__CHAT__PEER_GROUP_ID;
        chat.group_id = update->subject;
    } else {
        chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
        chat.user_id = update->subject;
    }
    Linnet__V1__Typing typing = LINNET__V1__TYPING__INIT;
    typing.chat = &chat;
    typing.user_id = update->user;
    typing.kind = (Linnet__V1__Typing__Kind)update->typing;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_TYPING;
    frame.typing = &typing;
    event_send(connection, &frame);
}

void
event_presence_update(struct connection *connection, const struct presence_update *update)
{
    if (update->kind == PRESENCE_TYPING) {
        event_typing(connection, update);
        return;
    }
    struct presence_state state = {.user = update->user,
                                   .online = update->kind == PRESENCE_ONLINE,
                                   .seen_ms = update->seen_s * UINT64_C(1000)};
    event_presence(connection, &state);
}
