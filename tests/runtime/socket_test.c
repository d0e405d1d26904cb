/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim.h"
#include "runtime/socket.h"
#include "tests/runtime/stage.h"
#include "tests/spec.h"

#include <stdio.h>

/* ------------------------------------------------------------------------------- an echo server */

enum { TAG_DESCRIPTOR = 1, TAG_CRASH, TAG_CLOSE, TAG_ABORT };

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
    switch ((*msg)->tag) {
    case LN_TAG_DATA:
        ln_socket_send(echo->socket, event->data, event->bytes);
        break;
    case LN_TAG_CLOSED:
        ln_socket_close(&echo->socket, false);
        ln_stop(LN_EXIT_NORMAL, "peer left");
        break;
    default:
        break;
    }
}
static const struct ln_behaviour echo = {
    .name = "echo", .state_bytes = sizeof(struct echo), .init = echo_init, .handle = echo_handle};

struct server {
    struct ln_socket *listener;
};

static void
server_handle(void *state, struct ln_msg **msg)
{
    (void)state;
    ln_actor_check((*msg)->tag != TAG_CRASH);
    if ((*msg)->tag == LN_TAG_ACCEPT) {
        ln_pid pid;
        io_socket descriptor = ln_socket_event(*msg)->descriptor;
        struct ln_spawn_options anywhere = {.elsewhere = true, .scheduler = LN_ANYWHERE};
        EXPECT(ln_spawn(&echo, &descriptor, sizeof descriptor, &anywhere, &pid) == 0);
    }
}

static int
server_init(void *state, const void *argument)
{
    struct server *server = state;
    (void)argument;
    struct io_address address;
    EXPECT(io_address_parse("127.0.0.1:7000", &address) == 0);
    return ln_socket_listen(&address, &server->listener, NULL);
}
static const struct ln_behaviour server = {.name = "server",
                                           .state_bytes = sizeof(struct server),
                                           .init = server_init,
                                           .handle = server_handle};

static struct io_address
address_7000(void)
{
    struct io_address address;
    EXPECT(io_address_parse("127.0.0.1:7000", &address) == 0);
    return address;
}

static struct ln_socket *
connect_to_7000(void)
{
    struct io_address address = address_7000();
    struct ln_socket *socket = NULL;
    EXPECT(ln_socket_connect(&address, 10000, &socket) == 0);
    return socket;
}

/* Receives until `count` bytes have come; they go to `out`. */
static void
receive_bytes(struct ln_socket *socket, unsigned char *out, size_t count)
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

static void
expect_closed(int error)
{
    struct ln_socket_event event;
    stage_expect(LN_TAG_CLOSED, &event, sizeof event);
    if (event.error != error) {
        (void)fprintf(stderr, "closed with %d, not %d\n", event.error, error);
    }
    EXPECT(event.error == error);
}

static void
fill(unsigned char *bytes, size_t count, unsigned salt)
{
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (unsigned char)(i * 31 + salt + (i >> 8));
    }
}

/* ---------------------------------------------------------------------------------- the stories */

enum { LONG_BYTES = 300000 };
static unsigned char sent[LONG_BYTES], got[LONG_BYTES];

static void
echo_story(void)
{
    ln_pid pid;
    EXPECT(ln_start(&server, NULL, 0, NULL, &pid) == 0);
    struct ln_socket *socket = connect_to_7000();
    for (size_t bytes = 1; bytes <= LONG_BYTES; bytes = bytes * 4 + 3) {
        fill(sent, bytes, (unsigned)bytes);
        ln_socket_send(socket, sent, bytes);
        receive_bytes(socket, got, bytes);
        EXPECT(memcmp(sent, got, bytes) == 0);
    }
    EXPECT(ln_socket_unsent(socket) == 0);
    struct io_address peer;
    char text[IO_ADDRESS_TEXT_MAX];
    EXPECT(ln_socket_peer(socket, &peer) == 0);
    io_address_print(&peer, text);
    EXPECT(strcmp(text, "127.0.0.1:7000") == 0);
    ln_socket_shutdown(socket);
    expect_closed(0); /* the echo saw our end, and ended too */
    ln_socket_close(&socket, false);
    EXPECT(socket == NULL);
    ln_socket_close(&socket, false);
    stage_expect_silence(10);
}

static void
bytes_come_back(void **state)
{
    (void)state;
    stage_play(echo_story);
    stage_play_threads(echo_story, 2);
}

static void
shared_story(void)
{
    ln_pid pid;
    EXPECT(ln_start(&server, NULL, 0, NULL, &pid) == 0);
    struct ln_socket *sockets[5];
    struct ln_buffer *shared = ln_buffer_new(1000);
    fill(ln_buffer_data(shared), 1000, 7);
    for (unsigned i = 0; i < 5; i++) {
        sockets[i] = connect_to_7000();
        ln_socket_send(sockets[i], "<", 1);
        struct ln_buffer *reference = ln_buffer_get(shared);
        ln_socket_send_buffer(sockets[i], &reference, i, 900);
        ln_socket_send(sockets[i], ">", 1);
        receive_bytes(sockets[i], got, 902);
        EXPECT(got[0] == '<' && got[901] == '>');
        EXPECT(memcmp(got + 1, (unsigned char *)ln_buffer_data(shared) + i, 900) == 0);
    }
    ln_buffer_put(&shared);
}

static void
shared_bytes_leave_too(void **state)
{
    (void)state;
    stage_play(shared_story);
}

static void
refused_story(void)
{
    struct io_address address = address_7000();
    struct ln_socket *socket = NULL;
    EXPECT(ln_socket_connect(&address, 1000, &socket) == -ECONNREFUSED);
    EXPECT(socket == NULL);
    ln_pid pid;
    EXPECT(ln_start(&server, NULL, 0, NULL, &pid) == 0);
    EXPECT(ln_start(&server, NULL, 0, NULL, &pid) == -EADDRINUSE);
}

static void
no_listener_no_connection(void **state)
{
    (void)state;
    stage_play(refused_story);
}

/* ------------------------------------------------------------------ a peer that is not an actor */

/* The simulated peer writes down what it sees. */
static struct witness {
    struct sim_peer *peer;
    size_t received;
    int connected; /* 1, or a negative errno */
    bool closed, reset;
} witness;

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
        EXPECT(bytes[i] == sent[seen->received + i]);
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

static const struct sim_peer_events events = {saw_connected, saw_bytes, saw_close};

/* Listens, lets the witness connect, and returns the accepted connection, attached. */
static struct ln_socket *
meet_witness(struct ln_socket **out_listener)
{
    struct io_address address = address_7000();
    EXPECT(ln_socket_listen(&address, out_listener, NULL) == 0);
    memset(&witness, 0, sizeof witness);
    witness.peer = sim_peer_connect(stage_driver(), &address, &events, &witness);
    struct ln_socket_event event;
    stage_expect(LN_TAG_ACCEPT, &event, sizeof event);
    EXPECT(event.socket == *out_listener && event.descriptor >= 0);
    return ln_socket_attach(event.descriptor);
}

static void
last_words_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = meet_witness(&listener);
    fill(sent, LONG_BYTES, 1);
    ln_socket_send(socket, sent, LONG_BYTES);
    ln_socket_close(&socket, false);
    stage_expect_silence(3000);
    EXPECT(witness.received == LONG_BYTES && witness.closed && !witness.reset);
    ln_socket_close(&listener, false);
}

static void
last_words_arrive(void **state)
{
    (void)state;
    stage_play(last_words_story);
}

static void
unread_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = meet_witness(&listener);
    ln_socket_pause(socket, true);
    fill(sent, 100, 1);
    sim_peer_send(witness.peer, sent, 50000); /* will never be read by the owner */
    stage_settle();
    ln_socket_send(socket, sent, 100);
    ln_socket_close(&socket, false);
    stage_settle();
    EXPECT(witness.received == 100 && witness.closed && !witness.reset);
    sim_peer_send(witness.peer, sent, 50000);
    sim_peer_shutdown(witness.peer);
    stage_expect_silence(100);
    EXPECT(!witness.reset);
    ln_socket_close(&listener, false);
}

static void
unread_bytes_cost_no_last_words(void **state)
{
    (void)state;
    stage_play(unread_story);
}

static void
twice_ended_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = meet_witness(&listener);
    fill(sent, 100, 1);
    ln_socket_send(socket, sent, 100);
    ln_socket_shutdown(socket);
    stage_settle();
    EXPECT(witness.received == 100 && witness.closed && !witness.reset);
    ln_socket_close(&socket, false);
    sim_peer_send(witness.peer, sent, 100); /* goes nowhere, and hurts nobody */
    stage_settle();
    sim_peer_shutdown(witness.peer);
    stage_expect_silence(100);
    EXPECT(!witness.reset);
    ln_socket_close(&listener, false);
}

static void
our_side_ends_once(void **state)
{
    (void)state;
    stage_play(twice_ended_story);
}

static void
deaf_peer_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = meet_witness(&listener);
    sim_peer_pause(witness.peer, true);
    fill(sent, LONG_BYTES, 1);
    ln_socket_send(socket, sent, LONG_BYTES);
    EXPECT(ln_socket_unsent(socket) == LONG_BYTES);
    stage_settle();
    EXPECT(ln_socket_unsent(socket) > 0);
    ln_socket_close(&socket, false); /* has a few seconds, no more: the stage counts sockets */
    stage_expect_silence(6000);
    sim_peer_pause(witness.peer, false);
    stage_expect_silence(10);
    EXPECT(witness.received < LONG_BYTES && witness.closed && witness.reset);
    ln_socket_close(&listener, false);
}

static void
a_deaf_peer_is_not_waited_for(void **state)
{
    (void)state;
    stage_play(deaf_peer_story);
}

static void
node_end_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = meet_witness(&listener);
    sim_peer_pause(witness.peer, true);
    fill(sent, LONG_BYTES, 1);
    ln_socket_send(socket, sent, LONG_BYTES);
    stage_settle(); /* and the node ends, which takes a second then */
}

static void
a_deaf_peer_keeps_no_node(void **state)
{
    (void)state;
    stage_play(node_end_story);
}

static void
abort_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = meet_witness(&listener);
    fill(sent, LONG_BYTES, 1);
    ln_socket_send(socket, sent, LONG_BYTES);
    ln_socket_close(&socket, true);
    stage_expect_silence(10);
    EXPECT(witness.closed && witness.reset);
    ln_socket_close(&listener, true);
}

static void
an_abort_resets(void **state)
{
    (void)state;
    stage_play(abort_story);
}

static void
cut_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = meet_witness(&listener);
    stage_settle();
    sim_peer_cut(witness.peer);
    expect_closed(-ECONNRESET);
    ln_socket_send(socket, sent, 1000); /* to no effect */
    ln_socket_shutdown(socket);
    stage_expect_silence(10);
    ln_socket_close(&socket, false);
    ln_socket_close(&listener, false);
}

static void
a_cut_is_told_once(void **state)
{
    (void)state;
    stage_play(cut_story);
}

static void
half_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = meet_witness(&listener);
    sim_peer_send(witness.peer, "question", 8);
    sim_peer_shutdown(witness.peer);
    receive_bytes(socket, got, 8);
    expect_closed(0);
    fill(sent, 1000, 3);
    ln_socket_send(socket, sent, 1000); /* our side is still open */
    ln_socket_close(&socket, false);
    stage_settle();
    EXPECT(witness.received == 1000 && witness.closed && !witness.reset);
    ln_socket_close(&listener, false);
}

static void
one_side_may_end_first(void **state)
{
    (void)state;
    stage_play(half_story);
}

/* ------------------------------------------------------------------------------------- pressure */

static void
pause_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = meet_witness(&listener);
    ln_socket_pause(socket, true);
    sim_peer_send(witness.peer, "hello", 5);
    stage_expect_silence(100);
    ln_socket_pause(socket, false);
    receive_bytes(socket, got, 5);
    EXPECT(memcmp(got, "hello", 5) == 0);
    ln_socket_close(&socket, false);
    ln_socket_close(&listener, false);
}

static void
a_paused_socket_is_silent(void **state)
{
    (void)state;
    stage_play(pause_story);
}

static void
drained_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = meet_witness(&listener);
    sim_peer_pause(witness.peer, true);
    fill(sent, LONG_BYTES, 1);
    ln_socket_send(socket, sent, LONG_BYTES);
    ln_socket_notify_drained(socket, 1000);
    stage_expect_silence(100);
    sim_peer_pause(witness.peer, false);
    stage_expect(LN_TAG_DRAINED, NULL, 0);
    EXPECT(ln_socket_unsent(socket) <= 1000);
    stage_expect_silence(100);
    ln_socket_notify_drained(socket, 0); /* is so already */
    stage_expect(LN_TAG_DRAINED, NULL, 0);
    ln_socket_close(&socket, false);
    ln_socket_close(&listener, false);
}

static void
tells_when_it_is_drained(void **state)
{
    (void)state;
    stage_play(drained_story);
}

/* More sockets hold a received message than there are receive buffers. */
static void
starving_story(void)
{
    enum { CONNECTIONS = 100 };
    static struct ln_socket *mine[CONNECTIONS];
    static struct ln_msg *held[CONNECTIONS];
    static struct witness crowd[CONNECTIONS];
    memset(crowd, 0, sizeof crowd);
    struct io_address address = address_7000();
    struct ln_socket *listener;
    EXPECT(ln_socket_listen(&address, &listener, NULL) == 0);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        crowd[i].peer = sim_peer_connect(stage_driver(), &address, &events, &crowd[i]);
        struct ln_socket_event event;
        stage_expect(LN_TAG_ACCEPT, &event, sizeof event);
        mine[i] = ln_socket_attach(event.descriptor);
    }
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        sim_peer_send(crowd[i].peer, "x", 1);
    }
    unsigned count = 0;
    while (ln_receive(100, &held[count]) == 0) {
        EXPECT(held[count]->tag == LN_TAG_DATA);
        count++;
    }
    EXPECT(count >= 32 && count < CONNECTIONS); /* the rest waits for a buffer, without a sound */
    while (count > 0) {
        ln_msg_free(&held[--count]);
    }
    for (unsigned more = 0; ln_receive(100, &held[0]) == 0; more++) {
        EXPECT(held[0]->tag == LN_TAG_DATA && more < CONNECTIONS);
        ln_msg_free(&held[0]);
        count++;
    }
    EXPECT(count >= CONNECTIONS / 4);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        ln_socket_close(&mine[i], i % 2 == 0);
    }
    ln_socket_close(&listener, false);
}

static void
waits_for_a_buffer(void **state)
{
    (void)state;
    stage_play(starving_story);
}

/* ------------------------------------------------------------------------- owners, moving house */

static void
crash_story(void)
{
    ln_pid pid;
    uint64_t monitor;
    struct ln_spawn_options options = {.monitor = true, .out_monitor = &monitor};
    EXPECT(ln_start(&server, NULL, 0, &options, &pid) == 0);
    struct ln_socket *socket = connect_to_7000();
    ln_socket_send(socket, "x", 1);
    receive_bytes(socket, got, 1);
    stage_say(pid, TAG_CRASH);
    (void)stage_down(monitor);
    stage_settle();
    EXPECT(ln_start(&server, NULL, 0, &options, &pid) == 0); /* its address is free again */
    ln_socket_close(&socket, false);
}

static void
sockets_end_with_their_owner(void **state)
{
    (void)state;
    stage_play(crash_story);
}

/* Reads a byte that tells how to go on; then hands the connection to an echo elsewhere. */
static void
doorman_handle(void *state, struct ln_msg **msg)
{
    struct echo *doorman = state;
    if ((*msg)->tag == LN_TAG_ACCEPT) {
        doorman->socket = ln_socket_attach(ln_socket_event(*msg)->descriptor);
    } else if ((*msg)->tag == LN_TAG_DATA) {
        io_socket descriptor;
        EXPECT(ln_socket_event(*msg)->data[0] == 'm');
        ln_socket_send(doorman->socket, "moved", 5);
        EXPECT(ln_socket_detach(&doorman->socket, &descriptor) == 0);
        EXPECT(doorman->socket == NULL);
        struct ln_spawn_options there = {.elsewhere = true, .scheduler = 1};
        ln_pid pid;
        EXPECT(ln_spawn(&echo, &descriptor, sizeof descriptor, &there, &pid) == 0);
    }
}

static int
doorman_init(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    struct io_address address = address_7000();
    struct ln_socket *listener;
    return ln_socket_listen(&address, &listener, NULL);
}
static const struct ln_behaviour doorman = {.name = "doorman",
                                            .state_bytes = sizeof(struct echo),
                                            .init = doorman_init,
                                            .handle = doorman_handle};

static void
move_story(void)
{
    ln_pid pid;
    EXPECT(ln_start(&doorman, NULL, 0, NULL, &pid) == 0);
    struct ln_socket *socket = connect_to_7000();
    ln_socket_send(socket, "m", 1);
    receive_bytes(socket, got, 5);
    EXPECT(memcmp(got, "moved", 5) == 0); /* what was sent before has left first */
    fill(sent, 10000, 5);
    ln_socket_send(socket, sent, 10000);
    receive_bytes(socket, got, 10000);
    EXPECT(memcmp(sent, got, 10000) == 0);
    ln_socket_shutdown(socket);
    expect_closed(0);
    ln_socket_close(&socket, false);
}

static void
connections_move(void **state)
{
    (void)state;
    stage_play(move_story);
    stage_play_threads(move_story, 2);
}

static void
busy_detach_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = meet_witness(&listener);
    io_socket descriptor;
    sim_peer_send(witness.peer, "abc", 3);
    stage_settle();
    EXPECT(ln_socket_detach(&socket, &descriptor) == -EBUSY); /* a message waits */
    EXPECT(socket != NULL);
    receive_bytes(socket, got, 3);
    ln_socket_pause(socket, true);
    sim_peer_send(witness.peer, "def", 3);
    stage_settle();
    EXPECT(ln_socket_detach(&socket, &descriptor) == 0);
    socket = ln_socket_attach(descriptor);
    receive_bytes(socket, got, 3); /* waited in the kernel */
    EXPECT(memcmp(got, "def", 3) == 0);

    /* The connection breaks while it is being detached. */
    fill(sent, LONG_BYTES, 1);
    sim_peer_pause(witness.peer, true);
    ln_socket_send(socket, sent, LONG_BYTES);
    sim_peer_cut(witness.peer);
    int error = ln_socket_detach(&socket, &descriptor);
    EXPECT(error == -ECONNRESET || error == -EPIPE);
    EXPECT(socket == NULL);
    ln_socket_close(&listener, false);
}

static void
a_detach_loses_nothing(void **state)
{
    (void)state;
    stage_play(busy_detach_story);
}

static void
late_detach_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = meet_witness(&listener);
    io_socket descriptor;
    fill(sent, LONG_BYTES, 1);
    sim_peer_pause(witness.peer, true);
    ln_socket_send(socket, sent, LONG_BYTES);
    EXPECT(ln_socket_detach(&socket, &descriptor) == -ETIMEDOUT);
    EXPECT(socket == NULL);
    stage_expect_silence(10);
    ln_socket_close(&listener, false);
}

static void
a_detach_has_a_limit(void **state)
{
    (void)state;
    stage_play(late_detach_story);
}

/* ---------------------------------------------------------------------------- connects that end */

static void
connecting_run(void *state)
{
    (void)state;
    struct io_address address = address_7000();
    struct ln_socket *socket;
    int error = ln_socket_connect(&address, LN_FOREVER, &socket);
    EXPECT(error == 0 || error == -ECANCELED || error == -ECONNREFUSED);
}
static const struct ln_behaviour connecting = {.name = "connecting", .run = connecting_run};

static void
cancelled_connect_story(void)
{
    struct ln_socket *listener;
    struct io_address address = address_7000();
    EXPECT(ln_socket_listen(&address, &listener, NULL) == 0);
    uint64_t monitors[20];
    for (unsigned i = 0; i < 20; i++) {
        ln_pid pid;
        struct ln_spawn_options options = {.monitor = true,
                                           .out_monitor = &monitors[i],
                                           .elsewhere = true,
                                           .scheduler = (int)i % STAGE_LOOPS};
        EXPECT(ln_spawn(&connecting, NULL, 0, &options, &pid) == 0);
        for (unsigned n = 0; n < i / 2; n++) {
            ln_yield();
        }
        ln_kill(pid, LN_EXIT_KILLED); /* at any moment of it */
    }
    for (unsigned i = 0; i < 20; i++) {
        (void)stage_down(monitors[i]);
    }
    ln_socket_close(&listener, false);
    struct ln_msg *msg;
    while (ln_receive(10, &msg) == 0) { /* those that came through all the same */
        EXPECT(msg->tag == LN_TAG_ACCEPT);
        io_close(ln_io(), ln_socket_event(msg)->descriptor, true);
        ln_msg_free(&msg);
    }
}

static void
a_connect_can_be_cancelled(void **state)
{
    (void)state;
    stage_play(cancelled_connect_story);
}

static void
forwarded_run(void *state)
{
    (void)state;
    struct ln_socket *listener;
    struct ln_socket *socket = meet_witness(&listener);
    (void)socket;
    sim_peer_send(witness.peer, "abc", 3);
    struct ln_msg *msg = stage_next();
    EXPECT(msg->tag == LN_TAG_DATA);
    ln_send(ln_self(), &msg);
    EXPECT(msg == NULL && "not reached");
}
static const struct ln_behaviour forwarding = {
    .name = "forwarding", .run = forwarded_run, .stack_bytes = 65536};

static void
forwarded_story(void)
{
    ln_pid pid;
    uint64_t monitor;
    struct ln_spawn_options options = {.monitor = true, .out_monitor = &monitor};
    EXPECT(ln_spawn(&forwarding, NULL, 0, &options, &pid) == 0);
    EXPECT(stage_down(monitor).kind == LN_EXIT_ERROR);
}

static void
received_bytes_stay_with_their_owner(void **state)
{
    (void)state;
    stage_play(forwarded_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what is sent to an echo comes back, whatever its length", bytes_come_back),
        SPEC("a shared payload leaves through many sockets", shared_bytes_leave_too),
        SPEC("where nobody listens nobody connects, and an address has one listener",
             no_listener_no_connection),
        SPEC("what was sent before a close arrives, then the end", last_words_arrive),
        SPEC("bytes that nobody read cost no last words", unread_bytes_cost_no_last_words),
        SPEC("a close after a shutdown ends our side no second time", our_side_ends_once),
        SPEC("a close waits a few seconds for a deaf peer, then resets",
             a_deaf_peer_is_not_waited_for),
        SPEC("a deaf peer keeps no node from ending", a_deaf_peer_keeps_no_node),
        SPEC("an abort resets at once", an_abort_resets),
        SPEC("a cut connection is told once", a_cut_is_told_once),
        SPEC("when the peer ends its side, ours may still speak", one_side_may_end_first),
        SPEC("a paused socket is silent until it is resumed", a_paused_socket_is_silent),
        SPEC("a socket tells once when it is drained", tells_when_it_is_drained),
        SPEC("a socket that finds no receive buffer waits for one", waits_for_a_buffer),
        SPEC("sockets end with their owner", sockets_end_with_their_owner),
        SPEC("a connection moves to another scheduler", connections_move),
        SPEC("a detach loses no bytes, and tells when the connection broke",
             a_detach_loses_nothing),
        SPEC("a detach does not wait for ever", a_detach_has_a_limit),
        SPEC("a connect can be cancelled at any moment", a_connect_can_be_cancelled),
        SPEC("who sends received bytes on as they are is ended",
             received_bytes_stay_with_their_owner),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
