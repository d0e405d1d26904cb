/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/connection.h"

#include "actors/connection_export.h"
#include "actors/connection_http.h"
#include "actors/connection_login.h"
#include "actors/connection_priv.h"
#include "actors/presence.h"
#include "actors/tag.h"
#include "runtime/text.h"
#include "store/request.h"

#include <errno.h>
#include <string.h>

enum { NS_PER_TENTH = 100000000 };

static const char *const phase_names[] = {"http",     "export", "echo",    "login",
                                          "entering", "ready",  "closing", "reader"};

/* ---------------------------------------------------------------------------------------- clock */

static uint64_t
message_after(enum connection_tag tag, uint64_t delay_ms)
{
    struct ln_msg *msg = ln_msg_new(tag, LN_REPLY, 0);
    return ln_send_after(delay_ms, ln_self(), &msg);
}

static void
tick_after(struct connection *connection, uint64_t delay_ms)
{
    (void)ln_cancel_timer(connection->timer); /* it may have fired */
    connection->timer = message_after(CONNECTION_TICK, delay_ms);
}

static void
ping(struct connection *connection)
{
    unsigned char header[FRAME_HEADER_BYTES_MAX];
    int bytes = websocket_header_encode(&connection->websocket, FRAME_PING, 0, NULL, header);
    if (bytes > 0) {
        connection_write(connection, header, (size_t)bytes);
    }
    connection->pinged = true;
}

/* Half the idle timeout after the last sign of life it is asked for another; after all of it, it is
 * closed, but never unasked. A round of the clock later at most. */
static void
look(struct connection *connection)
{
    uint64_t idle_ms = connection->messenger->limits.idle_timeout_ms;
    bool watched = connection->phase == CONNECTION_READY || connection->phase == CONNECTION_ECHO;
    if (!watched || connection->paused) {
        connection->heard_at_ns = ln_now_ns(); /* while we don't read, nobody can show any */
        return;
    }
    if (connection->phase == CONNECTION_READY) {
        connection_audit(connection);
    }
    uint64_t silent_ms = (ln_now_ns() - connection->heard_at_ns) / 1000000;
    if (!connection->pinged) {
        if (silent_ms >= idle_ms / 2) {
            ping(connection);
        }
    } else if (silent_ms >= idle_ms) {
        messenger_count(&connection->messenger->counters.idle);
        connection_close(connection, PROTOCOL_CLOSE_IDLE, "silent for too long");
    }
}

void
connection_watch_idle(struct connection *connection)
{
    (void)ln_cancel_timer(connection->timer);
    connection->timer = 0;
}

bool
connection_room_left(const struct connection *connection)
{
    const struct messenger *messenger = connection->messenger;
    return messenger_counted(&messenger->counters.connections) <=
           messenger->settings->connections_max;
}

/* From its start to its login. */
static void
tick_first(struct connection *connection)
{
    uint64_t login_ms = connection->messenger->settings->login_timeout_ms;
    connection->spare = login_ms > CONNECTION_SPARE_MS && !connection_room_left(connection);
    tick_after(connection, connection->spare ? CONNECTION_SPARE_MS : login_ms);
}

/* Who came beyond connections_max has the time of all others, once there is room. */
static bool
time_left(struct connection *connection)
{
    bool upgraded = connection->phase != CONNECTION_HTTP;
    bool left = connection->spare && (upgraded || connection_room_left(connection));
    connection->spare = false;
    if (left) {
        uint64_t login_ms = connection->messenger->settings->login_timeout_ms;
        tick_after(connection, login_ms - CONNECTION_SPARE_MS);
    }
    return left;
}

static void
tick(struct connection *connection)
{
    switch ((enum connection_phase)connection->phase) {
    case CONNECTION_HTTP:
        if (!time_left(connection)) {
            /* It was told nothing that could get lost, and may never close its side. */
            ln_socket_close(&connection->socket, true);
            ln_stop(LN_EXIT_NORMAL, "no request in time");
        }
        break;
    case CONNECTION_LOGIN:
        if (!time_left(connection)) {
            connection_close(connection, PROTOCOL_CLOSE_UNAUTHENTICATED, "no login in time");
        }
        break;
    case CONNECTION_EXPORT:
    case CONNECTION_ENTERING:
    case CONNECTION_ECHO:
    case CONNECTION_READY:
    case CONNECTION_READER:
        break; /* it was on its way when the login came */
    case CONNECTION_CLOSING:
        ln_stop(LN_EXIT_NORMAL, "the peer did not close");
        break;
    }
}

/* -------------------------------------------------------------------------------------- closing */

void
connection_close(struct connection *connection, uint16_t code, const char *reason)
{
    unsigned char frame[WEBSOCKET_CONTROL_BYTES_MAX];
    if (connection->phase == CONNECTION_CLOSING || connection->socket == NULL) {
        return;
    }
    if (connection->phase == CONNECTION_HTTP || connection->phase == CONNECTION_EXPORT) {
        ln_stop(LN_EXIT_NORMAL, "closed before its request was answered");
        return;
    }
    int bytes = websocket_close_encode(&connection->websocket, code, reason, NULL, frame);
    if (bytes > 0) {
        ln_socket_send(connection->socket, frame, (size_t)bytes);
    }
    connection->phase = CONNECTION_CLOSING;
    if (websocket_state(&connection->websocket) == WEBSOCKET_CLOSED) {
        ln_stop(LN_EXIT_NORMAL, "closed");
        return;
    }
    connection_flow(connection); /* the peer's close must be read */
    tick_after(connection, CONNECTION_CLOSE_MS);
}

/* ----------------------------------------------------------------------------------------- flow */

/* In either direction: answers that the node owes, also one whose cost decides what may come after
 * it, and output that the peer does not take. */
void
connection_flow(struct connection *connection)
{
    bool full = connection->pendings.count >= connection->messenger->limits.commands_unanswered_max;
    bool wait = connection->phase != CONNECTION_CLOSING &&
                (full || connection->searching || connection->stuffed);
    if (connection->socket != NULL && wait != connection->paused) {
        connection->paused = wait;
        ln_socket_pause(connection->socket, wait);
    }
}

/* What CONNECTION_SLOW carries. */
struct slow_look {
    uint32_t unsent;
    uint8_t number;
};

/* Looks then whether less than `unsent` waits. */
static void
slow_after(struct connection *connection, uint32_t unsent)
{
    struct slow_look look = {.unsent = unsent, .number = ++connection->slow_look};
    struct ln_msg *msg = ln_msg_new(CONNECTION_SLOW, LN_REPLY, sizeof look);
    memcpy(msg->data, &look, sizeof look);
    connection->slow_timer = ln_send_after(CONNECTION_SLOW_MS, ln_self(), &msg);
}

/* More waits to leave. */
static void
written(struct connection *connection)
{
    struct ln_socket *socket = connection->socket;
    if (!connection->stuffed && ln_socket_unsent(socket) > CONNECTION_UNSENT_MAX) {
        connection->stuffed = true;
        slow_after(connection, UINT32_MAX);
        ln_socket_notify_drained(socket, CONNECTION_UNSENT_MAX / 2);
        connection_flow(connection);
    }
}

void
connection_write(struct connection *connection, const void *bytes, size_t count)
{
    if (connection->patient) {
        ln_socket_send_within(connection->socket, bytes, count, PRESSURE_WAIT_MS);
    } else {
        ln_socket_send(connection->socket, bytes, count);
    }
    written(connection);
}

void
connection_write_buffer(struct connection *connection, struct ln_buffer **buffer, size_t offset,
                        size_t count)
{
    ln_socket_send_buffer(connection->socket, buffer, offset, count);
    written(connection);
}

static void
drained(struct connection *connection)
{
    connection->stuffed = false;
    (void)ln_cancel_timer(connection->slow_timer);
    connection_flow(connection);
    if (connection->phase == CONNECTION_EXPORT) {
        connection_export_drained(connection);
    }
}

/* Slowly is well, not at all is not. */
static void
slow(struct connection *connection, const struct ln_msg *msg)
{
    struct slow_look look;
    memcpy(&look, msg->data, sizeof look);
    if (!connection->stuffed || look.number != connection->slow_look ||
        connection->phase == CONNECTION_CLOSING) {
        return;
    }
    uint32_t unsent = (uint32_t)ln_socket_unsent(connection->socket);
    bool lags = connection->phase == CONNECTION_EXPORT && connection_export_lags(connection);
    if (unsent < look.unsent && !lags) {
        slow_after(connection, unsent);
        return;
    }
    messenger_count(&connection->messenger->counters.slow);
    connection_close(connection, PROTOCOL_CLOSE_SLOW, "what was sent is not read");
}

/* ---------------------------------------------------------------------------------------- input */

const struct websocket_rules *
connection_rules(const struct connection *connection)
{
    return &connection->messenger->websocket_rules;
}

static void
echo(struct connection *connection, const struct websocket_event *event)
{
    unsigned char header[FRAME_HEADER_BYTES_MAX];
    enum frame_opcode opcode = event->kind == WEBSOCKET_TEXT ? FRAME_TEXT : FRAME_BINARY;
    int bytes = websocket_header_encode(&connection->websocket, opcode, event->count, NULL, header);
    if (bytes > 0) {
        connection_write(connection, header, (size_t)bytes);
        connection_write(connection, event->bytes, event->count);
    }
}

static void
message(struct connection *connection, const struct websocket_event *event,
        struct websocket_input *left)
{
    bool text = event->kind == WEBSOCKET_TEXT;
    if (connection->phase == CONNECTION_ECHO) {
        echo(connection, event);
    } else if (text != (connection->form == PROTOCOL_JSON)) {
        connection_close(connection, PROTOCOL_CLOSE_UNSUPPORTED,
                         text ? "text where the subprotocol has binary"
                              : "binary where the subprotocol has text");
    } else if (connection->phase != CONNECTION_CLOSING) {
        connection_frame(connection, event->bytes, event->count, left);
    }
}

static void
peer_closed(struct connection *connection, const struct websocket_event *event)
{
    unsigned char frame[WEBSOCKET_CONTROL_BYTES_MAX];
    int bytes = websocket_close_encode(&connection->websocket, event->code, NULL, NULL, frame);
    if (bytes > 0) {
        ln_socket_send(connection->socket, frame, (size_t)bytes);
    }
    connection->phase = CONNECTION_CLOSING;
    ln_stop(LN_EXIT_NORMAL, "the peer closed");
}

static void
websocket_happened(struct connection *connection, const struct websocket_event *event,
                   struct websocket_input *left)
{
    unsigned char frame[WEBSOCKET_CONTROL_BYTES_MAX];
    int bytes;
    switch (event->kind) {
    case WEBSOCKET_TEXT:
    case WEBSOCKET_BINARY:
        message(connection, event, left);
        return;
    case WEBSOCKET_PING:
        bytes = websocket_pong_encode(&connection->websocket, event, NULL, frame);
        if (bytes > 0) {
            connection_write(connection, frame, (size_t)bytes);
        }
        return;
    case WEBSOCKET_PONG:
        return;
    case WEBSOCKET_CLOSE:
        peer_closed(connection, event);
        return;
    case WEBSOCKET_ERROR:
        connection_close(connection, event->code, websocket_fault_text(event->fault));
        return;
    }
}

/* Until it is used up or there is no credit. A command may move the connection away, or end it:
 * then the socket is gone, and the input used up. */
static void
frames_use(struct connection *connection, struct websocket_input *input)
{
    struct websocket_event event;
    while (connection->socket != NULL && !connection->paused) {
        int error = websocket_next(&connection->websocket, input, &event);
        if (error == -ENOMEM) {
            connection_close(connection, PROTOCOL_CLOSE_OVERLOADED, "no memory");
            input->count = 0;
        }
        if (error != 0) {
            return;
        }
        websocket_happened(connection, &event, input);
    }
}

static void
input_use(struct connection *connection, struct websocket_input *input)
{
    frames_use(connection, input);
    connection_acks_ask(connection);
}

void
connection_keep(struct connection *connection, const unsigned char *bytes, size_t count)
{
    struct kept *before = connection->kept;
    size_t left = before != NULL ? before->bytes - before->at : 0;
    struct kept *kept = ln_alloc(sizeof *kept + left + count);
    if (before != NULL) {
        memcpy(kept->data, before->data + before->at, left);
    }
    memcpy(kept->data + left, bytes, count);
    kept->bytes = (uint32_t)(left + count);
    ln_free(before);
    connection->kept = kept;
}

void
connection_input(struct connection *connection, unsigned char *bytes, size_t count)
{
    struct websocket_input input = {bytes, count};
    if (connection->phase == CONNECTION_HTTP) {
        if (!connection_http_input(connection, bytes, count, &input)) {
            return;
        }
    } else if (connection->kept != NULL) {
        connection_keep(connection, bytes, count);
        return;
    }
    input_use(connection, &input);
    if (connection->socket != NULL && input.count > 0) {
        connection_keep(connection, input.bytes, input.count);
    }
}

/* What waited for credit, now that there is some. */
static void
input_go_on(struct connection *connection)
{
    struct kept *kept = connection->kept;
    struct websocket_input input = {kept->data + kept->at, kept->bytes - kept->at};
    input_use(connection, &input);
    kept->at = kept->bytes - (uint32_t)input.count;
    if (input.count == 0) {
        connection->kept = NULL;
        ln_free(kept);
    }
}

static void
data(struct connection *connection, const struct ln_socket_event *event)
{
    connection->heard_at_ns = ln_now_ns();
    connection->pinged = false;
    messenger_add(&connection->messenger->counters.bytes_received, event->bytes);
    if (connection->phase == CONNECTION_EXPORT) {
        return; /* a request behind the last one */
    }
    connection_input(connection, event->data, event->bytes);
}

/* -------------------------------------------------------------------------------- the behaviour */

static void
connection_release(struct ln_resource *resource)
{
    struct connection *connection =
        (struct connection *)(void *)((char *)resource - offsetof(struct connection, own));
    websocket_fini(&connection->websocket);
    connection_receipts_end(connection);
    connection_detach(connection);
    connection_presence_end(connection);
    connection_export_end(connection);
    messenger_uncount(&connection->messenger->counters.connections);
    if (connection->counted) {
        messenger_uncount(&connection->messenger->counters.devices);
    }
    if (connection->login_counted) {
        messenger_uncount(&connection->messenger->counters.logins_pending);
    }
}

static int
connection_init(void *state, const void *argument)
{
    struct connection *connection = state;
    const struct connection_start *start = argument;
    if (!handoff_take(&start->messenger->handoffs, start->ticket)) {
        return -ECANCELED; /* whoever gave it has closed it */
    }
    connection->messenger = start->messenger;
    connection->heard_at_ns = ln_now_ns();
    messenger_count(&connection->messenger->counters.connections);
    ln_own(&connection->own, connection_release);
    connection->settles = start->descriptor >= start->messenger->room.connections_settle_from;
    connection->socket = ln_socket_attach(start->descriptor);
    if (!start->moved) {
        connection->since_tenths = (uint32_t)(connection->heard_at_ns / NS_PER_TENTH);
        tick_first(connection);
        return 0;
    }
    connection->since_tenths = start->since_tenths;
    connection->user = start->user;
    connection->address = start->address;
    connection->device = start->device;
    short_name_set(&connection->name, &start->name);
    connection->form = start->form;
    connection->phase = CONNECTION_ENTERING;
    websocket_init(&connection->websocket, WEBSOCKET_SERVER, connection_rules(connection));
    struct ln_msg *enter = ln_msg_new(CONNECTION_ENTER, LN_REPLY, connection_start_bytes(start));
    memcpy(enter->data, start, connection_start_bytes(start));
    ln_send(ln_self(), &enter); /* before anything that the socket brings */
    return 0;
}

static void
enter(struct connection *connection, struct ln_msg *msg)
{
    struct connection_start *start = (struct connection_start *)(void *)msg->data;
    connection_enter(connection, start);
    /* What came behind the login. */
    connection_input(connection, start->bytes + start->answer_bytes, start->input_bytes);
}

static void
told(struct connection *connection, struct ln_msg *msg)
{
    switch (msg->tag) {
    case LN_TAG_DATA:
        data(connection, ln_socket_event(msg));
        break;
    case LN_TAG_DRAINED:
        drained(connection);
        break;
    case LN_TAG_CLOSED:
        if (ln_socket_event(msg)->error != 0 || !connection_export_reads_on(connection)) {
            ln_stop(LN_EXIT_NORMAL, "the peer left");
        }
        break;
    case LN_TAG_STOP:
        connection_close(connection, PROTOCOL_CLOSE_GOING_AWAY, "the node is stopping");
        ln_stop(LN_EXIT_SHUTDOWN, "stopped");
        break;
    case CONNECTION_TICK:
        tick(connection);
        break;
    case CONNECTION_LOOK:
        look(connection);
        break;
    case CONNECTION_ENTER:
        enter(connection, msg);
        break;
    case CONNECTION_SLOW:
        slow(connection, msg);
        break;
    case CONNECTION_RECEIPTS:
        connection_receipts_ask(connection);
        break;
    case CONNECTION_PAGE:
        connection_export_page(connection);
        break;
    case CONNECTION_READ_AGAIN:
        connection_read_again(connection);
        break;
    case PRESENCE_UPDATE:
        connection_told_by_presence(connection, msg);
        break;
    case PRESENCE_AGAIN:
        connection_watch_again(connection, msg);
        break;
    default:
        connection_told_by_store(connection, msg);
        break;
    }
}

static void
connection_handle(void *state, struct ln_msg **msg)
{
    struct connection *connection = state;
    if (((*msg)->flags & LN_MSG_ANSWER) != 0) {
        connection_answered(connection, *msg);
    } else if (((*msg)->flags & LN_MSG_REFUSED) == 0) {
        told(connection, *msg);
    }
    bool waits = connection->kept != NULL && connection->phase != CONNECTION_HTTP;
    if (waits && !connection->paused && connection->socket != NULL) {
        input_go_on(connection);
    }
}

static void
connection_print(const void *state, struct ln_text *out)
{
    const struct connection *connection = state;
    struct store_name name;
    short_name_get(&connection->name, &name);
    ln_text_print(out, "%s %s user=%llu device=%u name=%.*s commands=%u unsent=%zu",
                  phase_names[connection->phase], protocol_form_name(connection->form),
                  (unsigned long long)connection->user, connection->device, name.bytes, name.text,
                  connection->pendings.count,
                  connection->socket != NULL ? ln_socket_unsent(connection->socket) : 0);
}

const struct ln_behaviour connection_behaviour = {
    .name = "connection",
    .tag_name = messenger_tag_name,
    .state_bytes = sizeof(struct connection),
    .init = connection_init,
    .handle = connection_handle,
    .print = connection_print,
    .trap_exit = true,
};
