/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/inspect.h"
#include "tests/runtime/harbour.h"
#include "tests/spec.h"

/* ---------------------------------------------------------------------------------- the stories */

static void
echo_story(void)
{
    ln_pid pid;
    EXPECT(ln_start(&harbour_server, NULL, 0, NULL, &pid) == 0);
    struct ln_socket *socket = harbour_connect();
    for (size_t bytes = 1; bytes <= HARBOUR_BYTES; bytes = bytes * 4 + 3) {
        harbour_fill(bytes, (unsigned)bytes);
        ln_socket_send(socket, harbour_sent, bytes);
        harbour_receive(socket, harbour_got, bytes);
        EXPECT(memcmp(harbour_sent, harbour_got, bytes) == 0);
    }
    EXPECT(ln_socket_unsent(socket) == 0);
    struct io_address peer;
    char text[IO_ADDRESS_TEXT_MAX];
    EXPECT(ln_socket_peer(socket, &peer) == 0);
    io_address_print(&peer, text);
    EXPECT(strcmp(text, "127.0.0.1:7000") == 0);
    ln_socket_shutdown(socket);
    harbour_expect_closed(0); /* the echo saw our end, and ended too */
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
    EXPECT(ln_start(&harbour_server, NULL, 0, NULL, &pid) == 0);
    struct ln_socket *sockets[5];
    struct ln_buffer *shared = ln_buffer_new(1000);
    harbour_fill(1000, 7);
    memcpy(ln_buffer_data(shared), harbour_sent, 1000);
    for (unsigned i = 0; i < 5; i++) {
        sockets[i] = harbour_connect();
        ln_socket_send(sockets[i], "<", 1);
        struct ln_buffer *reference = ln_buffer_get(shared);
        ln_socket_send_buffer(sockets[i], &reference, i, 900);
        ln_socket_send(sockets[i], ">", 1);
        harbour_receive(sockets[i], harbour_got, 902);
        EXPECT(harbour_got[0] == '<' && harbour_got[901] == '>');
        EXPECT(memcmp(harbour_got + 1, (unsigned char *)ln_buffer_data(shared) + i, 900) == 0);
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
    struct io_address address = harbour_address();
    struct ln_socket *socket = NULL;
    EXPECT(ln_socket_connect(&address, 1000, &socket) == -ECONNREFUSED);
    EXPECT(socket == NULL);
    ln_pid pid;
    EXPECT(ln_start(&harbour_server, NULL, 0, NULL, &pid) == 0);
    EXPECT(ln_start(&harbour_server, NULL, 0, NULL, &pid) == -EADDRINUSE);
}

static void
no_listener_no_connection(void **state)
{
    (void)state;
    stage_play(refused_story);
}

/* ----------------------------------------------------------------------------------- closing */

static void
last_words_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = harbour_meet(&listener);
    harbour_fill(HARBOUR_BYTES, 1);
    ln_socket_send(socket, harbour_sent, HARBOUR_BYTES);
    ln_socket_close(&socket, false);
    stage_expect_silence(3000);
    EXPECT(harbour_witness.received == HARBOUR_BYTES && harbour_witness.closed &&
           !harbour_witness.reset);
    ln_socket_close(&listener, false);
}

static void
last_words_arrive(void **state)
{
    (void)state;
    stage_play(last_words_story);
}

static void
company_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = harbour_meet(&listener);
    harbour_fill(100, 1);
    ln_socket_send_within(socket, harbour_sent, 10, 100);
    stage_expect_silence(50);
    EXPECT(harbour_witness.received == 0);
    EXPECT(ln_socket_unsent(socket) == 10);
    ln_socket_send(socket, harbour_sent + 10, 10);
    stage_expect_silence(10);
    EXPECT(harbour_witness.received == 20);
    ln_socket_send_within(socket, harbour_sent + 20, 10, 100);
    stage_expect_silence(60);
    ln_socket_send_within(socket, harbour_sent + 30, 10, 100);
    EXPECT(harbour_witness.received == 20);
    stage_expect_silence(60);
    EXPECT(harbour_witness.received == 40);
    ln_socket_send(socket, harbour_sent + 40, 10);
    ln_socket_send_within(socket, harbour_sent + 50, 10, 100);
    stage_expect_silence(10);
    EXPECT(harbour_witness.received == 60);
    ln_socket_send_within(socket, harbour_sent + 60, 10, 10000);
    ln_socket_close(&socket, false);
    stage_expect_silence(10);
    EXPECT(harbour_witness.received == 70 && harbour_witness.closed && !harbour_witness.reset);
    ln_socket_close(&listener, false);
}

static void
patient_bytes_wait_for_company(void **state)
{
    (void)state;
    stage_play(company_story);
}

static void
patient_then_gone_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = harbour_meet(&listener);
    io_socket descriptor = -1;
    harbour_fill(100, 1);
    ln_socket_send_within(socket, harbour_sent, 10, 10000);
    EXPECT(ln_socket_detach(&socket, &descriptor) == 0);
    stage_settle();
    EXPECT(harbour_witness.received == 10);
    socket = ln_socket_attach(descriptor);
    ln_socket_send_within(socket, harbour_sent + 10, 10, 100);
    sim_peer_cut(harbour_witness.peer);
    harbour_expect_closed(-ECONNRESET);
    ln_socket_send_within(socket, harbour_sent + 10, 10, 100);
    stage_expect_silence(300);
    ln_socket_close(&socket, true);
    ln_socket_close(&listener, false);
}

static void
patient_bytes_are_no_hindrance(void **state)
{
    (void)state;
    stage_play(patient_then_gone_story);
}

static void
patient_then_aborted_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = harbour_meet(&listener);
    harbour_fill(100, 1);
    ln_socket_send_within(socket, harbour_sent, 10, 10000);
    ln_socket_close(&socket, true);
    stage_expect_silence(15000);
    EXPECT(harbour_witness.received == 0 && harbour_witness.closed && harbour_witness.reset);
    ln_socket_close(&listener, false);
}

static void
patient_then_failed_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = harbour_meet(&listener);
    harbour_fill(100, 1);
    ln_socket_send_within(socket, harbour_sent, 10, 10000);
    sim_peer_cut(harbour_witness.peer);
    ln_socket_send(socket, harbour_sent + 10, 10);
    harbour_expect_closed(-ECONNRESET);
    stage_expect_silence(15000);
    EXPECT(ln_socket_unsent(socket) == 0);
    ln_socket_close(&socket, false);
    ln_socket_close(&listener, false);
}

static void
patient_then_over_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = harbour_meet(&listener);
    harbour_fill(100, 1);
    ln_socket_send_within(socket, harbour_sent, 10, 10000);
    EXPECT(ln_socket_unsent(socket) == 10); /* and the node ends */
}

static void
patient_bytes_outlive_nothing(void **state)
{
    (void)state;
    stage_play(patient_then_aborted_story);
    stage_play(patient_then_failed_story);
    stage_play(patient_then_over_story);
}

static void
unread_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = harbour_meet(&listener);
    ln_socket_pause(socket, true);
    harbour_fill(100, 1);
    sim_peer_send(harbour_witness.peer, harbour_sent, 50000); /* will never be read by the owner */
    stage_settle();
    ln_socket_send(socket, harbour_sent, 100);
    ln_socket_close(&socket, false);
    stage_settle();
    EXPECT(harbour_witness.received == 100 && harbour_witness.closed && !harbour_witness.reset);
    sim_peer_send(harbour_witness.peer, harbour_sent, 50000);
    sim_peer_shutdown(harbour_witness.peer);
    stage_expect_silence(100);
    EXPECT(!harbour_witness.reset);
    ln_socket_close(&listener, false);
}

static void
unread_bytes_cost_no_last_words(void **state)
{
    (void)state;
    stage_play(unread_story);
}

static void
gone_later_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = harbour_meet(&listener);
    harbour_fill(100, 1);
    sim_peer_shutdown(harbour_witness.peer);
    harbour_expect_closed(0);
    ln_socket_send(socket, harbour_sent, 100); /* it may read on */
    stage_settle();
    EXPECT(harbour_witness.received == 100 && !harbour_witness.closed);
    sim_peer_cut(harbour_witness.peer);
    stage_settle();
    ln_socket_send(socket, harbour_sent, 100);
    harbour_expect_closed(-ECONNRESET);
    ln_socket_send(socket, harbour_sent, 100);
    stage_expect_silence(100);
    ln_socket_close(&socket, false);
    ln_socket_close(&listener, false);
}

static void
who_goes_later_is_told_of(void **state)
{
    (void)state;
    stage_play(gone_later_story);
}

static void
twice_ended_story(void)
{
    struct ln_socket *listener;
    struct ln_socket *socket = harbour_meet(&listener);
    harbour_fill(100, 1);
    ln_socket_send(socket, harbour_sent, 100);
    ln_socket_shutdown(socket);
    stage_settle();
    EXPECT(harbour_witness.received == 100 && harbour_witness.closed && !harbour_witness.reset);
    ln_socket_close(&socket, false);
    sim_peer_send(harbour_witness.peer, harbour_sent, 100); /* goes nowhere, and hurts nobody */
    stage_settle();
    sim_peer_shutdown(harbour_witness.peer);
    stage_expect_silence(100);
    EXPECT(!harbour_witness.reset);
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
    struct ln_socket *socket = harbour_meet(&listener);
    sim_peer_pause(harbour_witness.peer, true);
    harbour_fill(HARBOUR_BYTES, 1);
    ln_socket_send(socket, harbour_sent, HARBOUR_BYTES);
    EXPECT(ln_socket_unsent(socket) == HARBOUR_BYTES);
    stage_settle();
    EXPECT(ln_socket_unsent(socket) > 0);
    ln_socket_close(&socket, false); /* has a few seconds, no more: the stage counts sockets */
    stage_expect_silence(6000);
    sim_peer_pause(harbour_witness.peer, false);
    stage_expect_silence(10);
    EXPECT(harbour_witness.received < HARBOUR_BYTES && harbour_witness.closed &&
           harbour_witness.reset);
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
    struct ln_socket *socket = harbour_meet(&listener);
    sim_peer_pause(harbour_witness.peer, true);
    harbour_fill(HARBOUR_BYTES, 1);
    ln_socket_send(socket, harbour_sent, HARBOUR_BYTES);
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
    struct ln_socket *socket = harbour_meet(&listener);
    harbour_fill(HARBOUR_BYTES, 1);
    ln_socket_send(socket, harbour_sent, HARBOUR_BYTES);
    ln_socket_close(&socket, true);
    stage_expect_silence(10);
    EXPECT(harbour_witness.closed && harbour_witness.reset);
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
    struct ln_socket *socket = harbour_meet(&listener);
    stage_settle();
    sim_peer_cut(harbour_witness.peer);
    harbour_expect_closed(-ECONNRESET);
    ln_socket_send(socket, harbour_sent, 1000); /* to no effect */
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
    struct ln_socket *socket = harbour_meet(&listener);
    sim_peer_send(harbour_witness.peer, "question", 8);
    sim_peer_shutdown(harbour_witness.peer);
    harbour_receive(socket, harbour_got, 8);
    harbour_expect_closed(0);
    harbour_fill(1000, 3);
    ln_socket_send(socket, harbour_sent, 1000); /* our side is still open */
    ln_socket_close(&socket, false);
    stage_settle();
    EXPECT(harbour_witness.received == 1000 && harbour_witness.closed && !harbour_witness.reset);
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
    struct ln_socket *socket = harbour_meet(&listener);
    ln_socket_pause(socket, true);
    sim_peer_send(harbour_witness.peer, "hello", 5);
    stage_expect_silence(100);
    ln_socket_pause(socket, false);
    harbour_receive(socket, harbour_got, 5);
    EXPECT(memcmp(harbour_got, "hello", 5) == 0);
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
    struct ln_socket *socket = harbour_meet(&listener);
    sim_peer_pause(harbour_witness.peer, true);
    harbour_fill(HARBOUR_BYTES, 1);
    ln_socket_send(socket, harbour_sent, HARBOUR_BYTES);
    ln_socket_notify_drained(socket, 1000);
    stage_expect_silence(100);
    sim_peer_pause(harbour_witness.peer, false);
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

static uint64_t
accepts_failed(void)
{
    struct ln_scheduler_info info;
    EXPECT(ln_inspect_scheduler(0, &info) == 0);
    return info.accepts_failed;
}

static void
full_story(void)
{
    enum { CALLERS = 10 };
    static struct witness callers[CALLERS];
    static struct ln_socket *sockets[CALLERS];
    struct io_address address = harbour_address();
    struct ln_socket *listener;
    EXPECT(ln_socket_listen(&address, &listener, NULL) == 0);
    for (unsigned i = 0; i < CALLERS; i++) {
        harbour_call(&callers[i]);
    }
    unsigned count = 0;
    struct ln_msg *msg;
    while (ln_receive(1000, &msg) == 0) {
        EXPECT(msg->tag == LN_TAG_ACCEPT && count < CALLERS);
        sockets[count++] = ln_socket_attach(ln_socket_event(msg)->descriptor);
        ln_msg_free(&msg);
    }
    EXPECT(count > 0 && count < CALLERS && accepts_failed() > 0);
    ln_socket_close(&sockets[--count], true);
    msg = stage_next(); /* there is room for one more now */
    EXPECT(msg->tag == LN_TAG_ACCEPT);
    sockets[count++] = ln_socket_attach(ln_socket_event(msg)->descriptor);
    ln_msg_free(&msg);
    while (count > 0) {
        ln_socket_close(&sockets[--count], true);
    }
    ln_socket_close(&listener, false);
    while (ln_receive(10, &msg) == 0) {
        io_close(ln_io(), ln_socket_event(msg)->descriptor, true);
        ln_msg_free(&msg);
    }
}

static void
accepts_when_there_is_room(void **state)
{
    (void)state;
    stage_play_machine(full_story, &(struct sim_options){.sockets_max = 6});
}

/* So many call and are attached, one after the other. Returns the listener. */
static struct ln_socket *
crowd_let_in(unsigned count, struct witness *crowd, struct ln_socket **mine)
{
    struct io_address address = harbour_address();
    struct ln_socket *listener;
    EXPECT(ln_socket_listen(&address, &listener, NULL) == 0);
    for (unsigned i = 0; i < count; i++) {
        harbour_call(&crowd[i]);
        struct ln_socket_event event;
        stage_expect(LN_TAG_ACCEPT, &event, sizeof event);
        mine[i] = ln_socket_attach(event.descriptor);
    }
    return listener;
}

/* More sockets hold a received message than there are receive buffers. */
static void
starving_story(void)
{
    enum { CONNECTIONS = 100 };
    static struct ln_socket *mine[CONNECTIONS];
    static struct ln_msg *held[CONNECTIONS];
    static struct witness crowd[CONNECTIONS];
    struct ln_socket *listener = crowd_let_in(CONNECTIONS, crowd, mine);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        sim_peer_send(crowd[i].peer, "x", 1);
    }
    unsigned count = 0;
    while (ln_receive(100, &held[count]) == 0) {
        EXPECT(held[count]->tag == LN_TAG_DATA);
        count++;
    }
    EXPECT(count >= 32 && count < CONNECTIONS); /* the rest waits for a buffer, without a sound */
    for (unsigned i = 0; i < count; i++) {
        ln_msg_free(&held[i]);
    }
    for (; ln_receive(100, &held[0]) == 0; count++) {
        EXPECT(held[0]->tag == LN_TAG_DATA && count < CONNECTIONS);
        ln_msg_free(&held[0]);
    }
    EXPECT(count == CONNECTIONS);
    struct ln_scheduler_info info;
    EXPECT(ln_inspect_scheduler(ln_pid_scheduler(ln_self()), &info) == 0);
    EXPECT(info.io_buffers_short < CONNECTIONS); /* who waits does not ask again and again */
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

/* Two who have much to say, two buffers, and two with a word each. */
static void
flooded_story(void)
{
    enum { FLOODING = 2, QUIET = 2, CONNECTIONS = FLOODING + QUIET, EVENTS_MAX = 8 };
    static struct ln_socket *mine[CONNECTIONS];
    static struct witness crowd[CONNECTIONS];
    static const unsigned char flood[48 << 10];
    struct ln_socket *listener = crowd_let_in(CONNECTIONS, crowd, mine);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        sim_peer_send(crowd[i].peer, flood, i < FLOODING ? sizeof flood : 1);
    }
    EXPECT(ln_sleep(100) == 0); /* all of it has arrived */
    unsigned heard = 0;
    for (unsigned events = 0; heard < QUIET; events++) {
        struct ln_msg *msg = stage_next();
        EXPECT(msg->tag == LN_TAG_DATA && events < EVENTS_MAX);
        heard += ln_socket_event(msg)->bytes == 1;
        ln_msg_free(&msg);
    }
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        ln_socket_close(&mine[i], true);
    }
    ln_socket_close(&listener, false);
}

static void
takes_turns_at_buffers(void **state)
{
    (void)state;
    stage_play_machine(flooded_story, &(struct sim_options){.receive_buffers = 2});
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
        SPEC("bytes that may wait leave with the next ones, after their time, or with the end",
             patient_bytes_wait_for_company),
        SPEC("they hinder no detaching, and go with a connection that is cut",
             patient_bytes_are_no_hindrance),
        SPEC("nothing waits any more for their time when the connection is aborted, has failed, or "
             "the node ends",
             patient_bytes_outlive_nothing),
        SPEC("bytes that nobody read cost no last words", unread_bytes_cost_no_last_words),
        SPEC("who has ended his side may read on; that he is gone is told, too, once",
             who_goes_later_is_told_of),
        SPEC("a close after a shutdown ends our side no second time", our_side_ends_once),
        SPEC("a close waits a few seconds for a deaf peer, then resets",
             a_deaf_peer_is_not_waited_for),
        SPEC("a deaf peer keeps no node from ending", a_deaf_peer_keeps_no_node),
        SPEC("an abort resets at once", an_abort_resets),
        SPEC("a cut connection is told once", a_cut_is_told_once),
        SPEC("when the peer ends its side, ours may still speak", one_side_may_end_first),
        SPEC("a paused socket is silent until it is resumed", a_paused_socket_is_silent),
        SPEC("a socket tells once when it is drained", tells_when_it_is_drained),
        SPEC("connections above the machine's limit are accepted when there is room again",
             accepts_when_there_is_room),
        SPEC("a socket that finds no receive buffer waits for one, and asks once",
             waits_for_a_buffer),
        SPEC("who gives a buffer back waits behind those who have none", takes_turns_at_buffers),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
