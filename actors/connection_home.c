/* SPDX-License-Identifier: Apache-2.0 */
/* From a login to an inbox: the connection moves to its user's scheduler, attaches to the device's
 * inbox there and says welcome. */
#include "actors/connection_login.h"
#include "actors/tree.h"
#include "runtime/supervisor.h"
#include "store/request.h"

#include <errno.h>
#include <string.h>

enum {
    /* The partition may be being started again: the first time again at once, then after a
     * pause. */
    ATTACH_TRIES = 6,
    ATTACH_PAUSE_MS = 20,
};

/* ---------------------------------------------------------------------------------- moving home */

/* What is left of the input goes along only when the connection moves. */
static struct connection_start *
start_new(const struct connection *connection, struct http_text answer,
          const struct websocket_input *left)
{
    size_t bytes = left != NULL ? left->count : 0;
    struct connection_start *start = ln_alloc(sizeof *start + answer.count + bytes);
    start->messenger = connection->messenger;
    start->moved = true;
    start->form = connection->form;
    start->device = connection->device;
    start->user = connection->user;
    start->address = connection->address;
    start->since_tenths = connection->since_tenths;
    short_name_get(&connection->name, &start->name);
    start->answer_bytes = (uint32_t)answer.count;
    start->input_bytes = (uint32_t)bytes;
    if (answer.count > 0) {
        memcpy(start->bytes, answer.bytes, answer.count);
    }
    if (bytes > 0) {
        memcpy(start->bytes + answer.count, left->bytes, bytes);
    }
    return start;
}

/* The connection goes on as a new actor at `home`; this one ends. What the socket still brings
 * stays in the kernel. */
static void
move(struct connection *connection, struct connection_start *start, unsigned home)
{
    struct handoff *handoff = ln_alloc(sizeof *handoff);
    ln_stop(LN_EXIT_NORMAL, "moved home, or the peer left");
    if (ln_socket_detach(&connection->socket, &start->descriptor) != 0) {
        return;
    }
    if (handoff_offer(&connection->messenger->handoffs, start->descriptor, handoff) != 0) {
        io_close(ln_io(), start->descriptor, true);
        return;
    }
    char name[TREE_NAME_BYTES];
    tree_connections_name(home, name);
    start->ticket = handoff->ticket;
    ln_pid moved;
    int error = ln_supervisor_start_child(ln_whereis(name), start, connection_start_bytes(start),
                                          LN_FOREVER, &moved);
    if (error != 0) {
        messenger_count(&connection->messenger->counters.connections_refused);
    }
    handoff_end(handoff);
}

void
connection_go_home(struct connection *connection, const struct auth_token *token,
                   enum connection_token state, struct http_text answer,
                   struct websocket_input *left)
{
    unsigned home = store_user_home(connection->messenger->store, token->user);
    bool moves = home != ln_scheduler();
    connection->user = token->user;
    connection->device = token->device;
    connection->phase = CONNECTION_ENTERING;
    struct connection_start *start = start_new(connection, answer, moves ? left : NULL);
    if (state == CONNECTION_TOKEN_NEW) {
        auth_token_print(token, start->new_token);
    }
    start->proves = state == CONNECTION_TOKEN_UNPROVEN;
    if (start->proves) {
        auth_token_hash(token->secret, start->token_hash);
    }
    if (moves) {
        left->count = 0;
        move(connection, start, home);
    } else {
        connection_enter(connection, start);
    }
    ln_free(start);
}

/* ------------------------------------------------------------------------------------- entering */

/* Again while the partition is being started anew. */
static int
attach(struct connection *connection, const unsigned char *token_hash, struct store_attached *out)
{
    int error = connection_attach(connection, token_hash, out);
    for (unsigned tries = 1; tries < ATTACH_TRIES && error == -ESRCH; tries++) {
        if (tries > 1 && ln_sleep(ATTACH_PAUSE_MS) != 0) {
            return -ECANCELED;
        }
        error = connection_attach(connection, token_hash, out);
    }
    return error;
}

static void
welcome(struct connection *connection, const struct connection_start *start,
        const struct store_attached *attached)
{
    const struct store_name *user = start->proves ? &attached->name : &start->name;
    char name[STORE_NAME_BYTES_MAX + 1];
    char token[AUTH_TOKEN_TEXT_BYTES];
    memcpy(name, user->text, user->bytes);
    name[user->bytes] = '\0';
    memcpy(token, start->new_token, sizeof token);
    const struct protocol_limits *settings = &connection->messenger->limits;
    Linnet__V1__Limits limits = LINNET__V1__LIMITS__INIT;
    limits.message_bytes_max = settings->message_bytes_max;
    limits.attachments_max = settings->attachments_max;
    limits.frame_bytes_max = settings->frame_bytes_max;
    limits.commands_unanswered_max = settings->commands_unanswered_max;
    limits.command_window = PROTOCOL_COMMAND_WINDOW;
    limits.unacknowledged_entries_max = settings->unacknowledged_entries_max;
    limits.unacknowledged_bytes_max = settings->unacknowledged_bytes_max;
    limits.idle_timeout_ms = settings->idle_timeout_ms;
    limits.presence_interval_ms = settings->presence_interval_ms;
    limits.presence_watches_max = settings->presence_watches_max;
    limits.group_members_max = settings->group_members_max;
    limits.call_ring_ms = settings->call_ring_ms;
    limits.history_days = settings_history_days(connection->messenger->settings);
    limits.history_until_read = settings_history_until_read(connection->messenger->settings);
    Linnet__V1__Welcome event = LINNET__V1__WELCOME__INIT;
    event.user_id = connection->user;
    event.name = name;
    event.device = connection->device;
    event.token = token;
    event.next_command = attached->next_command;
    event.inbox_acknowledged = attached->acked;
    event.server_time_ms = (uint64_t)ln_wall_ms();
    event.limits = &limits;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_WELCOME;
    frame.welcome = &event;
    event_send(connection, &frame);
}

void
connection_enter(struct connection *connection, const struct connection_start *start)
{
    struct store_attached attached;
    /* Again: others from its address may have failed since. */
    if (start->proves &&
        connection_token_put_off(
            connection, (struct http_text){(const char *)start->bytes, start->answer_bytes})) {
        return;
    }
    int error = attach(connection, start->proves ? start->token_hash : NULL, &attached);
    ln_socket_send(connection->socket, start->bytes, start->answer_bytes);
    if (start->proves && error != 0) {
        connection_token_refuse(connection,
                                error == -EACCES || error == -ENOENT ? -EKEYREJECTED : error);
        return;
    }
    if (error == -ENOENT) {
        connection_close(connection, PROTOCOL_CLOSE_REVOKED, "the device or the user was removed");
        return;
    }
    if (error != 0) {
        connection_close(connection, PROTOCOL_CLOSE_INTERNAL, "the inbox could not be reached");
        return;
    }
    if (start->proves) {
        messenger_count(&connection->messenger->counters.logins_token);
        short_name_set(&connection->name, &attached.name);
    }
    connection->node_number = attached.node_number;
    connection->devices = attached.devices;
    connection->phase = CONNECTION_READY;
    connection_watch_idle(connection);
    connection->counted = true;
    messenger_count(&connection->messenger->counters.devices);
    welcome(connection, start, &attached);
    if (connection->settles) {
        ln_socket_settle(connection->socket);
    }
    connection_feed(connection, &attached);
}
