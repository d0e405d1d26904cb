/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in. A command becomes a request to the partition that decides it, and is remembered until
 * that answers. */
#include "actors/command.h"
#include "actors/connection_login.h"

#include <string.h>

/* A frame with a person's message decodes into 2.8 KiB in JSON, far less in binary. */
enum { SCRATCH_BYTES = 4096 };

/* ----------------------------------------------------------------------------- a frame's memory */

/* Room for one frame at a time on each scheduler: who finds it taken, by a connection that waits
 * for a name, takes the heap. */
static _Thread_local struct scratch {
    bool taken;
    _Alignas(16) unsigned char bytes[SCRATCH_BYTES];
} scratch;

/* An actor's resource while it works on a frame, so that nothing leaks when it is ended in the
 * middle. */
struct workplace {
    struct ln_resource own;
    struct scratch *scratch; /* NULL: it was taken */
    struct arena arena;
};

static void
workplace_release(struct ln_resource *resource)
{
    struct workplace *place = (struct workplace *)resource;
    arena_fini(&place->arena);
    if (place->scratch != NULL) {
        place->scratch->taken = false;
    }
}

static void
workplace_open(struct workplace *place, uint32_t frame_bytes_max)
{
    place->scratch = scratch.taken ? NULL : &scratch;
    scratch.taken = true;
    /* A decoded frame is a few times its text, at worst a list of tiny attachments. */
    arena_init(&place->arena, place->scratch != NULL ? scratch.bytes : NULL,
               place->scratch != NULL ? SCRATCH_BYTES : 0, 16 * (size_t)frame_bytes_max);
    ln_own(&place->own, workplace_release);
}

static void
workplace_close(struct workplace *place)
{
    ln_disown(&place->own);
    workplace_release(&place->own);
}

/* ------------------------------------------------------------------------------------- commands */

static void
pong(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    Linnet__V1__Pong event = LINNET__V1__PONG__INIT;
    event.ref = frame->ref;
    event.data = frame->ping->data;
    event.server_time_ms = (uint64_t)ln_wall_ms();
    Linnet__V1__ServerFrame answer = LINNET__V1__SERVER_FRAME__INIT;
    answer.event_case = LINNET__V1__SERVER_FRAME__EVENT_PONG;
    answer.pong = &event;
    event_send(connection, &answer);
}

static const struct command_kind command_ping = {pong};

static void
authenticated_already(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__NOT_EXPECTED,
                "authenticate: this connection is authenticated already", 0);
}

static const struct command_kind command_authenticate = {authenticated_already};

/* Of a connection that has logged in. */
static const struct command_kind *const kinds[] = {
    [LINNET__V1__CLIENT_FRAME__COMMAND_AUTHENTICATE] = &command_authenticate,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE] = &command_send_message,
    [LINNET__V1__CLIENT_FRAME__COMMAND_ACK] = &command_ack,
    [LINNET__V1__CLIENT_FRAME__COMMAND_MARK_READ] = &command_mark_read,
    [LINNET__V1__CLIENT_FRAME__COMMAND_PING] = &command_ping,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SET_ACTIVE] = &command_set_active,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SET_TYPING] = &command_set_typing,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_PRESENCE] = &command_get_presence,
    [LINNET__V1__CLIENT_FRAME__COMMAND_WATCH_PRESENCE] = &command_watch_presence,
    [LINNET__V1__CLIENT_FRAME__COMMAND_UNWATCH_PRESENCE] = &command_unwatch_presence,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CREATE_CHAT] = &command_create_chat,
    [LINNET__V1__CLIENT_FRAME__COMMAND_MODIFY_CHAT] = &command_modify_chat,
    [LINNET__V1__CLIENT_FRAME__COMMAND_JOIN_CHAT] = &command_join_chat,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_CHAT] = &command_get_chat,
    [LINNET__V1__CLIENT_FRAME__COMMAND_LIST_GROUPS] = &command_list_groups,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_CHAT_MEMBERS] = &command_get_chat_members,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_MESSAGE_INFO] = &command_get_message_info,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SET_STATE] = &command_set_state,
    [LINNET__V1__CLIENT_FRAME__COMMAND_LIST_STATES] = &command_list_states,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_HISTORY] = &command_get_history,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_PROFILE] = &command_get_profile,
    [LINNET__V1__CLIENT_FRAME__COMMAND_DELETE_ACCOUNT] = &command_delete_account,
    [LINNET__V1__CLIENT_FRAME__COMMAND_HIDE_MESSAGE] = &command_hide_message,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_TURN_CREDENTIALS] = &command_get_turn_credentials,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_OFFER] = &command_call_offer,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_RINGING] = &command_call_ringing,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_ANSWER] = &command_call_answer,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_CANDIDATE] = &command_call_candidate,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CALL_HANG_UP] = &command_call_hang_up,
    [LINNET__V1__CLIENT_FRAME__COMMAND_SET_PUSH] = &command_set_push,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CLEAR_PUSH] = &command_clear_push,
    [LINNET__V1__CLIENT_FRAME__COMMAND_GET_PUSH] = &command_get_push,
    [LINNET__V1__CLIENT_FRAME__COMMAND_LIST_DEVICES] = &command_list_devices,
    [LINNET__V1__CLIENT_FRAME__COMMAND_RENAME_DEVICE] = &command_rename_device,
    [LINNET__V1__CLIENT_FRAME__COMMAND_REVOKE_DEVICE] = &command_revoke_device,
    [LINNET__V1__CLIENT_FRAME__COMMAND_CREATE_LINK_CODE] = &command_create_link_code,
    [LINNET__V1__CLIENT_FRAME__COMMAND_LIST_CHATS] = &command_list_chats,
};

static void
command(struct connection *connection, const Linnet__V1__ClientFrame *frame,
        struct websocket_input *left)
{
    size_t which = (size_t)frame->command_case;
    ASSERT(which < sizeof(kinds) / sizeof(kinds[0]) && kinds[which] != NULL);
    if (kinds[which] != &command_mark_read) {
        connection_acks_ask(connection);
    }
    if (connection->phase != CONNECTION_LOGIN) {
        kinds[which]->run(connection, frame);
    } else if (frame->command_case == LINNET__V1__CLIENT_FRAME__COMMAND_AUTHENTICATE) {
        connection_authenticate(connection, frame, left);
    } else if (frame->command_case == LINNET__V1__CLIENT_FRAME__COMMAND_DELETE_ACCOUNT) {
        connection_delete_account(connection, frame);
    } else {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__UNAUTHENTICATED,
                    "the first command must be authenticate", 0);
    }
}

/* -------------------------------------------------------------------------------------- frames */

void
connection_frame(struct connection *connection, unsigned char *bytes, size_t count,
                 struct websocket_input *left)
{
    const struct protocol_limits *limits = &connection->messenger->limits;
    struct workplace place;
    uint64_t wait_ms = connection_rate_frame(connection, count);
    if (connection->phase == CONNECTION_CLOSING) {
        return;
    }
    workplace_open(&place, limits->frame_bytes_max);
    struct protocol_decoder decoder = {
        .form = connection->form, .limits = limits, .arena = &place.arena};
    struct protocol_error error;
    Linnet__V1__ClientFrame *frame = NULL;
    messenger_count(&connection->messenger->counters.frames_received);
    if (protocol_decode_client(&decoder, bytes, count, &frame, &error) == 0) {
        if (!connection_rate_refuses(connection, frame, wait_ms)) {
            command(connection, frame, left);
        }
    } else {
        event_error(connection, error.number, error.ref, error.code, error.text, 0);
        connection->bad_frames++;
        if (connection->bad_frames >= PROTOCOL_BAD_FRAMES_MAX) {
            connection_close(connection, PROTOCOL_CLOSE_BAD_FRAMES,
                             "too many frames that can't be decoded");
        }
    }
    workplace_close(&place);
}

/* -------------------------------------------------------------------------------------- answers */

static void
answered(struct connection *connection, struct pending *pending, const struct ln_msg *answer)
{
    const struct request_kind *kind = pending->kind;
    if (kind->put_off != NULL && kind->put_off(connection, pending, answer)) {
        return;
    }
    if (answer->error == 0) {
        kind->done(connection, pending, answer);
    } else if (kind->refused != NULL) {
        kind->refused(connection, pending, answer->error);
    } else {
        command_refuse(connection, command_number(pending), pending->ref, answer->error);
    }
    ln_free(pending);
}

/* Receipts may share a request. */
void
connection_answered(struct connection *connection, struct ln_msg *answer)
{
    struct pending *pending;
    if (connection_page_arrived(connection, answer)) {
        return;
    }
    while ((pending = pending_list_take(&connection->pendings, answer->ref)) != NULL) {
        answered(connection, pending, answer);
    }
    connection_flow(connection);
}
