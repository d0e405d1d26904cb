/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/inspect.h"
#include "tests/runtime/harbour.h"
#include "tests/spec.h"

/* The driver may have no room for it: 1 in so many. */
static void
refuse(uint32_t one_in)
{
    sim_faults_set(stage_driver(), &(struct sim_faults){.unsettled_one_in = one_in});
}

static struct ln_scheduler_info
seen(void)
{
    struct ln_scheduler_info info;
    EXPECT(ln_inspect_scheduler(ln_scheduler(), &info) == 0);
    return info;
}

static void
pause_ms(uint64_t ms)
{
    EXPECT(ln_sleep(ms) == 0);
}

/* ------------------------------------------------------------------------------------- traffic */

enum { BYTES = 40000 };

/* Hears all that was sent; settles when it has heard so much. */
static void
hear_and_settle(struct ln_socket *socket, size_t settle_at)
{
    size_t got = 0;
    while (got < BYTES) {
        struct ln_msg *msg = stage_next();
        const struct ln_socket_event *event = ln_socket_event(msg);
        EXPECT(msg->tag == LN_TAG_DATA && event->bytes <= BYTES - got);
        memcpy(harbour_got + got, event->data, event->bytes);
        got += event->bytes;
        ln_msg_free(&msg);
        if (got >= settle_at) {
            ln_socket_settle(socket); /* once is enough */
        }
    }
    EXPECT(memcmp(harbour_sent, harbour_got, BYTES) == 0);
}

static void
echo_story(void)
{
    ln_pid pid;
    EXPECT(ln_start(&harbour_server, NULL, 0, NULL, &pid) == 0);
    for (unsigned round = 0; round < 4; round++) {
        struct ln_socket *socket = harbour_connect();
        harbour_fill(BYTES, round);
        ln_socket_send(socket, harbour_sent, BYTES / 2);
        if (round == 0) {
            ln_socket_settle(socket);
        }
        ln_socket_send(socket, harbour_sent + BYTES / 2, BYTES / 2);
        hear_and_settle(socket, round * BYTES / 4);
        ln_socket_shutdown(socket);
        harbour_expect_closed(0);
        ln_socket_close(&socket, false);
    }
    stage_settle();
}

static void
nothing_is_lost(void **state)
{
    (void)state;
    stage_play(echo_story);
    stage_play_machine(echo_story, &(struct sim_options){.faults = {.unsettled_one_in = 2}});
    stage_play_threads(echo_story, 2);
}

static void
for_good_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = harbour_meet(&listener);
    struct io_address peer;
    io_socket descriptor;
    ln_socket_settle(socket);
    pause_ms(100);
    EXPECT(seen().io_settled == 1);
    EXPECT(ln_socket_detach(&socket, &descriptor) == -EOPNOTSUPP);
    EXPECT(ln_socket_peer(socket, &peer) == -EOPNOTSUPP);
    sim_peer_send(harbour_witness.peer, "abc", 3);
    harbour_receive(socket, harbour_got, 3);
    ln_socket_close(&socket, true);
    pause_ms(100);
    EXPECT(harbour_witness.reset);
    EXPECT(seen().io_settled == 0);
    ln_socket_close(&listener, false);
}

static void
it_is_for_good(void **state)
{
    (void)state;
    stage_play(for_good_story);
}

static void
refused_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = harbour_meet(&listener);
    io_socket descriptor;
    refuse(1);
    ln_socket_settle(socket);
    pause_ms(100);
    EXPECT(seen().io_settled == 0 && seen().io_settles_failed == 1);
    sim_peer_send(harbour_witness.peer, "abc", 3);
    harbour_receive(socket, harbour_got, 3);
    EXPECT(ln_socket_detach(&socket, &descriptor) == 0);
    socket = ln_socket_attach(descriptor);
    refuse(0);
    ln_socket_settle(socket);
    pause_ms(100);
    EXPECT(seen().io_settled == 1);
    ln_socket_close(&socket, false);
    ln_socket_close(&listener, false);
}

static void
no_room(void **state)
{
    (void)state;
    stage_play(refused_story);
}

/* -------------------------------------------------------------------------------------- endings */

/* It closes when it has just been told to settle, or some turns later. */
static void
close_story(void)
{
    for (unsigned turns = 0; turns < 6; turns++) {
        struct ln_socket *listener;
        struct ln_socket *socket = harbour_meet(&listener);
        harbour_fill(10000, turns);
        ln_socket_send(socket, harbour_sent, 5000);
        ln_socket_settle(socket);
        for (unsigned i = 0; i < turns; i++) {
            ln_yield();
        }
        ln_socket_send(socket, harbour_sent + 5000, 5000);
        ln_socket_close(&socket, false);
        pause_ms(100);
        EXPECT(harbour_witness.received == 10000);
        EXPECT(harbour_witness.closed && !harbour_witness.reset);
        sim_peer_shutdown(harbour_witness.peer); /* the drained side */
        pause_ms(100);
        EXPECT(seen().sockets == 1 && seen().io_settled == 0);
        ln_socket_close(&listener, false);
        stage_settle();
    }
}

static void
closing(void **state)
{
    (void)state;
    stage_play(close_story);
}

/* Whatever it was about to do: the socket moves, or it has settled and does not. */
static void
detach_story(void)
{
    for (unsigned turns = 0; turns < 6; turns++) {
        struct ln_socket *listener;
        struct ln_socket *socket = harbour_meet(&listener);
        io_socket descriptor;
        ln_socket_settle(socket);
        for (unsigned i = 0; i < turns; i++) {
            ln_yield();
        }
        int error = ln_socket_detach(&socket, &descriptor);
        EXPECT(error == 0 || error == -EOPNOTSUPP);
        if (error == 0) {
            socket = ln_socket_attach(descriptor);
        }
        sim_peer_send(harbour_witness.peer, "abc", 3);
        harbour_receive(socket, harbour_got, 3);
        ln_socket_close(&socket, true);
        ln_socket_close(&listener, false);
        stage_settle();
    }
}

static void
detaching(void **state)
{
    (void)state;
    stage_play(detach_story);
}

static void
cut_story(void)
{
    for (unsigned turns = 0; turns < 6; turns++) {
        struct ln_socket *listener;
        struct ln_socket *socket = harbour_meet(&listener);
        ln_socket_settle(socket);
        for (unsigned i = 0; i < turns; i++) {
            ln_yield();
        }
        sim_peer_cut(harbour_witness.peer);
        harbour_expect_closed(-ECONNRESET);
        ln_socket_close(&socket, false);
        ln_socket_close(&listener, false);
        stage_expect_silence(100);
        EXPECT(seen().io_settled == 0);
    }
}

static void
cuts(void **state)
{
    (void)state;
    stage_play(cut_story);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a socket that settles in the middle of its traffic loses nothing", nothing_is_lost),
        SPEC("a settled socket can't be detached, and is closed like others", it_is_for_good),
        SPEC("one that finds no room goes on as it was, and is counted", no_room),
        SPEC("a close while it settles lets the last words leave", closing),
        SPEC("a detach while it settles hands out a socket that hears, or none", detaching),
        SPEC("a connection that breaks while it settles is told as ever", cuts),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
