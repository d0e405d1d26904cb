/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/runtime/harbour.h"
#include "tests/spec.h"

/* ------------------------------------------------------------------------- owners, moving house */

static void
crash_story(void)
{
    ln_pid pid;
    uint64_t monitor;
    struct ln_spawn_options options = {.monitor = true, .out_monitor = &monitor};
    EXPECT(ln_start(&harbour_server, NULL, 0, &options, &pid) == 0);
    struct ln_socket *socket = harbour_connect();
    ln_socket_send(socket, "x", 1);
    harbour_receive(socket, harbour_got, 1);
    stage_say(pid, HARBOUR_CRASH);
    (void)stage_down(monitor);
    stage_settle();
    EXPECT(ln_start(&harbour_server, NULL, 0, &options, &pid) == 0); /* its address is free again */
    ln_socket_close(&socket, false);
}

static void
sockets_end_with_their_owner(void **state)
{
    (void)state;
    stage_play(crash_story);
}

struct doorman {
    struct ln_socket *socket;
};

/* Reads a byte that tells how to go on; then hands the connection to an echo elsewhere. */
static void
doorman_handle(void *state, struct ln_msg **msg)
{
    struct doorman *doorman = state;
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
        EXPECT(ln_spawn(&harbour_echo, &descriptor, sizeof descriptor, &there, &pid) == 0);
    }
}

static int
doorman_init(void *state, const void *argument)
{
    (void)state;
    (void)argument;
    struct io_address address = harbour_address();
    struct ln_socket *listener;
    return ln_socket_listen(&address, &listener, NULL);
}
static const struct ln_behaviour doorman = {.name = "doorman",
                                            .state_bytes = sizeof(struct doorman),
                                            .init = doorman_init,
                                            .handle = doorman_handle};

static void
move_story(void)
{
    ln_pid pid;
    EXPECT(ln_start(&doorman, NULL, 0, NULL, &pid) == 0);
    struct ln_socket *socket = harbour_connect();
    ln_socket_send(socket, "m", 1);
    harbour_receive(socket, harbour_got, 5);
    EXPECT(memcmp(harbour_got, "moved", 5) == 0); /* what was harbour_sent before has left first */
    harbour_fill(10000, 5);
    ln_socket_send(socket, harbour_sent, 10000);
    harbour_receive(socket, harbour_got, 10000);
    EXPECT(memcmp(harbour_sent, harbour_got, 10000) == 0);
    ln_socket_shutdown(socket);
    harbour_expect_closed(0);
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
    struct ln_socket *socket = harbour_meet(&listener);
    io_socket descriptor;
    sim_peer_send(harbour_witness.peer, "abc", 3);
    stage_settle();
    EXPECT(ln_socket_detach(&socket, &descriptor) == -EBUSY); /* a message waits */
    EXPECT(socket != NULL);
    harbour_receive(socket, harbour_got, 3);
    ln_socket_pause(socket, true);
    sim_peer_send(harbour_witness.peer, "def", 3);
    stage_settle();
    EXPECT(ln_socket_detach(&socket, &descriptor) == 0);
    socket = ln_socket_attach(descriptor);
    harbour_receive(socket, harbour_got, 3); /* waited in the kernel */
    EXPECT(memcmp(harbour_got, "def", 3) == 0);

    /* The connection breaks while it is being detached. */
    harbour_fill(HARBOUR_BYTES, 1);
    sim_peer_pause(harbour_witness.peer, true);
    ln_socket_send(socket, harbour_sent, HARBOUR_BYTES);
    sim_peer_cut(harbour_witness.peer);
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
    struct ln_socket *socket = harbour_meet(&listener);
    io_socket descriptor;
    harbour_fill(HARBOUR_BYTES, 1);
    sim_peer_pause(harbour_witness.peer, true);
    ln_socket_send(socket, harbour_sent, HARBOUR_BYTES);
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
    struct io_address address = harbour_address();
    struct ln_socket *socket;
    int error = ln_socket_connect(&address, LN_FOREVER, &socket);
    EXPECT(error == 0 || error == -ECANCELED || error == -ECONNREFUSED);
}
static const struct ln_behaviour connecting = {.name = "connecting", .run = connecting_run};

static void
cancelled_connect_story(void)
{
    struct ln_socket *listener;
    struct io_address address = harbour_address();
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
    struct ln_socket *socket = harbour_meet(&listener);
    (void)socket;
    sim_peer_send(harbour_witness.peer, "abc", 3);
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
