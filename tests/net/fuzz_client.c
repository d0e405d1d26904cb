/* SPDX-License-Identifier: Apache-2.0 */
/* A client between an owner and a node that both do what the input says: a byte for what, one for
 * how many, and the bytes to do it with. Whatever the node sends, the client's books stay true. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "net/client.h"

enum step {
    STEP_RAW,     /* the node sends these bytes */
    STEP_FRAME,   /* the node sends a proper frame with this payload */
    STEP_PIECE,   /* the node sends a fragment */
    STEP_WELCOME, /* the node sends a welcome */
    STEP_SENT,    /* the node says that the message with this number is sent */
    STEP_WRITE,   /* the owner writes a message */
    STEP_ACK,
    STEP_OTHERS, /* the owner marks read, pings, resends, discards */
    STEP_CONNECT,
    STEP_CLOSE,
    STEPS,
};

struct stage {
    struct client client;
    struct client_config config;
    struct client_login login;
    struct arena arena;
    struct websocket node;
};

static void
no_chance(void *context, void *out, size_t bytes)
{
    (void)context;
    memset(out, 0x5A, bytes);
}

static void
check_books(const struct client *client)
{
    const struct outbox *outbox = &client->outbox;
    uint32_t counts[OUTBOX_STATES] = {0};
    uint64_t number = 0;
    for (const struct outbox_entry *entry = outbox->first; entry != NULL; entry = entry->next) {
        ASSERT(entry->number > number && entry->number < client->next_number);
        ASSERT(entry->next != NULL || entry == outbox->last);
        number = entry->number;
        counts[entry->state]++;
    }
    ASSERT(memcmp(counts, outbox->counts, sizeof(counts)) == 0);
    ASSERT(outbox_count(outbox) <= PROTOCOL_COMMAND_WINDOW);
    ASSERT(client->acknowledged <= PROTOCOL_NUMBER_MAX);
}

static void
receive(struct stage *stage, const void *bytes, size_t count)
{
    unsigned char *copy = malloc(count + 1);
    ASSERT(copy != NULL);
    memcpy(copy, bytes, count);
    struct client_input input = {.bytes = copy, .count = count};
    struct client_event event;
    int rc;
    while ((rc = client_next(&stage->client, &input, &event)) == 0) {
        ASSERT(event.kind <= CLIENT_CLOSED);
        ASSERT(event.kind != CLIENT_CLOSED || client_state(&stage->client) == CLIENT_OFF);
        check_books(&stage->client);
    }
    ASSERT(rc == -EAGAIN && input.count == 0);
    free(copy);
    check_books(&stage->client);
}

static void
send_frame(struct stage *stage, enum frame_opcode opcode, bool fin, const void *bytes, size_t count)
{
    unsigned char frame[FRAME_HEADER_BYTES_MAX + 256];
    struct frame_header header = {.payload_bytes = count, .opcode = opcode, .fin = fin};
    size_t header_bytes = frame_header_encode(&header, frame);
    memcpy(frame + header_bytes, bytes, count);
    receive(stage, frame, header_bytes + count);
}

static void
send_server_frame(struct stage *stage, const Linnet__V1__ServerFrame *server)
{
    enum protocol_form form = stage->config.form;
    unsigned char bytes[256];
    size_t count;
    ASSERT(protocol_encode(form, &server->base, bytes, sizeof(bytes), &count) == 0);
    send_frame(stage, form == PROTOCOL_JSON ? FRAME_TEXT : FRAME_BINARY, true, bytes, count);
}

static void
connect_again(struct stage *stage, bool proper)
{
    stage->login.token_in_frame = proper;
    ASSERT(client_connect(&stage->client, &stage->login) == 0);
    const unsigned char *request_bytes;
    size_t request_count = client_output(&stage->client, &request_bytes);
    struct http_request request;
    struct upgrade upgrade;
    const char *subprotocol = protocol_form_name(stage->config.form);
    ASSERT(http_request_parse((const char *)request_bytes, request_count, &request) == HTTP_OK);
    ASSERT(upgrade_judge(&request, &subprotocol, 1, &upgrade) == UPGRADE_OK);
    client_output_sent(&stage->client, request_count);
    char answer[1024];
    size_t answer_bytes;
    ASSERT(upgrade_answer_write(&upgrade, answer, sizeof(answer), &answer_bytes) == 0);
    if (proper) {
        receive(stage, answer, answer_bytes);
    }
}

static void
welcome(struct stage *stage, uint8_t number)
{
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    Linnet__V1__Welcome message = LINNET__V1__WELCOME__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_WELCOME;
    frame.welcome = &message;
    message.user_id = 1;
    message.device = 1;
    message.next_command = number;
    message.inbox_acknowledged = number;
    send_server_frame(stage, &frame);
}

static void
sent(struct stage *stage, uint8_t number)
{
    Linnet__V1__ServerFrame frame = LINNET__V1__SERVER_FRAME__INIT;
    Linnet__V1__Answer answer = LINNET__V1__ANSWER__INIT;
    Linnet__V1__Sent result = LINNET__V1__SENT__INIT;
    Linnet__V1__MessageId id = LINNET__V1__MESSAGE_ID__INIT;
    frame.event_case = LINNET__V1__SERVER_FRAME__EVENT_ANSWER;
    frame.answer = &answer;
    answer.number = number;
    answer.result_case = LINNET__V1__ANSWER__RESULT_SENT;
    answer.sent = &result;
    result.id = &id;
    send_server_frame(stage, &frame);
}

static void
write_message(struct stage *stage, const uint8_t *bytes, size_t count)
{
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    Linnet__V1__SendMessage message = LINNET__V1__SEND_MESSAGE__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    chat.user_id = count;
    message.chat = &chat;
    message.body_case = LINNET__V1__SEND_MESSAGE__BODY_CONTENT;
    message.content = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)bytes, .len = count};
    uint64_t before = client_next_number(&stage->client);
    uint64_t number;
    int rc = client_send(&stage->client, &message, 0, &number);
    ASSERT(rc < 0 || number == before);
}

static void
do_others(struct stage *stage, uint8_t what)
{
    struct client *client = &stage->client;
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    chat.user_id = 1;
    uint64_t number = client->outbox.first != NULL ? client->outbox.first->number : what;
    int rc = what % 8 == 1   ? client_beat(client)
             : what % 4 == 0 ? client_mark_read(client, &chat, what, what)
             : what % 4 == 1 ? client_ping(client, what)
             : what % 4 == 2 ? client_resend(client, number)
                             : client_discard(client, number);
    ASSERT(rc == 0 || rc == -ENOTCONN || rc == -EAGAIN || rc == -EINVAL || rc == -ENOENT);
}

static void
take_step(struct stage *stage, enum step step, const uint8_t *bytes, size_t count)
{
    enum frame_opcode opcode = stage->config.form == PROTOCOL_JSON ? FRAME_TEXT : FRAME_BINARY;
    uint8_t first = count > 0 ? bytes[0] : 0;
    int rc = 0;
    switch (step) {
    case STEP_RAW:
        receive(stage, bytes, count);
        break;
    case STEP_FRAME:
        send_frame(stage, opcode, true, bytes, count);
        break;
    case STEP_PIECE:
        send_frame(stage, first % 2 == 0 ? opcode : FRAME_CONTINUATION, first % 3 == 0, bytes,
                   count);
        break;
    case STEP_WELCOME:
        welcome(stage, first);
        break;
    case STEP_SENT:
        sent(stage, first);
        break;
    case STEP_WRITE:
        write_message(stage, bytes, count);
        break;
    case STEP_ACK:
        rc = client_ack(&stage->client, first);
        break;
    case STEP_OTHERS:
        do_others(stage, first);
        break;
    case STEP_CONNECT:
        connect_again(stage, first % 8 != 7);
        break;
    case STEP_CLOSE:
        rc = client_close(&stage->client, PROTOCOL_CLOSE_NORMAL);
        break;
    case STEPS:
        break;
    }
    ASSERT(rc == 0 || rc == -ENOTCONN);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    if (count == 0) {
        return 0;
    }
    struct stage *stage = calloc(1, sizeof(*stage));
    ASSERT(stage != NULL);
    stage->config = (struct client_config){
        .form = bytes[0] % 2 == 0 ? PROTOCOL_JSON : PROTOCOL_BINARY,
        .host = "node",
        .path = "/chat",
        .random = no_chance,
        .arena = &stage->arena,
    };
    stage->login.token = "secret";
    arena_init(&stage->arena, NULL, 0, 1 << 20);
    client_init(&stage->client, &stage->config);
    connect_again(stage, true);
    const uint8_t *next = bytes + 1;
    const uint8_t *end = bytes + count;
    while (end - next >= 2) {
        enum step step = (enum step)(next[0] % STEPS);
        size_t step_bytes = next[1];
        next += 2;
        if (step_bytes > (size_t)(end - next)) {
            step_bytes = (size_t)(end - next);
        }
        take_step(stage, step, next, step_bytes);
        check_books(&stage->client);
        next += step_bytes;
        const unsigned char *output;
        client_output_sent(&stage->client, client_output(&stage->client, &output));
    }
    client_fini(&stage->client);
    arena_fini(&stage->arena);
    free(stage);
    return 0;
}
