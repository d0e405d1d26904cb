/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in. A command becomes a request to the partition that decides it, and is remembered until
 * that answers. */
#include "actors/connection_priv.h"

#include "store/request.h"

#include <errno.h>
#include <string.h>

enum {
    /* A frame with a person's message decodes into 2.8 KiB in JSON, far less in binary. */
    SCRATCH_BYTES = 4096,
    RETRY_SOON_MS = 100,
    RETRY_LATER_MS = 5000,
};

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

/* -------------------------------------------------------------------------------------- pending */

static struct pending *
pending_new(uint32_t tag, const Linnet__V1__ClientFrame *frame, uint64_t number)
{
    struct pending *pending = ln_alloc(sizeof *pending);
    pending->tag = tag;
    pending->number = number;
    pending->ref = frame->ref;
    return pending;
}

static void
pending_add(struct connection *connection, struct pending *pending, uint64_t request)
{
    pending->request = request;
    pending->next = NULL;
    if (connection->pending_last == NULL) {
        connection->pending = pending;
    } else {
        connection->pending_last->next = pending;
    }
    connection->pending_last = pending;
    connection->pending_count++;
    connection_flow(connection);
}

/* Partitions answer in order, so it is nearly always the first. */
static struct pending *
pending_take(struct connection *connection, uint64_t request)
{
    struct pending *before = NULL;
    for (struct pending *at = connection->pending; at != NULL; before = at, at = at->next) {
        if (at->request != request) {
            continue;
        }
        if (before == NULL) {
            connection->pending = at->next;
        } else {
            before->next = at->next;
        }
        if (at->next == NULL) {
            connection->pending_last = before;
        }
        connection->pending_count--;
        return at;
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------- refusing */

struct refusal {
    int error;
    Linnet__V1__Error__Code code;
    uint32_t retry_after_ms;
    const char *text;
};

/* What the store's errors mean; the last row is for every other. */
static const struct refusal refusals[] = {
    {-ENOENT, LINNET__V1__ERROR__CODE__UNKNOWN_USER, 0, "sendMessage.chat.userId: no such user"},
    {-ESTALE, LINNET__V1__ERROR__CODE__TOO_OLD, 0,
     "number: below the window; whether it was accepted is no longer known"},
    {-ERANGE, LINNET__V1__ERROR__CODE__OUT_OF_RANGE, 0,
     "markRead.chatNumber: beyond the chat's last message"},
    {-EDQUOT, LINNET__V1__ERROR__CODE__RECIPIENT_FULL, RETRY_LATER_MS,
     "no device of the recipient can take the message at present"},
    {-ENOSPC, LINNET__V1__ERROR__CODE__STORAGE_FULL, RETRY_LATER_MS, "the node's disk is full"},
    {-EAGAIN, LINNET__V1__ERROR__CODE__OVERLOADED, RETRY_SOON_MS,
     "the node has more work than it can queue"},
    {-EINVAL, LINNET__V1__ERROR__CODE__BAD_FRAME, 0, "the command makes no sense to the store"},
    {0, LINNET__V1__ERROR__CODE__INTERNAL, RETRY_SOON_MS,
     "the node failed while it worked on the command"},
};

static void
refuse(struct connection *connection, uint64_t number, uint64_t ref, int error)
{
    const struct refusal *refusal = refusals;
    while (refusal->error != 0 && refusal->error != error) {
        refusal++;
    }
    event_error(connection, number, ref, refusal->code, refusal->text, refusal->retry_after_ms);
}

/* ---------------------------------------------------------------------------------------- order */

/* A partition's actor ended, and messages that were sent to it with it. Those behind them, which
 * its successor would accept, must not overtake: so the device sends all of them again, in
 * order. */
static void
start_over(struct connection *connection)
{
    connection_close(connection, PROTOCOL_CLOSE_INTERNAL,
                     "a part of the node failed: what was not answered has to be sent again");
}

/* Whether an earlier message to the partition went to an actor before this one; its end will be
 * told in a moment. */
static bool
overtakes(const struct connection *connection, uint8_t partition, ln_pid to)
{
    for (const struct pending *at = connection->pending; at != NULL; at = at->next) {
        if (at->tag == STORE_MESSAGE && at->partition == partition && at->to != to) {
            return true;
        }
    }
    return false;
}

/* ------------------------------------------------------------------------------------- commands */

/* Whom a chat means: 0 and *out_user, or what the name's partition says. Yields for a name. */
static int
chat_resolve(struct connection *connection, const Linnet__V1__Chat *chat, uint64_t *out_user)
{
    if (chat->peer_case == LINNET__V1__CHAT__PEER_USER_ID) {
        *out_user = chat->user_id;
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
        *out_user = ((struct store_user_id *)(void *)answer->data)->user;
        ln_msg_free(&answer);
    }
    return error;
}

/* A text is kept with its NUL, since protobuf-c encodes strings, not slices: no copy when it is
 * delivered. The attachments are kept as a SendMessage that has nothing else. */
static struct ln_buffer *
body_buffer(const Linnet__V1__SendMessage *send, struct store_message *out)
{
    const void *body = NULL;
    if (send->body_case == LINNET__V1__SEND_MESSAGE__BODY_TEXT) {
        body = send->text;
        out->body_bytes = (uint32_t)strlen(send->text) + 1;
        out->body_kind = (uint8_t)LINNET__V1__NEW_MESSAGE__BODY_TEXT;
    } else if (send->body_case == LINNET__V1__SEND_MESSAGE__BODY_CONTENT) {
        body = send->content.data;
        out->body_bytes = (uint32_t)send->content.len;
        out->body_kind = (uint8_t)LINNET__V1__NEW_MESSAGE__BODY_CONTENT;
    }
    Linnet__V1__SendMessage attached = LINNET__V1__SEND_MESSAGE__INIT;
    if (send->n_attachments > 0) {
        attached.n_attachments = send->n_attachments;
        attached.attachments = send->attachments;
        out->attachments_bytes = (uint32_t)linnet__v1__send_message__get_packed_size(&attached);
    }
    struct ln_buffer *buffer = ln_buffer_new((size_t)out->body_bytes + out->attachments_bytes);
    unsigned char *data = ln_buffer_data(buffer);
    if (out->body_bytes > 0) {
        memcpy(data, body, out->body_bytes);
    }
    if (out->attachments_bytes > 0) {
        (void)linnet__v1__send_message__pack(&attached, data + out->body_bytes);
    }
    return buffer;
}

/* The name in a command's chat could not be looked up. */
static void
refuse_name(struct connection *connection, const Linnet__V1__ClientFrame *frame, int error)
{
    bool read = frame->command_case == LINNET__V1__CLIENT_FRAME__COMMAND_MARK_READ;
    if (error == -ENOENT) {
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__UNKNOWN_USER,
                    read ? "markRead.chat.userName: no such user"
                         : "sendMessage.chat.userName: no such user",
                    0);
        return;
    }
    refuse(connection, frame->number, frame->ref, error);
}

static void
send_message(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    const Linnet__V1__SendMessage *send = frame->send_message;
    struct store_message message = {
        .sender = connection->user,
        .sender_device = connection->device,
        .number = frame->number != 0 ? frame->number : connection->node_number++,
        .copy = connection->devices > 1,
        .sender_name = connection->name,
    };
    const struct store *store = connection->messenger->store;
    int error = chat_resolve(connection, send->chat, &message.recipient);
    if (error == -ESRCH) {
        start_over(connection);
        return;
    }
    if (error != 0) {
        refuse_name(connection, frame, error);
        return;
    }
    struct pending *pending = pending_new(STORE_MESSAGE, frame, message.number);
    pending->partition = store_user_partition(store, message.recipient);
    pending->to = store_partition_pid(store, pending->partition);
    if (overtakes(connection, pending->partition, pending->to)) {
        ln_free(pending);
        start_over(connection);
        return;
    }
    struct ln_msg *request = ln_msg_new(STORE_MESSAGE, LN_DURABLE, sizeof message);
    request->buffer = body_buffer(send, &message);
    memcpy(request->data, &message, sizeof message);
    pending_add(connection, pending, ln_request(pending->to, &request));
}

static uint64_t
ack_request(const struct connection *connection, uint64_t inbox)
{
    struct ln_msg *request = ln_msg_new(STORE_ACK, LN_DURABLE, sizeof(struct store_ack));
    *(struct store_ack *)(void *)request->data =
        (struct store_ack){.user = connection->user, .number = inbox, .device = connection->device};
    return ln_request(store_user_pid(connection->messenger->store, connection->user), &request);
}

static void
ack(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct pending *pending = pending_new(STORE_ACK, frame, frame->number);
    pending->inbox = frame->ack->inbox_number;
    pending_add(connection, pending, ack_request(connection, pending->inbox));
}

static void
mark_read(struct connection *connection, const Linnet__V1__ClientFrame *frame)
{
    struct store_read read = {.user = connection->user,
                              .chat_number = frame->mark_read->chat_number};
    int error = chat_resolve(connection, frame->mark_read->chat, &read.peer);
    if (error != 0) {
        refuse_name(connection, frame, error);
        return;
    }
    struct ln_msg *request = ln_msg_new(STORE_READ, LN_DURABLE, sizeof read);
    memcpy(request->data, &read, sizeof read);
    uint64_t asked =
        ln_request(store_user_pid(connection->messenger->store, connection->user), &request);
    pending_add(connection, pending_new(STORE_READ, frame, frame->number), asked);
}

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

static void
command(struct connection *connection, const Linnet__V1__ClientFrame *frame,
        struct websocket_input *left)
{
    bool authenticate = frame->command_case == LINNET__V1__CLIENT_FRAME__COMMAND_AUTHENTICATE;
    if (connection->phase == CONNECTION_LOGIN) {
        if (authenticate) {
            connection_authenticate(connection, frame, left);
        } else {
            event_error(connection, frame->number, frame->ref,
                        LINNET__V1__ERROR__CODE__UNAUTHENTICATED,
                        "the first command must be authenticate", 0);
        }
        return;
    }
    switch (frame->command_case) {
    case LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE:
        send_message(connection, frame);
        return;
    case LINNET__V1__CLIENT_FRAME__COMMAND_ACK:
        ack(connection, frame);
        return;
    case LINNET__V1__CLIENT_FRAME__COMMAND_MARK_READ:
        mark_read(connection, frame);
        return;
    case LINNET__V1__CLIENT_FRAME__COMMAND_PING:
        pong(connection, frame);
        return;
    case LINNET__V1__CLIENT_FRAME__COMMAND_AUTHENTICATE:
        event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__NOT_EXPECTED,
                    "authenticate: this connection is authenticated already", 0);
        return;
    case LINNET__V1__CLIENT_FRAME__COMMAND__NOT_SET:
    case _LINNET__V1__CLIENT_FRAME__COMMAND__CASE_IS_INT_SIZE:
        break;
    }
    ASSERT(false && "a decoded frame has a command");
}

/* ------------------------------------------------------------------------------------- the rate */

/* 0; how long the client has to wait; or it is closing. */
static uint64_t
too_fast(struct connection *connection, size_t bytes)
{
    const struct settings *settings = connection->messenger->settings;
    uint64_t now_ns = ln_now_ns();
    uint64_t wait_ms = 0;
    uint64_t bytes_wait_ms = 0;
    enum rate_verdict commands =
        rate_charge(&connection->commands, now_ns, 1, settings->commands_per_s, &wait_ms);
    enum rate_verdict of_bytes = rate_charge(&connection->bytes, now_ns, bytes,
                                             settings->command_bytes_per_s, &bytes_wait_ms);
    if (commands == RATE_ABUSED || of_bytes == RATE_ABUSED) {
        messenger_count(&connection->messenger->counters.rate_closed);
        connection_close(connection, PROTOCOL_CLOSE_RATE_LIMITED, "far too fast for far too long");
    }
    return wait_ms > bytes_wait_ms ? wait_ms : bytes_wait_ms;
}

/* An acknowledgement is never told to wait: it has no answer, and lightens the node. */
static bool
put_off(struct connection *connection, const Linnet__V1__ClientFrame *frame, uint64_t wait_ms)
{
    if (wait_ms == 0 || frame->command_case == LINNET__V1__CLIENT_FRAME__COMMAND_ACK) {
        return false;
    }
    event_error(connection, frame->number, frame->ref, LINNET__V1__ERROR__CODE__RATE_LIMITED,
                "faster than a connection may be", wait_ms);
    return true;
}

void
connection_frame(struct connection *connection, unsigned char *bytes, size_t count,
                 struct websocket_input *left)
{
    const struct protocol_limits *limits = &connection->messenger->limits;
    struct workplace place;
    uint64_t wait_ms = too_fast(connection, count);
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
        if (!put_off(connection, frame, wait_ms)) {
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

static uint64_t
device_number(const struct pending *pending)
{
    return pending->number < STORE_NODE_NUMBER_MIN ? pending->number : 0;
}

static void
sent(struct connection *connection, const struct pending *pending, const struct ln_msg *answer)
{
    const struct store_sent *stored = (const struct store_sent *)(const void *)answer->data;
    Linnet__V1__MessageId id = LINNET__V1__MESSAGE_ID__INIT;
    id.user_id = connection->user;
    id.device = connection->device;
    id.number = pending->number;
    Linnet__V1__Sent event = LINNET__V1__SENT__INIT;
    event.id = &id;
    event.chat_number = stored->chat_number;
    event.server_time_ms = stored->time_ms;
    event.duplicate = stored->duplicate;
    Linnet__V1__Answer result = LINNET__V1__ANSWER__INIT;
    result.number = device_number(pending);
    result.ref = pending->ref;
    result.result_case = LINNET__V1__ANSWER__RESULT_SENT;
    result.sent = &event;
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER;
    frame.answer = &result;
    struct messenger_counters *counters = &connection->messenger->counters;
    messenger_count(stored->duplicate ? &counters->messages_duplicate
                                      : &counters->messages_accepted);
    event_send(connection, &frame);
}

static void
read_done(struct connection *connection, const struct pending *pending)
{
    messenger_count(&connection->messenger->counters.reads);
    event_done(connection, pending->number, pending->ref);
}

/* Credit comes back when the store has it, not before: a number that it refuses acknowledges
 * nothing. */
static void
acked(struct connection *connection, const struct pending *pending)
{
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
    if (pending->tag != STORE_ACK || (error != -EAGAIN && error != -ESRCH)) {
        return false;
    }
    pending_add(connection, pending, 0);
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
refused(struct connection *connection, const struct pending *pending, int error)
{
    uint64_t number = device_number(pending);
    if (error == -ESRCH && pending->tag == STORE_MESSAGE) {
        start_over(connection);
    } else if (error == -ENOENT && pending->tag != STORE_MESSAGE) {
        connection_close(connection, PROTOCOL_CLOSE_REVOKED, "the device or the user was removed");
    } else if (error == -ERANGE && pending->tag == STORE_ACK) {
        event_error(connection, number, pending->ref, LINNET__V1__ERROR__CODE__OUT_OF_RANGE,
                    "ack.inboxNumber: beyond the inbox's last entry", 0);
    } else {
        refuse(connection, number, pending->ref, error);
    }
}

void
connection_answered(struct connection *connection, struct ln_msg *answer)
{
    if (connection_page_arrived(connection, answer)) {
        return;
    }
    struct pending *pending = pending_take(connection, answer->ref);
    if (pending == NULL || ack_later(connection, pending, answer->error)) {
        return;
    }
    if (answer->error != 0) {
        refused(connection, pending, answer->error);
    } else if (pending->tag == STORE_MESSAGE) {
        sent(connection, pending, answer);
    } else if (pending->tag == STORE_ACK) {
        acked(connection, pending);
    } else {
        read_done(connection, pending);
    }
    ln_free(pending);
    connection_flow(connection);
}
