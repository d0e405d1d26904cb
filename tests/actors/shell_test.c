/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's door of a whole node under sim: how it is spoken to, and by whom. */
#include "actors/shell.h"

#include "tests/actors/office.h"
#include "tests/spec.h"

/* -------------------------------------------------------------------------------- bad requests */

static void
refuses_unknown_commands(void **state)
{
    (void)state;
    desk_ask(&desk, "fly");
    assert_int_equal(desk.status, SHELL_USAGE);
    assert_true(says("does not know this command"));
    desk_ask(&desk, "user");
    assert_int_equal(desk.status, SHELL_USAGE);
    desk_ask(&desk, "user", "add");
    failed_with(SHELL_USAGE, "user add: 0 words, where 1 to 2 can stand");
    desk_ask(&desk, "status", "now");
    failed_with(SHELL_USAGE, "status: 1 words, where 0 to 0 can stand");
    desk_ask(&desk, "user", "import", "a", "b", "c");
    failed_with(SHELL_USAGE, "user import: a name without its device");
}

static void
refuses_what_is_not_utf8(void **state)
{
    (void)state;
    desk_ask(&desk, "user", "add", "alice", "\xff");
    failed_with(SHELL_USAGE, "word 4 is not UTF-8");
}

static void
refuses_another_version(void **state)
{
    (void)state;
    desk_connect(&desk);
    desk_send(&desk, "27:14:linnet.shell.9,6:status,,", 31);
    assert_true(desk_wait(&desk, 1000));
    assert_int_equal(desk.status, SHELL_USAGE);
    assert_true(says("speaks linnet.shell.1"));
    desk_ask(&desk, "status");
    assert_int_equal(desk.status, SHELL_DONE);
}

static void
answers_rubbish_and_hangs_up(void **state)
{
    (void)state;
    desk_connect(&desk);
    desk_send(&desk, "GET / HTTP/1.1\r\n\r\n", 18);
    assert_true(desk_wait(&desk, 1000));
    failed_with(SHELL_USAGE, "this is no request of the shell's");
    assert_false(desk_wait(&desk, 10000));
    assert_true(desk.closed);
}

static void
refuses_an_empty_request(void **state)
{
    (void)state;
    desk_connect(&desk);
    desk_send(&desk, "0:,", 3);
    assert_true(desk_wait(&desk, 1000));
    failed_with(SHELL_USAGE, "this is no request of the shell's");
}

static void
refuses_a_request_that_is_too_long(void **state)
{
    (void)state;
    desk_connect(&desk);
    desk_send(&desk, "9000000:", 8);
    assert_true(desk_wait(&desk, 1000));
    failed_with(SHELL_USAGE, "the request is too long");
}

static void
puts_single_bytes_together(void **state)
{
    static const char request[] = "27:14:linnet.shell.1,6:status,,";
    (void)state;
    desk_connect(&desk);
    for (size_t i = 0; i < sizeof request - 1; i++) {
        desk_send(&desk, request + i, 1);
        world_run(&world, 1);
    }
    assert_true(desk_wait(&desk, 1000));
    assert_int_equal(desk.status, SHELL_DONE);
}

static void
serves_requests_one_after_another(void **state)
{
    (void)state;
    desk_connect(&desk);
    desk_send(&desk, "27:14:linnet.shell.1,6:status,,27:14:linnet.shell.1,6:status,,", 62);
    world_run(&world, 1000);
    size_t first = 0;
    size_t second = 0;
    assert_int_equal(shell_wire_whole(desk.received, desk.bytes, desk.bytes, &first), 0);
    assert_int_equal(
        shell_wire_whole(desk.received + first, desk.bytes - first, desk.bytes - first, &second),
        0);
    assert_int_equal(first + second, desk.bytes);
}

/* ------------------------------------------------------------------------------- slow and many */

static void
hangs_up_on_the_silent(void **state)
{
    (void)state;
    desk_connect(&desk);
    desk_send(&desk, "27:14:linnet", 12);
    assert_false(desk_wait(&desk, SHELL_PATIENCE_MS - 1000));
    assert_false(desk.closed);
    assert_false(desk_wait(&desk, 2000));
    assert_true(desk.closed);
}

static void
hangs_up_on_who_takes_no_answer(void **state)
{
    (void)state;
    desk_connect(&desk);
    sim_peer_pause(desk.peer, true);
    /* Longer than what fits into the connection. */
    desk_send(&desk, "34:14:linnet.shell.1,5:store,4:info,,", 37);
    desk_send(&desk, "34:14:linnet.shell.1,5:store,4:info,,", 37);
    desk_send(&desk, "34:14:linnet.shell.1,5:store,4:info,,", 37);
    desk_send(&desk, "34:14:linnet.shell.1,5:store,4:info,,", 37);
    world_run(&world, 3 * (uint64_t)SHELL_PATIENCE_MS);
    uint64_t served = messenger_counted(&world.messenger.counters.shell_requests);
    assert_true(served >= 1 && served <= 3);
    sim_peer_pause(desk.peer, false);
    world_run(&world, 1000);
    assert_true(desk.closed);
}

static void
has_room_for_so_many(void **state)
{
    static struct desk desks[SHELL_CONNECTIONS_MAX];
    (void)state;
    for (unsigned i = 0; i < SHELL_CONNECTIONS_MAX; i++) {
        desk_open(&desks[i], &world);
        desk_connect(&desks[i]);
    }
    world_run(&world, 10);
    desk_connect(&desk);
    world_run(&world, 100);
    assert_true(desk.closed);
    assert_int_equal(messenger_counted(&world.messenger.counters.shell_refused), 1);
    for (unsigned i = 0; i < SHELL_CONNECTIONS_MAX; i++) {
        assert_false(desks[i].closed);
        desk_close(&desks[i]);
    }
    world_run(&world, 100);
    desk_ask(&desk, "status");
    assert_int_equal(desk.status, SHELL_DONE);
}

static void
survives_who_leaves_in_the_middle(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * SHELL_CONNECTIONS_MAX; i++) {
        desk_connect(&desk);
        desk_send(&desk, "34:14:linnet.shell.1,5:store,4:info,,", 10 + i % 28);
        world_run(&world, i % 4);
        sim_peer_cut(desk.peer);
        desk.closed = true;
        world_run(&world, 2);
    }
    desk_ask(&desk, "status");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_int_equal(messenger_counted(&world.messenger.counters.shell_refused), 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        DOOR("unknown commands and wrong words are refused", refuses_unknown_commands),
        DOOR("words that are not UTF-8 are refused", refuses_what_is_not_utf8),
        DOOR("another version is refused, and the connection stays", refuses_another_version),
        DOOR("rubbish is answered, then the connection closed", answers_rubbish_and_hangs_up),
        DOOR("an empty request is refused", refuses_an_empty_request),
        DOOR("a request that is too long is refused at its length",
             refuses_a_request_that_is_too_long),
        DOOR("a request may come in single bytes", puts_single_bytes_together),
        DOOR("requests sent together are served in turn", serves_requests_one_after_another),
        DOOR("who stays silent is hung up on", hangs_up_on_the_silent),
        DOOR("who takes no answer is hung up on", hangs_up_on_who_takes_no_answer),
        DOOR("connections are bounded, and their places come back", has_room_for_so_many),
        DOOR("who leaves in the middle leaves nothing behind", survives_who_leaves_in_the_middle),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
