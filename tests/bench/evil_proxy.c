/* SPDX-License-Identifier: Apache-2.0 */
/* evil_proxy: stands between clients and a node, and does what an evil node would do.
 *
 *     evil_proxy KIND EVERY NODE-ADDRESS
 *
 * It prints the address it listens on and serves until it is killed. HTTP heads go through as they
 * are; behind them every frame is read, judged by evil.h and written anew. Binary form only. */
#include "net/protocol.h"
#include "net/websocket.h"
#include "runtime/io/uring.h"
#include "runtime/node.h"
#include "runtime/socket.h"
#include "tests/bench/evil.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_MS = 5000,
    FRAME_BYTES_MAX = 1 << 20,
    ARENA_BYTES = 4096,
    ENDS = 2,
    TO_CLIENT = 0,
    TO_NODE = 1,
    CONNECT = 1, /* the message to itself */
};

static const struct websocket_rules rules = {.frame_bytes_max = FRAME_BYTES_MAX,
                                             .message_bytes_max = FRAME_BYTES_MAX};

struct proxy {
    struct io_address node;
    struct evil evil;
};

/* What comes from one end. */
struct side {
    struct ln_socket *socket;
    struct websocket websocket; /* reads; what is written needs no state */
    bool upgraded;
    unsigned matched; /* of the blank line that ends the head */
};

struct relay {
    struct proxy *proxy;
    struct side sides[ENDS]; /* [TO_CLIENT]: the client's socket; [TO_NODE]: the node's */
    struct evil_line line;
    struct arena arena;
    unsigned char arena_room[ARENA_BYTES];
};

struct relay_start {
    struct proxy *proxy;
    io_socket descriptor;
};

/* -------------------------------------------------------------------------------------- writing */

static void
frame_write(struct relay *relay, unsigned to, enum frame_opcode opcode, unsigned char *payload,
            size_t bytes)
{
    unsigned char header[FRAME_HEADER_BYTES_MAX];
    struct frame_header frame = {
        .payload_bytes = bytes, .opcode = opcode, .fin = true, .masked = to == TO_NODE};
    if (frame.masked) {
        ln_random(frame.key, sizeof frame.key);
        frame_mask(payload, payload, bytes, frame.key, 0);
    }
    ln_socket_send(relay->sides[to].socket, header, frame_header_encode(&frame, header));
    ln_socket_send(relay->sides[to].socket, payload, bytes);
}

static void
message_write(struct relay *relay, unsigned to, const ProtobufCMessage *message)
{
    size_t bytes = protocol_encoded_bytes(PROTOCOL_BINARY, message);
    unsigned char *payload = arena_alloc(&relay->arena, bytes);
    ASSERT(payload != NULL);
    int error = protocol_encode(PROTOCOL_BINARY, message, payload, bytes, &bytes);
    ASSERT(error == 0);
    frame_write(relay, to, FRAME_BINARY, payload, bytes);
}

/* -------------------------------------------------------------------------------------- reading */

static void
event_pass(struct relay *relay, const struct websocket_event *event)
{
    struct protocol_decoder decoder = {.form = PROTOCOL_BINARY, .arena = &relay->arena};
    struct protocol_error error;
    Linnet__V1__ServerFrame *frame = NULL;
    Linnet__V1__ServerFrame *out[EVIL_EVENTS_MAX];
    size_t count = 0;
    int rc = protocol_decode_server(&decoder, event->bytes, event->count, &frame, &error);
    ASSERT(rc == 0);
    evil_event(&relay->proxy->evil, &relay->line, frame, &relay->arena, out, &count);
    for (size_t i = 0; i < count; i++) {
        message_write(relay, TO_CLIENT, &out[i]->base);
    }
}

static void
command_pass(struct relay *relay, const struct websocket_event *event)
{
    struct protocol_decoder decoder = {.form = PROTOCOL_BINARY, .arena = &relay->arena};
    struct protocol_error error;
    Linnet__V1__ClientFrame *frame = NULL;
    int rc = protocol_decode_client(&decoder, event->bytes, event->count, &frame, &error);
    ASSERT(rc == 0);
    evil_command(&relay->line, frame);
    message_write(relay, TO_NODE, &frame->base);
}

static void
frame_pass(struct relay *relay, unsigned to, const struct websocket_event *event)
{
    unsigned char close[2] = {(unsigned char)(event->code >> 8), (unsigned char)event->code};
    arena_reset(&relay->arena);
    switch (event->kind) {
    case WEBSOCKET_BINARY:
        if (to == TO_CLIENT) {
            event_pass(relay, event);
        } else {
            command_pass(relay, event);
        }
        break;
    case WEBSOCKET_PING:
        frame_write(relay, to, FRAME_PING, event->bytes, event->count);
        break;
    case WEBSOCKET_PONG:
        frame_write(relay, to, FRAME_PONG, event->bytes, event->count);
        break;
    case WEBSOCKET_CLOSE:
        frame_write(relay, to, FRAME_CLOSE, close, sizeof close);
        break;
    case WEBSOCKET_TEXT:
    case WEBSOCKET_ERROR:
        ln_stop(LN_EXIT_NORMAL, "not the binary form");
    }
}

/* How many of the bytes belong to the head, which goes through as it is. */
static size_t
head_pass(struct relay *relay, unsigned to, struct side *from, const unsigned char *bytes,
          size_t count)
{
    static const char end[] = "\r\n\r\n";
    size_t at = 0;
    while (at < count && !from->upgraded) {
        from->matched =
            bytes[at] == (unsigned char)end[from->matched] ? from->matched + 1 : bytes[at] == '\r';
        at++;
        from->upgraded = from->matched == sizeof end - 1;
    }
    ln_socket_send(relay->sides[to].socket, bytes, at);
    return at;
}

static void
received(struct relay *relay, const struct ln_socket_event *data)
{
    unsigned from = data->socket == relay->sides[TO_CLIENT].socket ? TO_CLIENT : TO_NODE;
    unsigned to = from == TO_CLIENT ? TO_NODE : TO_CLIENT;
    struct side *side = &relay->sides[from];
    size_t head = head_pass(relay, to, side, data->data, data->bytes);
    struct websocket_input input = {data->data + head, data->bytes - head};
    struct websocket_event event;
    while (side->upgraded && websocket_next(&side->websocket, &input, &event) == 0) {
        frame_pass(relay, to, &event);
    }
}

/* ----------------------------------------------------------------------------------- behaviours */

static int
relay_init(void *state, const void *argument)
{
    struct relay *relay = state;
    const struct relay_start *start = argument;
    relay->proxy = start->proxy;
    evil_line_init(&relay->line);
    arena_init(&relay->arena, relay->arena_room, sizeof relay->arena_room, 8 << 20);
    websocket_init(&relay->sides[TO_CLIENT].websocket, WEBSOCKET_SERVER, &rules);
    websocket_init(&relay->sides[TO_NODE].websocket, WEBSOCKET_CLIENT, &rules);
    /* The node first: what the client says meanwhile waits in its socket. */
    int error = ln_socket_connect(&start->proxy->node, CONNECT_MS, &relay->sides[TO_NODE].socket);
    if (error < 0) {
        io_close(ln_io(), start->descriptor, true);
        return error;
    }
    relay->sides[TO_CLIENT].socket = ln_socket_attach(start->descriptor);
    return 0;
}

static void
relay_handle(void *state, struct ln_msg **msg)
{
    if ((*msg)->tag == LN_TAG_DATA) {
        received(state, ln_socket_event(*msg));
    } else if ((*msg)->tag == LN_TAG_CLOSED) {
        ln_stop(LN_EXIT_NORMAL, "one end has left"); /* the other's socket goes with its owner */
    }
}

static void
relay_terminate(void *state, const struct ln_reason *reason)
{
    struct relay *relay = state;
    (void)reason;
    arena_fini(&relay->arena);
    for (unsigned i = 0; i < ENDS; i++) {
        websocket_fini(&relay->sides[i].websocket);
    }
}

static const struct ln_behaviour relay_behaviour = {
    .name = "relay",
    .state_bytes = sizeof(struct relay),
    .init = relay_init,
    .handle = relay_handle,
    .terminate = relay_terminate,
};

/* The listener; also its argument. */
struct door {
    struct proxy *proxy;
};

static int
door_init(void *state, const void *argument)
{
    struct door *door = state;
    struct io_address address;
    struct io_address bound;
    struct ln_socket *listener = NULL;
    char text[IO_ADDRESS_TEXT_MAX];
    *door = *(const struct door *)argument;
    int error = io_address_parse("127.0.0.1:0", &address);
    if (error == 0) {
        error = ln_socket_listen(&address, &listener, &bound);
    }
    if (error == 0) {
        io_address_print(&bound, text);
        printf("listening on %s\n", text);
        (void)fflush(stdout);
    }
    return error;
}

static void
door_handle(void *state, struct ln_msg **msg)
{
    if ((*msg)->tag == LN_TAG_ACCEPT) {
        struct relay_start start = {.proxy = ((const struct door *)state)->proxy,
                                    .descriptor = ln_socket_event(*msg)->descriptor};
        ln_pid relay;
        int error = ln_spawn(&relay_behaviour, &start, sizeof start, NULL, &relay);
        ASSERT(error == 0);
    }
}

static const struct ln_behaviour door_behaviour = {
    .name = "door",
    .state_bytes = sizeof(struct door),
    .init = door_init,
    .handle = door_handle,
};

int
main(int argc, char **argv)
{
    static struct proxy proxy;
    struct door door = {&proxy};
    enum evil_kind kind = EVIL_HONEST;
    if (argc != 4 || !evil_kind_parse(argv[1], &kind) || atoll(argv[2]) <= 0 ||
        io_address_parse(argv[3], &proxy.node) < 0) {
        (void)fputs("usage: evil_proxy KIND EVERY NODE-ADDRESS; kinds:", stderr);
        for (unsigned i = 0; i < EVIL_KINDS; i++) {
            (void)fprintf(stderr, " %s", evil_kind_name((enum evil_kind)i));
        }
        (void)fputs("\n", stderr);
        return 2;
    }
    evil_init(&proxy.evil, kind, (uint64_t)atoll(argv[2]));
    (void)signal(SIGPIPE, SIG_IGN);
    struct io_driver *driver = NULL;
    char why[512] = "";
    if (uring_open(&(struct uring_options){.loops = 1, .workers = 1}, &driver, why, sizeof why) <
        0) {
        (void)fprintf(stderr, "evil_proxy: %s\n", why);
        return 3;
    }
    struct ln_node *node = ln_node_open(driver, &(struct ln_node_options){0});
    ln_node_root(node, &door_behaviour, &door, sizeof door);
    int error = ln_node_start(node);
    if (error == 0) {
        (void)ln_node_join(node);
    }
    ln_node_close(&node);
    io_driver_close(driver);
    return error == 0 ? 0 : 3;
}
