/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection's end leaves behind is the numbering, the outbox and the inbox's cursors; all
 * else is of the connection and begins anew. When something of the node's doesn't make sense, or
 * memory ends in the middle of an event, the connection is given up: everything unacknowledged
 * comes again on the next one, so nothing is lost by it. */
#include "net/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/client_priv.h"
#include "net/seen.h"
#include "net/utf8.h"

enum {
    /* Of a node's message: beyond any sensible setting of its limits. */
    NODE_MESSAGE_BYTES_MAX = 4 << 20,
    /* Of an upgrade request beside its texts. */
    REQUEST_BYTES = 512,
    UNANSWERED_DEFAULT = 64,
};

static const struct websocket_rules rules[] = {
    [PROTOCOL_BINARY] =
        {
            .frame_bytes_max = NODE_MESSAGE_BYTES_MAX,
            .message_bytes_max = NODE_MESSAGE_BYTES_MAX,
            .text_refused = true,
        },
    [PROTOCOL_JSON] =
        {
            .frame_bytes_max = NODE_MESSAGE_BYTES_MAX,
            .message_bytes_max = NODE_MESSAGE_BYTES_MAX,
            .binary_refused = true,
        },
};

void
client_init(struct client *client, const struct client_config *config)
{
    *client = (struct client){
        .config = config,
        .state = CLIENT_OFF,
        .next_number = 1,
        .unanswered_max = UNANSWERED_DEFAULT,
        .message_bytes_max = protocol_limits_default.message_bytes_max,
        .attachments_max = protocol_limits_default.attachments_max,
        .group_members_max = protocol_limits_default.group_members_max,
    };
}

void
client_resume(struct client *client, uint64_t next_number, uint64_t acknowledged)
{
    ASSERT(client->state == CLIENT_OFF && next_number > 0);
    client->next_number = next_number;
    client->numbered = true;
    client->acknowledged = acknowledged;
    client->inbox_given = acknowledged;
}

/* Drops what belongs to the connection alone. */
static void
connection_drop(struct client *client)
{
    websocket_fini(&client->websocket);
    output_clear(&client->output);
    free(client->head);
    client->head = NULL;
    client->head_bytes = 0;
    client->others_unanswered = 0;
    client->inbox_last = 0;
    outbox_requeue(&client->outbox);
    client->state = CLIENT_OFF;
}

void
client_fini(struct client *client)
{
    connection_drop(client);
    outbox_clear(&client->outbox);
    free(client->seen);
    client->seen = NULL;
}

/* ---- Beginning and ending a connection ---- */

static struct upgrade_offer
offer_of(const struct client *client)
{
    struct upgrade_offer offer = {
        .host = client->config->host,
        .path = client->config->path,
        .subprotocol = protocol_form_name(client->config->form),
        .token = client->login->token_in_frame ? NULL : client->login->token,
    };
    memcpy(offer.key, client->key, sizeof(offer.key));
    return offer;
}

int
client_connect(struct client *client, const struct client_login *login)
{
    connection_drop(client);
    websocket_init(&client->websocket, WEBSOCKET_CLIENT, &rules[client->config->form]);
    client->login = login;
    client_random(client, client->key, sizeof(client->key));
    struct upgrade_offer offer = offer_of(client);
    size_t bytes = REQUEST_BYTES + strlen(offer.host) + strlen(offer.path) +
                   (offer.token != NULL ? strlen(offer.token) : 0);
    unsigned char *room = output_reserve(&client->output, bytes);
    if (room == NULL) {
        return -ENOMEM;
    }
    int rc = upgrade_offer_write(&offer, (char *)room, bytes, &bytes);
    if (rc < 0) {
        output_clear(&client->output);
        return rc;
    }
    output_commit(&client->output, bytes);
    client->state = CLIENT_UPGRADING;
    return 0;
}

int
client_close(struct client *client, enum protocol_close code)
{
    if (client->state != CLIENT_LOGGING_IN && client->state != CLIENT_READY) {
        return -ENOTCONN;
    }
    return client_close_write(client, code, NULL);
}

/* ---- The upgrade's response ---- */

/* Appends the input to what came before of the response's head. */
static int
head_append(struct client *client, const struct client_input *input)
{
    unsigned char *head = realloc(client->head, client->head_bytes + input->count);
    if (head == NULL) {
        return -ENOMEM;
    }
    memcpy(head + client->head_bytes, input->bytes, input->count);
    client->head = head;
    client->head_bytes += (uint32_t)input->count;
    return 0;
}

/* The upgrade is done: the WebSocket begins behind the head. */
static int
upgraded(struct client *client, struct client_event *out_event)
{
    free(client->head);
    client->head = NULL;
    client->head_bytes = 0;
    client->state = CLIENT_LOGGING_IN;
    bool in_request = client->login->token != NULL && !client->login->token_in_frame;
    if (!in_request && client_login_write(client) < 0) {
        client_give_up(client, out_event, PROTOCOL_CLOSE_GOING_AWAY, "out of memory");
        return 0;
    }
    return -EAGAIN;
}

/* -EAGAIN: no event; the upgrade is done if the state says so, else the input is used up. */
static int
upgrade_next(struct client *client, struct client_input *input, struct client_event *out_event)
{
    uint32_t held_bytes = client->head_bytes;
    const unsigned char *bytes = input->bytes;
    size_t count = input->count;
    if (count == 0) {
        return -EAGAIN;
    }
    if (held_bytes > 0) {
        int rc = head_append(client, input);
        if (rc < 0) {
            return rc;
        }
        bytes = client->head;
        count = client->head_bytes;
    }
    struct upgrade_offer offer = offer_of(client);
    struct upgrade_response response;
    enum upgrade_fault fault =
        upgrade_response_judge(&offer, (const char *)bytes, count, &response);
    if (fault == UPGRADE_INCOMPLETE) {
        int rc = held_bytes > 0 ? 0 : head_append(client, input);
        if (rc < 0) {
            return rc;
        }
        input->count = 0;
        return -EAGAIN;
    }
    if (fault != UPGRADE_OK) {
        unsigned status = fault == UPGRADE_REFUSED ? response.status : 0;
        client_closed(client, out_event, status, upgrade_fault_text(fault));
        out_event->by_peer = fault == UPGRADE_REFUSED;
        return 0;
    }
    size_t used = response.head_bytes - held_bytes;
    input->bytes += used;
    input->count -= used;
    return upgraded(client, out_event);
}

/* ---- Events ---- */

/* The WebSocket's own conversation, and the messages in it. 0: an event; -EAGAIN: none of it is for
 * the owner. */
static int
websocket_event_read(struct client *client, const struct websocket_event *event,
                     struct client_event *out_event)
{
    unsigned char key[FRAME_KEY_BYTES];
    unsigned char *room;
    int bytes;
    switch (event->kind) {
    case WEBSOCKET_TEXT:
    case WEBSOCKET_BINARY:
        return client_event_read(client, event, out_event);
    case WEBSOCKET_PING:
        room = output_reserve(&client->output, WEBSOCKET_CONTROL_BYTES_MAX);
        if (room == NULL) {
            client_give_up(client, out_event, PROTOCOL_CLOSE_GOING_AWAY, "out of memory");
            return 0;
        }
        client_random(client, key, sizeof(key));
        bytes = websocket_pong_encode(&client->websocket, event, key, room);
        output_commit(&client->output, bytes > 0 ? (size_t)bytes : 0);
        return -EAGAIN;
    case WEBSOCKET_PONG:
        return -EAGAIN;
    case WEBSOCKET_CLOSE:
        client_give_up(client, out_event, event->code, "");
        out_event->by_peer = true;
        (void)snprintf(out_event->text, sizeof(out_event->text), "%.*s", (int)event->count,
                       event->count > 0 ? (const char *)event->bytes : "");
        return 0;
    case WEBSOCKET_ERROR:
        break;
    }
    client_give_up(client, out_event, event->code, websocket_fault_text(event->fault));
    return 0;
}

int
client_next(struct client *client, struct client_input *input, struct client_event *out_event)
{
    arena_reset(client->config->arena);
    if (client->state == CLIENT_UPGRADING) {
        int rc = upgrade_next(client, input, out_event);
        if (rc != -EAGAIN) {
            return rc;
        }
    }
    client_outbox_write(client);
    while (client->state == CLIENT_LOGGING_IN || client->state == CLIENT_READY) {
        struct websocket_input arrived = {.bytes = input->bytes, .count = input->count};
        struct websocket_event event;
        int rc = websocket_next(&client->websocket, &arrived, &event);
        *input = (struct client_input){.bytes = arrived.bytes, .count = arrived.count};
        if (rc < 0) {
            return rc;
        }
        rc = websocket_event_read(client, &event, out_event);
        if (rc != -EAGAIN) {
            return rc;
        }
    }
    input->count = 0;
    return -EAGAIN;
}

/* ---- Commands ---- */

/* Will every JSON and protobuf library of others take these strings? */
static bool
text_valid(const char *text)
{
    return text != NULL && utf8_valid((const unsigned char *)text, strlen(text));
}

static bool
texts_valid(const Linnet__V1__SendMessage *message)
{
    if (message->body_case == LINNET__V1__SEND_MESSAGE__BODY_TEXT && !text_valid(message->text)) {
        return false;
    }
    if (message->chat == NULL || (message->chat->peer_case == LINNET__V1__CHAT__PEER_USER_NAME &&
                                  !text_valid(message->chat->user_name))) {
        return false;
    }
    for (size_t i = 0; i < message->n_attachments; i++) {
        const Linnet__V1__Attachment *attachment = message->attachments[i];
        if (!text_valid(attachment->reference) || !text_valid(attachment->media_type)) {
            return false;
        }
    }
    return true;
}

static struct protocol_limits
limits_of(const struct client *client)
{
    struct protocol_limits limits = protocol_limits_default;
    limits.message_bytes_max = client->message_bytes_max;
    limits.attachments_max = client->attachments_max;
    limits.group_members_max = client->group_members_max;
    return limits;
}

static int
verdict(const struct protocol_error *error)
{
    return error->code == LINNET__V1__ERROR__CODE__MESSAGE_TOO_LARGE ? -EMSGSIZE : -EINVAL;
}

/* Would the node take it? Strings of a message are looked at; other commands are read as the node
 * will read them. */
static int
frame_judge(const struct client *client, const Linnet__V1__ClientFrame *frame)
{
    struct protocol_limits limits = limits_of(client);
    struct protocol_error error;
    if (frame->command_case == LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE &&
        !texts_valid(frame->send_message)) {
        return -EINVAL;
    }
    return protocol_check_client(frame, &limits, &error) < 0 ? verdict(&error) : 0;
}

static int
bytes_judge(const struct client *client, const void *bytes, size_t count)
{
    struct protocol_limits limits = limits_of(client);
    struct protocol_decoder decoder = {
        .form = client->config->form, .limits = &limits, .arena = client->config->arena};
    struct protocol_error error;
    Linnet__V1__ClientFrame *frame;
    int rc = protocol_decode_client(&decoder, bytes, count, &frame, &error);
    return rc == -EPROTO ? verdict(&error) : rc;
}

/* Is there room for a message with this number: in the node's credit, and in its window, which
 * tells retries from new ones? */
static bool
outbox_open(const struct client *client, uint64_t number)
{
    const struct outbox *outbox = &client->outbox;
    if (outbox_count(outbox) >= client->unanswered_max) {
        return false;
    }
    return outbox->first == NULL || number - outbox->first->number < PROTOCOL_COMMAND_WINDOW;
}

/* What is small is written once, and copied; what is not is first measured by that. */
static int
outbox_add(struct client *client, const Linnet__V1__ClientFrame *frame)
{
    enum { SMALL_BYTES = 512 };
    bool message = frame->command_case == LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE;
    if (!outbox_open(client, frame->number)) {
        return -EAGAIN;
    }
    int rc = frame_judge(client, frame);
    if (rc < 0) {
        return rc;
    }
    unsigned char small[SMALL_BYTES];
    size_t bytes = 0;
    bool fits =
        protocol_encode(client->config->form, &frame->base, small, sizeof(small), &bytes) == 0;
    struct outbox_entry *entry = outbox_push(&client->outbox, frame->number, bytes);
    if (entry == NULL) {
        return -ENOMEM;
    }
    if (fits) {
        memcpy(entry->bytes, small, bytes);
    } else {
        rc = protocol_encode(client->config->form, &frame->base, entry->bytes, bytes, &bytes);
    }
    if (rc == 0 && !message) {
        rc = bytes_judge(client, entry->bytes, bytes);
    }
    if (rc < 0) {
        outbox_remove(&client->outbox, entry);
        return rc;
    }
    entry->ref = frame->ref;
    entry->count = (uint32_t)bytes;
    return 0;
}

int
client_command(struct client *client, Linnet__V1__ClientFrame *command, uint64_t ref,
               uint64_t *out_number)
{
    if (!client->numbered) {
        return -ENOTCONN;
    }
    command->number = client->next_number;
    command->ref = ref;
    int rc = outbox_add(client, command);
    if (rc < 0) {
        return rc;
    }
    client->next_number++;
    client_outbox_write(client);
    *out_number = command->number;
    return 0;
}

int
client_send(struct client *client, Linnet__V1__SendMessage *message, uint64_t ref,
            uint64_t *out_number)
{
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE;
    frame.send_message = message;
    return client_command(client, &frame, ref, out_number);
}

int
client_restore(struct client *client, Linnet__V1__SendMessage *message, uint64_t ref,
               uint64_t number)
{
    const struct outbox_entry *last = client->outbox.last;
    if (!client->numbered || client->user_id != 0 || number == 0 || number >= client->next_number ||
        (last != NULL && number <= last->number)) {
        return -EINVAL;
    }
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.number = number;
    frame.ref = ref;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_SEND_MESSAGE;
    frame.send_message = message;
    return outbox_add(client, &frame);
}

int
client_resend(struct client *client, uint64_t number)
{
    struct outbox_entry *entry = outbox_find(&client->outbox, number);
    if (entry == NULL || entry->state != OUTBOX_REFUSED) {
        return -ENOENT;
    }
    outbox_move(&client->outbox, entry, OUTBOX_QUEUED);
    client_outbox_write(client);
    return 0;
}

int
client_discard(struct client *client, uint64_t number)
{
    struct outbox_entry *entry = outbox_find(&client->outbox, number);
    if (entry == NULL) {
        return -ENOENT;
    }
    /* Its answer still counts against the node's credit, as another command's does. */
    client->others_unanswered += entry->state == OUTBOX_ON_WIRE;
    outbox_remove(&client->outbox, entry);
    client_outbox_write(client);
    return 0;
}

int
client_ack(struct client *client, uint64_t inbox_number)
{
    if (inbox_number <= client->acknowledged) {
        return 0;
    }
    if (client->state == CLIENT_READY) {
        int rc = client_ack_write(client, inbox_number);
        if (rc < 0 && rc != -ENOTCONN) {
            return rc;
        }
    }
    client->acknowledged = inbox_number;
    return 0;
}

/* Whether an answer comes also when all is well. */
static bool
is_answered(const Linnet__V1__ClientFrame *frame)
{
    switch ((int)frame->command_case) {
    case LINNET__V1__CLIENT_FRAME__COMMAND_ACK:
    case LINNET__V1__CLIENT_FRAME__COMMAND_MARK_READ:
    case LINNET__V1__CLIENT_FRAME__COMMAND_SET_ACTIVE:
    case LINNET__V1__CLIENT_FRAME__COMMAND_SET_TYPING:
        return frame->ref != 0;
    default:
        return true;
    }
}

int
client_ask(struct client *client, const Linnet__V1__ClientFrame *frame)
{
    if (client->state != CLIENT_READY) {
        return -ENOTCONN;
    }
    if (client->outbox.counts[OUTBOX_ON_WIRE] + client->others_unanswered >=
        client->unanswered_max) {
        return -EAGAIN;
    }
    int rc = frame_judge(client, frame);
    if (rc < 0) {
        return rc;
    }
    rc = client_command_write(client, frame);
    if (rc < 0) {
        return rc;
    }
    client->others_unanswered += is_answered(frame);
    return 0;
}

int
client_mark_read(struct client *client, Linnet__V1__Chat *chat, uint64_t chat_number, uint64_t ref)
{
    Linnet__V1__MarkRead mark = LINNET__V1__MARK_READ__INIT;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.ref = ref;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_MARK_READ;
    frame.mark_read = &mark;
    mark.chat = chat;
    mark.chat_number = chat_number;
    return client_ask(client, &frame);
}

int
client_ping(struct client *client, uint64_t ref)
{
    Linnet__V1__Ping ping = LINNET__V1__PING__INIT;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.ref = ref;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_PING;
    frame.ping = &ping;
    return client_ask(client, &frame);
}

int
client_beat(struct client *client)
{
    unsigned char key[FRAME_KEY_BYTES];
    if (client->state != CLIENT_READY) {
        return -ENOTCONN;
    }
    unsigned char *room = output_reserve(&client->output, FRAME_HEADER_BYTES_MAX);
    if (room == NULL) {
        return -ENOMEM;
    }
    client_random(client, key, sizeof(key));
    int bytes = websocket_header_encode(&client->websocket, FRAME_PONG, 0, key, room);
    output_commit(&client->output, bytes > 0 ? (size_t)bytes : 0);
    return bytes > 0 ? 0 : -ENOTCONN;
}

/* ---- Looking at it ---- */

size_t
client_output(const struct client *client, const unsigned char **out_bytes)
{
    return output_peek(&client->output, out_bytes);
}

void
client_output_sent(struct client *client, size_t bytes)
{
    output_pop(&client->output, bytes);
}

enum client_state
client_state(const struct client *client)
{
    return (enum client_state)client->state;
}

const char *
client_state_name(enum client_state state)
{
    static const char *const names[] = {
        [CLIENT_OFF] = "off",
        [CLIENT_UPGRADING] = "upgrading",
        [CLIENT_LOGGING_IN] = "logging in",
        [CLIENT_READY] = "ready",
    };
    ASSERT(state <= CLIENT_READY);
    return names[state];
}

uint32_t
client_unanswered(const struct client *client)
{
    return outbox_count(&client->outbox);
}

uint64_t
client_next_number(const struct client *client)
{
    return client->numbered ? client->next_number : 0;
}

uint64_t
client_acknowledged(const struct client *client)
{
    return client->acknowledged;
}

size_t
client_held_bytes(const struct client *client)
{
    size_t bytes = websocket_held_bytes(&client->websocket) + client->output.capacity +
                   client->head_bytes + (client->seen != NULL ? sizeof(*client->seen) : 0);
    for (const struct outbox_entry *entry = client->outbox.first; entry != NULL;
         entry = entry->next) {
        bytes += sizeof(*entry) + entry->count;
    }
    return bytes;
}
