/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/net/fake_node.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/json.h"
#include "tests/spec.h"

bool talk_in_client;

static const struct websocket_rules node_rules = {
    .frame_bytes_max = 1 << 20,
    .message_bytes_max = 1 << 20,
};

/* Chance that a test can repeat: the numbers of splitmix64. */
static void
chance_fill(void *context, void *out, size_t bytes)
{
    struct talk *talk = context;
    for (size_t i = 0; i < bytes; i++) {
        uint64_t mixed = talk->chance += UINT64_C(0x9E3779B97F4A7C15);
        mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        ((unsigned char *)out)[i] = (unsigned char)(mixed >> 40);
    }
}

void
talk_init(struct talk *talk, enum protocol_form form)
{
    memset(talk, 0, sizeof(*talk));
    talk->config = (struct client_config){
        .form = form,
        .host = "node.example:4222",
        .path = "/chat",
        .random = chance_fill,
        .random_context = talk,
        .arena = &talk->client_arena,
    };
    talk->login = (struct client_login){.token = "secret"};
    arena_init(&talk->client_arena, NULL, 0, 1 << 20);
    arena_init(&talk->node_arena, NULL, 0, 1 << 20);
    client_init(&talk->client, &talk->config);
}

void
talk_fini(struct talk *talk)
{
    client_fini(&talk->client);
    websocket_fini(&talk->node);
    arena_fini(&talk->client_arena);
    arena_fini(&talk->node_arena);
}

/* ---- What the client tells ---- */

static void
tell_message(char *line, size_t bytes, const char *kind, const Linnet__V1__NewMessage *message)
{
    snprintf(line, bytes, "%s %" PRIu64 " %" PRIu64 "/%u/%" PRIu64 " \"%s\"", kind,
             message->inbox_number, message->id->user_id, message->id->device, message->id->number,
             message->body_case == LINNET__V1__NEW_MESSAGE__BODY_TEXT ? message->text : "");
}

static void
tell(struct talk *talk, const struct client_event *event)
{
    assert_true(talk->told_end < 64);
    char *line = talk->told[talk->told_end++];
    size_t bytes = sizeof(talk->told[0]);
    switch (event->kind) {
    case CLIENT_WELCOME:
        snprintf(line, bytes, "welcome %" PRIu64 "/%u", event->welcome->user_id,
                 event->welcome->device);
        break;
    case CLIENT_MESSAGE:
        tell_message(line, bytes, "message", event->message);
        break;
    case CLIENT_DUPLICATE:
        tell_message(line, bytes, "duplicate", event->message);
        break;
    case CLIENT_CHANGED:
        snprintf(line, bytes, "changed %" PRIu64 " of %" PRIu64 "%s", event->changed->chat_number,
                 event->changed->author_user_id, event->again ? " again" : "");
        break;
    case CLIENT_RECEIPTS:
        snprintf(line, bytes, "receipts %" PRIu64 " delivered %" PRIu64 " read %" PRIu64,
                 event->receipts->reader_user_id, event->receipts->delivered,
                 event->receipts->read);
        break;
    case CLIENT_UPDATE:
        snprintf(line, bytes, "update %" PRIu64 " %" PRIu64 "/%" PRIu64 "%s",
                 event->update->inbox_number, event->update->chat->group_id, event->update->update,
                 event->again ? " again" : "");
        break;
    case CLIENT_GROUP_RECEIPTS:
        snprintf(line, bytes, "group receipts of %" PRIu64 ", %zu counts",
                 event->group_receipts->chat->group_id, event->group_receipts->n_counts);
        break;
    case CLIENT_GAP:
        snprintf(line, bytes, "gap %" PRIu64 " to %" PRIu64, event->gap->from_chat_number,
                 event->gap->to_chat_number);
        break;
    case CLIENT_ANSWERED:
        snprintf(line, bytes, "answered %" PRIu64 " ref %" PRIu64 " with %d", event->number,
                 event->ref, (int)event->answer->result_case);
        break;
    case CLIENT_SENT:
        snprintf(line, bytes, "sent %" PRIu64 " ref %" PRIu64, event->number, event->ref);
        break;
    case CLIENT_DONE:
        snprintf(line, bytes, "done ref %" PRIu64, event->ref);
        break;
    case CLIENT_REFUSED:
        snprintf(line, bytes, "refused %" PRIu64 " ref %" PRIu64 " %s%s", event->number, event->ref,
                 protocol_error_name(event->error->code), event->final ? " for good" : "");
        break;
    case CLIENT_RESYNC:
        snprintf(line, bytes, "resync %" PRIu64, event->resync->inbox_number);
        break;
    case CLIENT_PONG:
        snprintf(line, bytes, "pong ref %" PRIu64, event->ref);
        break;
    case CLIENT_CLOSED:
        snprintf(line, bytes, "closed %u %s: %s", event->code, event->by_peer ? "by node" : "by us",
                 event->text);
        break;
    }
}

void
alice_receives(struct talk *talk, const void *bytes, size_t count)
{
    size_t piece = talk->piece_bytes > 0 ? talk->piece_bytes : count;
    for (size_t at = 0; at < count; at += piece) {
        size_t left = count - at < piece ? count - at : piece;
        /* Of just this size, so that a sanitizer sees every step beyond it. */
        unsigned char *copy = malloc(left);
        assert_non_null(copy);
        memcpy(copy, (const unsigned char *)bytes + at, left);
        struct client_input input = {.bytes = copy, .count = left};
        struct client_event event;
        int rc;
        do {
            talk_in_client = true;
            rc = client_next(&talk->client, &input, &event);
            talk_in_client = false;
            if (rc == 0) {
                tell(talk, &event);
            }
        } while (rc == 0 || rc == -ENOMEM);
        assert_int_equal(rc, -EAGAIN);
        assert_int_equal(input.count, 0);
        free(copy);
    }
}

void
alice_hears(struct talk *talk, const char *text)
{
    bool any = talk->told_first < talk->told_end;
    assert_string_equal(any ? talk->told[talk->told_first] : "", text);
    talk->told_first += any;
    if (talk->told_first == talk->told_end) {
        talk->told_first = talk->told_end = 0;
    }
}

void
bob_writes(struct talk *talk, unsigned inbox_number, unsigned number)
{
    char json[512];
    snprintf(json, sizeof(json),
             "{\"newMessage\":{\"inboxNumber\":%u,\"id\":{\"userId\":2,\"device\":1,\"number\":%u},"
             "\"chat\":{\"userId\":2},\"sender\":{\"userId\":2},\"text\":\"hey\"}}",
             inbox_number, number);
    node_says(talk, json);
}

int
alice_writes(struct talk *talk, uint64_t user_id, const char *text)
{
    Linnet__V1__Chat chat = LINNET__V1__CHAT__INIT;
    chat.peer_case = LINNET__V1__CHAT__PEER_USER_ID;
    chat.user_id = user_id;
    Linnet__V1__SendMessage message = LINNET__V1__SEND_MESSAGE__INIT;
    message.chat = &chat;
    message.body_case = LINNET__V1__SEND_MESSAGE__BODY_TEXT;
    message.text = (char *)(uintptr_t)text;
    uint64_t number;
    int rc;
    do {
        talk_in_client = true;
        rc = client_send(&talk->client, &message, 1000 + user_id, &number);
        talk_in_client = false;
    } while (rc == -ENOMEM);
    node_reads(talk);
    return rc < 0 ? rc : (int)number;
}

/* ---- What the node does ---- */

static char *
hear(struct talk *talk)
{
    assert_true(talk->heard_end < 64);
    return talk->heard[talk->heard_end++];
}

static void
node_hears_message(struct talk *talk, const struct websocket_event *event)
{
    enum protocol_form form = talk->config.form;
    assert_int_equal(event->kind, form == PROTOCOL_JSON ? WEBSOCKET_TEXT : WEBSOCKET_BINARY);
    arena_reset(&talk->node_arena);
    struct protocol_decoder decoder = {.form = form, .arena = &talk->node_arena};
    Linnet__V1__ClientFrame *frame;
    struct protocol_error error;
    if (protocol_decode_client(&decoder, event->bytes, event->count, &frame, &error) < 0) {
        fail_msg("the client wrote a frame that no node takes: %s", error.text);
    }
    char *line = hear(talk);
    size_t bytes = json_encode(&frame->base, line, sizeof(talk->heard[0]) - 1);
    assert_true(bytes < sizeof(talk->heard[0]));
    line[bytes] = '\0';
}

static size_t
node_upgrades(struct talk *talk, const unsigned char *bytes, size_t count)
{
    struct http_request request;
    assert_int_equal(http_request_parse((const char *)bytes, count, &request), HTTP_OK);
    if (talk->node_refuses) {
        static const char refusal[] = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
        alice_receives(talk, refusal, sizeof(refusal) - 1);
        return count;
    }
    const char *subprotocol = protocol_form_name(talk->config.form);
    struct upgrade upgrade;
    assert_int_equal(upgrade_judge(&request, &subprotocol, 1, &upgrade), UPGRADE_OK);
    snprintf(talk->token, sizeof(talk->token), "%.*s", (int)upgrade.token.count,
             upgrade.token.count > 0 ? upgrade.token.bytes : "");
    char answer[1024];
    size_t answer_bytes;
    assert_int_equal(upgrade_answer_write(&upgrade, answer, sizeof(answer), &answer_bytes), 0);
    websocket_fini(&talk->node);
    websocket_init(&talk->node, WEBSOCKET_SERVER, &node_rules);
    talk->node_open = true;
    size_t head_bytes = request.head.count;
    alice_receives(talk, answer, answer_bytes);
    return head_bytes;
}

static void
node_reads_frames(struct talk *talk, unsigned char *bytes, size_t count)
{
    struct websocket_input input = {.bytes = bytes, .count = count};
    struct websocket_event event;
    while (websocket_next(&talk->node, &input, &event) == 0) {
        assert_int_not_equal(event.kind, WEBSOCKET_ERROR);
        if (event.kind == WEBSOCKET_CLOSE) {
            snprintf(hear(talk), sizeof(talk->heard[0]), "close %u %.*s", event.code,
                     (int)event.count, (const char *)event.bytes);
        } else if (event.kind == WEBSOCKET_PONG) {
            snprintf(hear(talk), sizeof(talk->heard[0]), "pong");
        } else {
            node_hears_message(talk, &event);
        }
    }
}

void
node_reads(struct talk *talk)
{
    const unsigned char *bytes;
    size_t count;
    while ((count = client_output(&talk->client, &bytes)) > 0) {
        unsigned char *copy = malloc(count);
        assert_non_null(copy);
        memcpy(copy, bytes, count);
        client_output_sent(&talk->client, count);
        size_t used = talk->node_open ? 0 : node_upgrades(talk, copy, count);
        if (talk->node_open) {
            node_reads_frames(talk, copy + used, count - used);
        }
        free(copy);
    }
}

void
alice_connects(struct talk *talk)
{
    talk->node_open = false;
    int rc;
    do {
        talk_in_client = true;
        rc = client_connect(&talk->client, &talk->login);
        talk_in_client = false;
    } while (rc == -ENOMEM);
    assert_int_equal(rc, 0);
    node_reads(talk);
}

void
node_hears(struct talk *talk, const char *json)
{
    bool any = talk->heard_first < talk->heard_end;
    assert_string_equal(any ? talk->heard[talk->heard_first] : "", json);
    talk->heard_first += any;
    if (talk->heard_first == talk->heard_end) {
        talk->heard_first = talk->heard_end = 0;
    }
}

void
node_sends(struct talk *talk, enum frame_opcode opcode, const void *bytes, size_t count)
{
    unsigned char frame[FRAME_HEADER_BYTES_MAX + 4096];
    assert_true(count <= 4096);
    int header = websocket_header_encode(&talk->node, opcode, count, NULL, frame);
    assert_true(header > 0);
    memcpy(frame + header, bytes, count);
    alice_receives(talk, frame, (size_t)header + count);
    node_reads(talk);
}

void
node_says(struct talk *talk, const char *json)
{
    arena_reset(&talk->node_arena);
    struct protocol_decoder decoder = {.form = PROTOCOL_JSON, .arena = &talk->node_arena};
    Linnet__V1__ServerFrame *frame;
    struct protocol_error error;
    if (protocol_decode_server(&decoder, json, strlen(json), &frame, &error) < 0) {
        fail_msg("%s: %s", json, error.text);
    }
    enum protocol_form form = talk->config.form;
    unsigned char bytes[4096];
    size_t count;
    assert_int_equal(protocol_encode(form, &frame->base, bytes, sizeof(bytes), &count), 0);
    node_sends(talk, form == PROTOCOL_JSON ? FRAME_TEXT : FRAME_BINARY, bytes, count);
}

void
node_closes(struct talk *talk, unsigned code, const char *reason)
{
    unsigned char frame[WEBSOCKET_CONTROL_BYTES_MAX];
    int bytes = websocket_close_encode(&talk->node, (uint16_t)code, reason, NULL, frame);
    assert_true(bytes > 0);
    alice_receives(talk, frame, (size_t)bytes);
    node_reads(talk);
}
