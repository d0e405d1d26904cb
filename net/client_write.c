/* SPDX-License-Identifier: Apache-2.0 */
/* Frames are encoded where they are sent from, and masked in place; only a message has been encoded
 * before, when it came to the outbox. */
#include "net/client_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A frame on its way into the output: its payload's room lies behind the header, and is masked when
 * it is filled. */
struct frame_room {
    unsigned char *payload;
    size_t header_bytes;
    unsigned char key[FRAME_KEY_BYTES];
};

static enum frame_opcode
opcode_of(const struct client *client)
{
    return client->config->form == PROTOCOL_JSON ? FRAME_TEXT : FRAME_BINARY;
}

static int
frame_reserve(struct client *client, size_t payload_bytes, struct frame_room *out_room)
{
    unsigned char *room = output_reserve(&client->output, FRAME_HEADER_BYTES_MAX + payload_bytes);
    if (room == NULL) {
        return -ENOMEM;
    }
    client_random(client, out_room->key, sizeof(out_room->key));
    int header_bytes = websocket_header_encode(&client->websocket, opcode_of(client), payload_bytes,
                                               out_room->key, room);
    if (header_bytes < 0) {
        return -ENOTCONN; /* a close was sent or received */
    }
    out_room->header_bytes = (size_t)header_bytes;
    out_room->payload = room + header_bytes;
    return 0;
}

int
client_command_write(struct client *client, const Linnet__V1__ClientFrame *frame)
{
    size_t bytes = protocol_encoded_bytes(client->config->form, &frame->base);
    struct frame_room room;
    int rc = frame_reserve(client, bytes, &room);
    if (rc < 0) {
        return rc;
    }
    rc = protocol_encode(client->config->form, &frame->base, room.payload, bytes, &bytes);
    if (rc < 0) {
        return rc;
    }
    frame_mask(room.payload, room.payload, bytes, room.key, 0);
    output_commit(&client->output, room.header_bytes + bytes);
    return 0;
}

void
client_outbox_write(struct client *client)
{
    struct outbox *outbox = &client->outbox;
    while (client->state == CLIENT_READY &&
           outbox->counts[OUTBOX_ON_WIRE] + client->others_unanswered < client->unanswered_max) {
        struct outbox_entry *entry = outbox_queued(outbox);
        struct frame_room room;
        if (entry == NULL || frame_reserve(client, entry->count, &room) < 0) {
            return;
        }
        frame_mask(room.payload, entry->bytes, entry->count, room.key, 0);
        output_commit(&client->output, room.header_bytes + entry->count);
        outbox_move(outbox, entry, OUTBOX_ON_WIRE);
    }
}

int
client_login_write(struct client *client)
{
    const struct client_login *login = client->login;
    Linnet__V1__PasswordLogin password = LINNET__V1__PASSWORD_LOGIN__INIT;
    Linnet__V1__Authenticate authenticate = LINNET__V1__AUTHENTICATE__INIT;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_AUTHENTICATE;
    frame.authenticate = &authenticate;
    if (login->token != NULL) {
        authenticate.method_case = LINNET__V1__AUTHENTICATE__METHOD_TOKEN;
        authenticate.token = (char *)(uintptr_t)login->token;
    } else {
        authenticate.method_case = LINNET__V1__AUTHENTICATE__METHOD_PASSWORD_LOGIN;
        authenticate.password_login = &password;
        password.name = (char *)(uintptr_t)login->name;
        password.password = (char *)(uintptr_t)login->password;
        if (login->device_name != NULL) {
            password.device_name = (char *)(uintptr_t)login->device_name;
        }
    }
    return client_command_write(client, &frame);
}

int
client_ack_write(struct client *client, uint64_t inbox_number)
{
    Linnet__V1__Ack ack = LINNET__V1__ACK__INIT;
    Linnet__V1__ClientFrame frame = LINNET__V1__CLIENT_FRAME__INIT;
    frame.command_case = LINNET__V1__CLIENT_FRAME__COMMAND_ACK;
    frame.ack = &ack;
    ack.inbox_number = inbox_number;
    return client_command_write(client, &frame);
}

void
client_closed(struct client *client, struct client_event *out_event, unsigned code,
              const char *text)
{
    out_event->kind = CLIENT_CLOSED;
    out_event->number = 0;
    out_event->ref = 0;
    out_event->code = (uint16_t)code;
    out_event->by_peer = false;
    (void)snprintf(out_event->text, sizeof(out_event->text), "%s", text);
    out_event->text[strcspn(out_event->text, "\n")] = '\0';
    client->state = CLIENT_OFF;
    client->login = NULL;
}

int
client_close_write(struct client *client, unsigned code, const char *reason)
{
    unsigned char *room = output_reserve(&client->output, WEBSOCKET_CONTROL_BYTES_MAX);
    if (room == NULL) {
        return -ENOMEM;
    }
    unsigned char key[FRAME_KEY_BYTES];
    client_random(client, key, sizeof(key));
    int bytes = websocket_close_encode(&client->websocket, (uint16_t)code, reason, key, room);
    if (bytes < 0) {
        return -ENOTCONN;
    }
    output_commit(&client->output, (size_t)bytes);
    return 0;
}

void
client_give_up(struct client *client, struct client_event *out_event, unsigned code,
               const char *text)
{
    /* Without memory for the close frame the stream's end says it. */
    int rc = client_close_write(client, code, text);
    client_closed(client, out_event, code, rc == -ENOMEM ? "out of memory" : text);
}
