/* SPDX-License-Identifier: Apache-2.0 */
/* Where is my message, asked at the operator's door of a whole node under sim. */
#include "actors/shell.h"
#include "tests/actors/office.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

/* The last message that she said; everybody's first device is 1. */
static void
ask_for_last(struct person *person)
{
    char id[64];
    uint64_t next = client_next_number(&person->client);
    (void)snprintf(id, sizeof id, "%s/1/%llu", person->name, (unsigned long long)next - 1);
    const char *const words[] = {"msg", "trace", id};
    desk_ask_list(&desk, words, 3);
    assert_int_equal(desk.status, SHELL_DONE);
}

static void
traces_a_message(void **state)
{
    (void)state;
    struct person *alice = world_person(&world, "alice");
    struct person *bob = world_person(&world, "bob");
    assert_true(world_settle(&world));
    person_says(alice, bob, 2);
    assert_true(world_settle(&world));
    ask_for_last(alice);
    assert_int_equal(times("\"step\":\"accepted\""), 1);
    assert_int_equal(times("\"step\":\"durable\""), 1);
    assert_int_equal(times("\"step\":\"queued\""), 1);
    assert_int_equal(times("\"step\":\"answered\""), 1);
    assert_int_equal(times("\"step\":\"written\""), 1);
    assert_int_equal(times("\"step\":\"acknowledged\""), 1);
    assert_int_equal(times("\"step\":\"read\""), 1);
    assert_int_equal(times("\"chat_number\":2"), 3); /* durable, answered, read */
    assert_true(says("\"missed\":0"));
    assert_true(strstr(desk.document, "accepted") < strstr(desk.document, "durable"));
    assert_true(strstr(desk.document, "written") < strstr(desk.document, "acknowledged"));
}

/* It waits: nobody has written it anywhere. */
static void
traces_what_waits(void **state)
{
    (void)state;
    struct person *alice = world_person(&world, "alice");
    struct person *bob = world_person(&world, "bob");
    assert_true(world_settle(&world));
    person_leaves(bob);
    world_run(&world, 1000);
    person_says(alice, bob, 1);
    world_run(&world, 1000);
    ask_for_last(alice);
    assert_int_equal(times("\"step\":\"queued\""), 1);
    assert_int_equal(times("\"step\":\"written\""), 0);
    person_returns(bob);
    assert_true(world_settle(&world));
    ask_for_last(alice);
    assert_int_equal(times("\"step\":\"written\""), 1);
    assert_int_equal(times("\"step\":\"acknowledged\""), 1);
}

static void
knows_no_such_message(void **state)
{
    (void)state;
    (void)world_person(&world, "alice");
    assert_true(world_settle(&world));
    desk_ask(&desk, "msg", "trace", "alice/1/77");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("\"steps\":[],\"cut\":false"));
    desk_ask(&desk, "msg", "trace", "eve/1/77");
    failed_with(SHELL_UNKNOWN, "there is no user 'eve'");
    desk_ask(&desk, "msg", "trace", "1/77");
    failed_with(SHELL_USAGE, "'1/77' is no message: USER/DEVICE/NUMBER");
    desk_ask(&desk, "msg", "trace", "alice/x/77");
    failed_with(SHELL_USAGE, "'alice/x/77' is no message: USER/DEVICE/NUMBER");
    desk_ask(&desk, "msg", "trace", "alice/65536/77");
    failed_with(SHELL_USAGE, "'alice/65536/77' is no message: USER/DEVICE/NUMBER");
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        DOOR("a message that has arrived is traced over all its steps", traces_a_message),
        DOOR("a message that waits shows for whom, and nothing more", traces_what_waits),
        DOOR("a message that nobody sent has no steps, and what is no id is refused",
             knows_no_such_message),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
