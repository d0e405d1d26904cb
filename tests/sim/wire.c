/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/wire.h"

#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 30000, STEP_MS = 5, FRAME_BYTES_MAX = 1 << 20 };

static const unsigned char mask[FRAME_KEY_BYTES] = {0x5a, 0x11, 0xc3, 0x7e};
static const struct websocket_rules rules = {.frame_bytes_max = FRAME_BYTES_MAX,
                                             .message_bytes_max = FRAME_BYTES_MAX};

/* ------------------------------------------------------------------------------------- hearing */

static void
heard(struct wire *wire, const struct websocket_event *event)
{
    struct arena arena;
    arena_init(&arena, NULL, 0, 16 << 20);
    struct protocol_decoder decoder = {.form = wire->form, .arena = &arena};
    struct protocol_error error;
    Linnet__V1__ServerFrame *frame;
    assert_int_equal(protocol_decode_server(&decoder, event->bytes, event->count, &frame, &error),
                     0);
    size_t bytes = protocol_encoded_bytes(PROTOCOL_JSON, &frame->base);
    char *text = malloc(bytes + 1);
    assert_non_null(text);
    assert_int_equal(protocol_encode(PROTOCOL_JSON, &frame->base, text, bytes, &bytes), 0);
    text[bytes] = '\0';
    assert_true(wire->heard_count < WIRE_HEARD_MAX);
    wire->heard[wire->heard_count++] = text;
    arena_fini(&arena);
}

static void
happened(struct wire *wire, const struct websocket_event *event)
{
    unsigned char out[WEBSOCKET_CONTROL_BYTES_MAX];
    int bytes = 0;
    switch (event->kind) {
    case WEBSOCKET_TEXT:
    case WEBSOCKET_BINARY:
        heard(wire, event);
        return;
    case WEBSOCKET_PING:
        bytes = websocket_pong_encode(&wire->websocket, event, mask, out);
        break;
    case WEBSOCKET_CLOSE:
        wire->close_code = event->code;
        bytes = websocket_close_encode(&wire->websocket, event->code, NULL, mask, out);
        break;
    case WEBSOCKET_PONG:
        return;
    case WEBSOCKET_ERROR:
        fail_msg("the node's frames break the rules");
        return;
    }
    if (bytes > 0) {
        sim_peer_send(wire->peer, out, (size_t)bytes);
    }
}

/* What of the bytes is the HTTP answer; the rest is frames. */
static size_t
answer_take(struct wire *wire, const unsigned char *bytes, size_t count)
{
    size_t used = 0;
    while (used < count && !wire->upgraded) {
        assert_true(wire->answer_bytes + 1 < WIRE_ANSWER_BYTES);
        wire->answer[wire->answer_bytes++] = (char)bytes[used++];
        wire->answer[wire->answer_bytes] = '\0';
        wire->upgraded = strncmp(wire->answer, "HTTP/1.1 101", 12) == 0 &&
                         strstr(wire->answer, "\r\n\r\n") != NULL;
    }
    return used;
}

static void
on_received(void *context, struct sim_peer *peer, const unsigned char *bytes, size_t count)
{
    struct wire *wire = context;
    (void)peer;
    unsigned char *copy = malloc(count);
    assert_non_null(copy);
    memcpy(copy, bytes, count);
    size_t used = answer_take(wire, bytes, count);
    struct websocket_input input = {copy + used, count - used};
    struct websocket_event event;
    while (wire->upgraded && websocket_next(&wire->websocket, &input, &event) == 0) {
        happened(wire, &event);
    }
    free(copy);
}

static void
on_connected(void *context, struct sim_peer *peer, int error)
{
    struct wire *wire = context;
    (void)peer;
    wire->connected = error == 0;
    wire->ended = error != 0;
}

static void
on_closed(void *context, struct sim_peer *peer, bool reset)
{
    struct wire *wire = context;
    (void)peer;
    (void)reset;
    wire->ended = true;
}

/* ------------------------------------------------------------------------------------- its life */

void
wire_open(struct wire *wire, struct world *world, enum protocol_form form)
{
    static const struct sim_peer_events events = {on_connected, on_received, on_closed};
    memset(wire, 0, sizeof *wire);
    wire->world = world;
    wire->form = form;
    wire->life = world->lives;
    websocket_init(&wire->websocket, WEBSOCKET_CLIENT, &rules);
    wire->peer = sim_peer_connect(world->driver, &world->messenger.bound, &events, wire);
    for (unsigned ms = 0; !wire->connected && !wire->ended && ms < PATIENCE_MS; ms += STEP_MS) {
        world_run(world, STEP_MS);
    }
}

void
wire_end(struct wire *wire)
{
    if (wire->life == wire->world->lives) {
        sim_peer_free(wire->peer);
    }
    websocket_fini(&wire->websocket);
    for (unsigned i = 0; i < wire->heard_count; i++) {
        free(wire->heard[i]);
    }
}

/* ------------------------------------------------------------------------------------- saying */

void
wire_send(struct wire *wire, const void *bytes, size_t count)
{
    sim_peer_send(wire->peer, bytes, count);
}

const char *
wire_ask(struct wire *wire, const char *request)
{
    wire_send(wire, request, strlen(request));
    (void)wire_closed(wire);
    return wire->answer;
}

static void
upgrade_ask(struct wire *wire, const char *fields)
{
    char request[2048];
    int bytes = snprintf(request, sizeof request,
                         "GET /chat HTTP/1.1\r\nHost: node\r\nConnection: Upgrade\r\n"
                         "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                         "Sec-WebSocket-Protocol: %s\r\n%s\r\n",
                         protocol_form_name(wire->form), fields);
    assert_true(bytes > 0 && (size_t)bytes < sizeof request);
    wire_send(wire, request, (size_t)bytes);
}

void
wire_upgrade(struct wire *wire, const char *fields)
{
    upgrade_ask(wire, fields);
    for (unsigned ms = 0; !wire->upgraded && !wire->ended && ms < PATIENCE_MS; ms += STEP_MS) {
        world_run(wire->world, STEP_MS);
    }
    if (!wire->upgraded) {
        fail_msg("not upgraded: %s", wire->answer);
    }
}

void
wire_frame(struct wire *wire, enum frame_opcode opcode, const void *bytes, size_t count)
{
    unsigned char header[FRAME_HEADER_BYTES_MAX];
    int header_bytes = websocket_header_encode(&wire->websocket, opcode, count, mask, header);
    assert_true(header_bytes > 0);
    unsigned char *masked = malloc(count + 1);
    assert_non_null(masked);
    frame_mask(masked, bytes, count, mask, 0);
    wire_send(wire, header, (size_t)header_bytes);
    wire_send(wire, masked, count);
    free(masked);
}

void
wire_say(struct wire *wire, const char *json)
{
    if (wire->form == PROTOCOL_JSON) {
        wire_frame(wire, FRAME_TEXT, json, strlen(json));
        return;
    }
    struct arena arena;
    arena_init(&arena, NULL, 0, 16 << 20);
    struct protocol_decoder decoder = {.form = PROTOCOL_JSON, .arena = &arena};
    struct protocol_error error;
    Linnet__V1__ClientFrame *frame;
    assert_int_equal(protocol_decode_client(&decoder, json, strlen(json), &frame, &error), 0);
    size_t bytes = protocol_encoded_bytes(PROTOCOL_BINARY, &frame->base);
    unsigned char *out = malloc(bytes + 1);
    assert_non_null(out);
    assert_int_equal(protocol_encode(PROTOCOL_BINARY, &frame->base, out, bytes, &bytes), 0);
    wire_frame(wire, FRAME_BINARY, out, bytes);
    free(out);
    arena_fini(&arena);
}

static void
welcomed(struct wire *wire)
{
    const char *welcome = wire_expect(wire, "\"welcome\"");
    const char *token = strstr(welcome, "\"token\":\"");
    if (token != NULL) {
        token += strlen("\"token\":\"");
        (void)snprintf(wire->token, sizeof wire->token, "%.*s", (int)strcspn(token, "\""), token);
    }
}

void
wire_enrol(struct wire *wire, const char *name)
{
    char command[512];
    wire_upgrade(wire, "");
    (void)snprintf(command, sizeof command,
                   "{\"authenticate\":{\"passwordLogin\":{\"name\":\"%s\",\"password\":"
                   "\"correct horse\",\"deviceName\":\"wire\"}}}",
                   name);
    wire_say(wire, command);
    welcomed(wire);
}

void
wire_login(struct wire *wire, const char *token)
{
    char field[512];
    (void)snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", token);
    wire_upgrade(wire, field);
    welcomed(wire);
}

bool
wire_tries_login(struct wire *wire, const char *token)
{
    char field[512];
    (void)snprintf(field, sizeof field, "Authorization: Bearer %s\r\n", token);
    if (!wire->ended) {
        upgrade_ask(wire, field);
    }
    for (unsigned ms = 0; wire->heard_count == 0 && !wire->ended && ms < PATIENCE_MS;
         ms += STEP_MS) {
        world_run(wire->world, STEP_MS);
    }
    if (wire->heard_count == 0 && !wire->ended) {
        fail_msg("neither welcomed nor sent away: %s", wire->answer);
    }
    if (wire->heard_count > 0 && !wire->ended) {
        welcomed(wire);
    }
    return !wire->ended;
}

uint64_t
wire_join(struct wire *wire, struct world *world, enum protocol_form form, const char *name)
{
    wire_open(wire, world, form);
    wire_enrol(wire, name);
    return wire_number(wire->heard[0], "userId");
}

void
wire_return(struct wire *wire)
{
    char token[sizeof wire->token];
    memcpy(token, wire->token, sizeof token);
    wire_open(wire, wire->world, wire->form);
    wire_login(wire, token);
    memcpy(wire->token, token, sizeof token);
}

/* ------------------------------------------------------------------------------------- waiting */

const char *
wire_hear(struct wire *wire)
{
    for (unsigned ms = 0; ms < PATIENCE_MS; ms += STEP_MS) {
        if (wire->heard_at < wire->heard_count) {
            return wire->heard[wire->heard_at++];
        }
        if (wire->ended) {
            break;
        }
        world_run(wire->world, STEP_MS);
    }
    return NULL;
}

const char *
wire_expect(struct wire *wire, const char *part)
{
    const char *frame = wire_hear(wire);
    if (frame == NULL || strstr(frame, part) == NULL) {
        fail_msg("expected %s, heard %s (closed with %u)", part, frame != NULL ? frame : "nothing",
                 wire->close_code);
    }
    return frame;
}

unsigned
wire_waiting(struct wire *wire, uint64_t ms)
{
    world_run(wire->world, ms);
    return wire->heard_count - wire->heard_at;
}

unsigned
wire_closed(struct wire *wire)
{
    for (unsigned ms = 0; !wire->ended && ms < PATIENCE_MS; ms += STEP_MS) {
        world_run(wire->world, STEP_MS);
    }
    assert_true(wire->ended);
    return wire->close_code;
}

const char *
wire_heard(const struct wire *wire, unsigned from, const char *part)
{
    for (unsigned i = from; i < wire->heard_count; i++) {
        if (strstr(wire->heard[i], part) != NULL) {
            return wire->heard[i];
        }
    }
    return NULL;
}

unsigned
wire_heard_times(const struct wire *wire, unsigned from, const char *part)
{
    unsigned times = 0;
    for (unsigned i = from; i < wire->heard_count; i++) {
        times += strstr(wire->heard[i], part) != NULL;
    }
    return times;
}

const char *
wire_heard_soon(struct wire *wire, const char *part)
{
    (void)wire_waiting(wire, 1000);
    return wire_heard(wire, 0, part);
}

void
wire_acknowledge(struct wire *wire)
{
    char command[128];
    uint64_t last = 0;
    for (unsigned i = 0; i < wire->heard_count; i++) {
        uint64_t number = wire_number_in(wire->heard[i], "inboxNumber");
        last = number != 0 ? number : last;
    }
    if (last != 0) {
        (void)snprintf(command, sizeof command, "{\"ack\":{\"inboxNumber\":\"%llu\"}}",
                       (unsigned long long)last);
        wire_say(wire, command);
    }
}

void
wire_forget(struct wire *wire)
{
    for (unsigned i = 0; i < wire->heard_at; i++) {
        free(wire->heard[i]);
    }
    memmove(wire->heard, wire->heard + wire->heard_at,
            (wire->heard_count - wire->heard_at) * sizeof wire->heard[0]);
    wire->heard_count -= wire->heard_at;
    wire->heard_at = 0;
}

uint64_t
wire_number_in(const char *frame, const char *name)
{
    char key[64];
    (void)snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = strstr(frame, key);
    return at != NULL ? strtoull(at + strlen(key), NULL, 10) : 0;
}

uint64_t
wire_number(const char *frame, const char *name)
{
    char key[64];
    (void)snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *at = strstr(frame, key);
    if (at == NULL) {
        fail_msg("no %s in %s", name, frame);
        return 0;
    }
    return strtoull(at + strlen(key), NULL, 10);
}
