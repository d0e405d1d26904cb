/* SPDX-License-Identifier: Apache-2.0 */
/* ack and markRead: cursors of the device's own user. */
#include "actors/command.h"

#include "actors/command_group.h"

#include <errno.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------ ack */

static uint64_t
ack_request(const struct connection *connection, uint64_t inbox)
{
    struct ln_msg *request = ln_msg_new(STORE_ACK, LN_DURABLE, sizeof(struct store_ack));
    *(struct store_ack *)(void *)request->data =
        (struct store_ack){.user = connection->user, .number = inbox, .device = connection->device};
    return ln_request(store_user_pid(connection->messenger->store, connection->user), &request);
}

/* Credit comes back when the store has it, not before: a number that it refuses acknowledges
 * nothing. */
static void
acked(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    (void)answer;
    connection_credit(connection, pending->inbox);
    messenger_count(&connection->messenger->counters.acks);
    if (pending->ref != 0) {
        event_done(connection, pending->number, pending->ref);
    }
}

/* An acknowledgement may be repeated freely, and most clients could not tell what the error is the
 * answer to: so it is we who repeat it. Meanwhile it counts as unanswered. True: it is pending
 * again. */
static bool
ack_later(struct connection *connection, struct pending *pending, int error)
{
    if (error != -EAGAIN && error != -ESRCH) {
        return false;
    }
    command_pending_add(connection, pending, 0);
    if (!connection->asks_again) {
        struct ln_msg *again = ln_msg_new(CONNECTION_ACK_AGAIN, LN_REPLY, 0);
        (void)ln_send_after(CONNECTION_AGAIN_MS, ln_self(), &again);
        connection->asks_again = true;
    }
    return true;
}

void
connection_ack_again(struct connection *connection)
{
    connection->asks_again = false;
    for (struct pending *at = connection->pending; at != NULL; at = at->next) {
        if (at->request == 0) {
            at->request = ack_request(connection, at->inbox);
        }
    }
}

static void
ack_refused(struct connection *connection, const struct pending *pending, int error)
{
    if (error == -ERANGE) {
        event_error(connection, command_number(pending), pending->ref,
                    LINNET__V1__ERROR__CODE__OUT_OF_RANGE,
                    "ack.inboxNumber: beyond the inbox's last entry", 0);
    } else {
        command_refuse_own(connection, pending, error);
    }
}

static const struct request_kind request_ack = {
    .tag = STORE_ACK, .done = acked, .refused = ack_refused, .put_off = ack_later};

static void
ack(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct pending *pending = command_pending(&request_ack, frame, frame->number);
    pending->inbox = frame->ack->inbox_number;
    command_pending_add(connection, pending, ack_request(connection, pending->inbox));
}

const struct command_kind command_ack = {ack};

/* ------------------------------------------------------------------------------------- markRead */

static void
read_done(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    (void)answer;
    messenger_count(&connection->messenger->counters.reads);
    connection_acted(connection);
    event_done(connection, pending->number, pending->ref);
}

static const struct request_kind request_read = {
    .tag = STORE_READ, .done = read_done, .refused = command_refuse_own};
static const struct request_kind request_group_read = {
    .tag = STORE_GROUP_READ, .done = read_done, .refused = command_refuse_group};

static void
mark_read(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_read read = {.user = connection->user,
                              .chat_number = frame->mark_read->chat_number};
    int error = command_chat_resolve(connection, frame->mark_read->chat, &read.peer);
    if (error != 0) {
        command_refuse_name(connection, frame, "markRead.chat", error);
        return;
    }
    const struct request_kind *kind =
        command_chat_is_group(frame->mark_read->chat) ? &request_group_read : &request_read;
    command_ask(connection, frame, kind, read.user, &read, sizeof read, NULL);
}

const struct command_kind command_mark_read = {mark_read};
