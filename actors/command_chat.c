/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a command means. */
#include "actors/command.h"
#include "store/call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
command_chat_resolve(struct connection *connection, const Linnet__V1__Chat *chat,
                     uint64_t *out_peer)
{
    if (chat->peer_case != LINNET__V1__CHAT__PEER_USER_NAME) {
        *out_peer = command_chat_is_group(chat) ? chat->group_id : chat->user_id;
        return 0;
    }
    size_t bytes = strlen(chat->user_name);
    struct store_name name = {.bytes = (uint8_t)bytes};
    if (bytes > sizeof name.text) {
        return -ENOENT;
    }
    memcpy(name.text, chat->user_name, bytes);
    struct ln_msg *request = ln_msg_new(STORE_NAME_FIND, LN_DURABLE, sizeof name);
    memcpy(request->data, &name, sizeof name);
    struct ln_msg *answer = NULL;
    int error = ln_call(store_name_pid(connection->messenger->store, name.text, bytes), &request,
                        CONNECTION_CALL_MS, &answer);
    if (error == 0) {
        *out_peer = ((struct store_user_id *)(void *)answer->data)->user;
        ln_msg_free(&answer);
    }
    return error;
}

int
command_met(struct connection *connection, uint64_t peer, bool *out)
{
    struct store_call_look look = {.user = connection->user, .caller = peer};
    struct ln_msg *request = ln_msg_new(STORE_CALL_LOOK, LN_DURABLE, sizeof look);
    memcpy(request->data, &look, sizeof look);
    struct ln_msg *answer = NULL;
    int error = ln_call(store_user_pid(connection->messenger->store, look.user), &request,
                        CONNECTION_CALL_MS, &answer);
    if (error == 0) {
        *out = ((const struct store_call_looked *)(const void *)answer->data)->known;
        ln_msg_free(&answer);
    }
    return error;
}

void
command_refuse_name(struct connection *connection, const Linnet__V1__ClientFrame *frame,
                    const char *field, int error)
{
    char text[PROTOCOL_ERROR_TEXT_BYTES];
    if (error != -ENOENT) {
        command_refuse(connection, frame->number, frame->ref, error);
        return;
    }
    (void)snprintf(text, sizeof text, "%s.userName: no such user", field);
    event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__UNKNOWN_USER, text,
                0);
}
