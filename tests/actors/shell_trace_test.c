/* SPDX-License-Identifier: Apache-2.0 */
/* Tracing actors at the operator's door of a whole node under sim. */
#include "runtime/trace.h"
#include "tests/actors/office.h"
#include "tests/spec.h"

static void
traces_a_users_messages(void **state)
{
    (void)state;
    struct person *alice = world_person(&world, "alice");
    struct person *bob = world_person(&world, "bob");
    assert_true(world_settle(&world));
    desk_ask(&desk, "trace", "bob", "1000", "10000");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_string_equal(desk.next, "on");
    person_says(alice, bob, 1);
    assert_true(world_settle(&world));
    desk_ask(&desk, "trace", "bob", "1000", "10000", "on");
    assert_true(says("\"event\":\"taken\"") && says("\"event\":\"sent\""));
    assert_true(says("\"as\":\"request\"") && says("\"lane\":\"durable\""));
    assert_int_equal(desk.status, SHELL_DONE);
    person_leaves(bob); /* and all that was followed ends */
    bool ended = false;
    for (unsigned i = 0; i < 100 && desk.next[0] != '\0'; i++) {
        desk_ask(&desk, "trace", "bob", "1000", "10000", "on");
        ended = ended || says("\"event\":\"ended\"");
    }
    assert_true(ended);
    assert_true(says("{\"event\":\"over\",\"reason\":\"actors ended\"}]"));
    desk_ask(&desk, "trace", "bob", "1000", "10000", "on");
    failed_with(SHELL_USAGE, "trace: there is none to go on with");
    desk_ask(&desk, "trace", "bob", "1000", "10000");
    failed_with(SHELL_FAILED, "'bob' is offline: there is no actor to trace");
}

static void
traces_within_bounds(void **state)
{
    (void)state;
    struct person *alice = world_person(&world, "alice");
    struct person *bob = world_person(&world, "bob");
    assert_true(world_settle(&world));
    desk_ask(&desk, "trace", "alice", "3", "10000");
    person_says(alice, bob, 5);
    assert_true(world_settle(&world));
    desk_ask(&desk, "trace", "alice", "3", "10000", "on");
    assert_string_equal(desk.next, "");
    assert_true(says("{\"event\":\"over\",\"reason\":\"count\"}]"));
    desk_ask(&desk, "trace", "alice", "3", "100");
    while (desk.next[0] != '\0') {
        desk_ask(&desk, "trace", "alice", "3", "100", "on");
    }
    assert_true(says("{\"event\":\"over\",\"reason\":\"time\"}]"));
    desk_ask(&desk, "trace", "alice", "0", "100");
    failed_with(SHELL_USAGE, "trace: '0' is no number of events from 1 to 1000000");
    desk_ask(&desk, "trace", "alice", "3", "x");
    failed_with(SHELL_USAGE, "trace: 'x' is no number of milliseconds from 1 to 3600000");
    desk_ask(&desk, "trace", "eve", "3", "100");
    failed_with(SHELL_UNKNOWN, "there is no user 'eve'");
    desk_ask(&desk, "trace", "0.4000.1", "3", "100");
    failed_with(SHELL_UNKNOWN, "there is no actor 0.4000.1");
    desk_ask(&desk, "trace", "200.1.1", "3", "100");
    failed_with(SHELL_UNKNOWN, "there is no actor 200.1.1");
}

static void
ends_a_trace_with_its_connection(void **state)
{
    (void)state;
    (void)world_person(&world, "alice");
    assert_true(world_settle(&world));
    for (unsigned i = 0; i < 2 * LN_TRACES_MAX; i++) {
        desk_ask(&desk, "trace", "alice", "1000", "3600000");
        assert_int_equal(desk.status, SHELL_DONE);
        assert_string_equal(desk.next, "on");
        desk_close(&desk);
        world_run(&world, 1000);
        desk_open(&desk, &world);
    }
    for (unsigned i = 0; i < 2 * LN_TRACES_MAX; i++) { /* or with the next one */
        desk_ask(&desk, "trace", "alice", "1000", "3600000");
        assert_int_equal(desk.status, SHELL_DONE);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        DOOR("trace follows a user's actors until they have ended", traces_a_users_messages),
        DOOR("a trace ends at its bounds of events and time, and needs somebody to follow",
             traces_within_bounds),
        DOOR("a trace ends with its connection, and with the next one",
             ends_a_trace_with_its_connection),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
