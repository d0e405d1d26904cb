/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/harbour.h"

#include <stdio.h>

enum { CONNECT_MS = 10000 };

unsigned char harbour_sent[HARBOUR_BYTES], harbour_got[HARBOUR_BYTES];
struct witness harbour_witness;

/* ---------------------------------------------------------------------------------- the server */

struct echo {
    struct ln_socket *socket;
};

static int
echo_init(void *state, const void *argument)
{
    struct echo *echo = state;
    io_socket descriptor;
    memcpy(&descriptor, argument, sizeof descriptor);
    echo->socket = ln_socket_attach(descriptor);
    return 0;
}

static void
echo_handle(void *state, struct ln_msg **msg)
{
    struct echo *echo = state;
    const struct ln_socket_event *event = ln_socket_event(*msg);
    if ((*msg)->tag == LN_TAG_DATA) {
        ln_socket_send(echo->socket, event->data, event->bytes);
    } else if ((*msg)->tag == LN_TAG_CLOSED) {
        ln_socket_close(&echo->socket, false);
        ln_stop(LN_EXIT_NORMAL, "peer left");
    }
}

const struct ln_behaviour harbour_echo = {
    .name = "echo", .state_bytes = sizeof(struct echo), .init = echo_init, .handle = echo_handle};

static void
server_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    ln_actor_check((*msg)->tag != HARBOUR_CRASH);
    if ((*msg)->tag == LN_TAG_ACCEPT) {
        ln_pid pid;
        io_socket descriptor = ln_socket_event(*msg)->descriptor;
        struct ln_spawn_options anywhere = {.elsewhere = true, .scheduler = LN_ANYWHERE};
        EXPECT(ln_spawn(&harbour_echo, &descriptor, sizeof descriptor, &anywhere, &pid) == 0);
    }
}

static int
server_init(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    struct io_address address = harbour_address();
    struct ln_socket *listener;
    return ln_socket_listen(&address, &listener, NULL);
}

const struct ln_behaviour harbour_server = {
    .name = "server", .init = server_init, .handle = server_handle};

/* ------------------------------------------------------------------------------------ a client */

struct io_address
harbour_address(void)
{
    struct io_address address;
    EXPECT(io_address_parse("127.0.0.1:7000", &address) == 0);
    return address;
}

struct ln_socket *
harbour_connect(void)
{
    struct io_address address = harbour_address();
    struct ln_socket *socket = NULL;
    EXPECT(ln_socket_connect(&address, CONNECT_MS, &socket) == 0);
    return socket;
}

void
harbour_receive(struct ln_socket *socket, unsigned char *out, size_t count)
{
    size_t got = 0;
    while (got < count) {
        struct ln_msg *msg = stage_next();
        EXPECT(msg->tag == LN_TAG_DATA);
        const struct ln_socket_event *event = ln_socket_event(msg);
        EXPECT(event->socket == socket && event->bytes > 0 && event->bytes <= count - got);
        memcpy(out + got, event->data, event->bytes);
        got += event->bytes;
        ln_msg_free(&msg);
    }
}

void
harbour_expect_closed(int error)
{
    struct ln_socket_event event;
    stage_expect(LN_TAG_CLOSED, &event, sizeof event);
    if (event.error != error) {
        (void)fprintf(stderr, "closed with %d, not %d\n", event.error, error);
    }
    EXPECT(event.error == error);
}

void
harbour_fill(size_t count, unsigned salt)
{
    for (size_t i = 0; i < count; i++) {
        harbour_sent[i] = (unsigned char)(i * 31 + salt + (i >> 8));
    }
}

/* ------------------------------------------------------------------ a peer that is not an actor */

static void
saw_connected(void *context, struct sim_peer *peer, int error)
{
    (void)peer;
    ((struct witness *)context)->connected = error == 0 ? 1 : error;
}

static void
saw_bytes(void *context, struct sim_peer *peer, const unsigned char *bytes, size_t count)
{
    struct witness *seen = context;
    (void)peer;
    for (size_t i = 0; i < count; i++) {
        EXPECT(bytes[i] == harbour_sent[seen->received + i]);
    }
    seen->received += count;
}

static void
saw_close(void *context, struct sim_peer *peer, bool reset)
{
    struct witness *seen = context;
    (void)peer;
    EXPECT(!seen->closed);
    seen->closed = true;
    seen->reset = reset;
}

void
harbour_call(struct witness *witness)
{
    static const struct sim_peer_events events = {saw_connected, saw_bytes, saw_close};
    struct io_address address = harbour_address();
    memset(witness, 0, sizeof *witness);
    witness->peer = sim_peer_connect(stage_driver(), &address, &events, witness);
}

struct ln_socket *
harbour_meet(struct ln_socket **out_listener)
{
    struct io_address address = harbour_address();
    EXPECT(ln_socket_listen(&address, out_listener, NULL) == 0);
    harbour_call(&harbour_witness);
    struct ln_socket_event event;
    stage_expect(LN_TAG_ACCEPT, &event, sizeof event);
    EXPECT(event.socket == *out_listener && event.descriptor >= 0);
    return ln_socket_attach(event.descriptor);
}
