/* SPDX-License-Identifier: Apache-2.0 */
/* modifyChat of a chat of two: how long its messages live. Decided in the other one's partition, as
 * what is said to him. */
#include "actors/command.h"
#include "store/chat_ttl.h"

#include <errno.h>

static void
refused(struct connection *connection, const struct pending *pending, int error)
{
    uint64_t number = command_number(pending);
    if (error == -ESRCH) {
        command_start_over(connection);
    } else if (error == -ENOMSG) {
        event_error(connection, number, pending->ref, LINNET__V1__ERROR__CODE__NOT_PERMITTED,
                    "modifyChat.chat: no message has passed in it yet", 0);
    } else if (error == -ENOENT) {
        event_error(connection, number, pending->ref, LINNET__V1__ERROR__CODE__UNKNOWN_USER,
                    "modifyChat.chat.userId: no such user", 0);
    } else {
        command_refuse(connection, number, pending->ref, error);
    }
}

static const struct request_kind request_chat_ttl = {
    .tag = STORE_CHAT_TTL, .ordered = true, .done = command_sent, .refused = refused};

void
command_chat_ttl(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_chat_ttl set = {
        .user = connection->user,
        .number = command_number_new(connection, frame),
        .ttl_ms = frame->modify_chat->ttl_ms,
        .device = connection->device,
    };
    int error = command_chat_resolve(connection, frame->modify_chat->chat, &set.recipient);
    if (error == 0) {
        error = command_met(connection, set.recipient, &set.met);
        error = error == -ENOENT ? -ESRCH : error; /* he is gone himself */
    }
    if (error == -ESRCH) {
        command_start_over(connection);
        return;
    }
    if (error != 0) {
        command_refuse_name(connection, frame, "modifyChat.chat", error);
        return;
    }
    command_ask_in_order(connection, command_pending(&request_chat_ttl, frame, set.number),
                         set.recipient, &set, sizeof set, NULL);
}
