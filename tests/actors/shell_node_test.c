/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator's door shows of a whole node under sim. */
#include "tests/actors/office.h"
#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
tells_how_the_node_does(void **state)
{
    (void)state;
    desk_ask(&desk, "status");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("\"state\":\"serving\""));
    assert_true(says("\"listen\":\"127.0.0.1:4222\""));
    assert_true(says("\"schedulers\":[{\"scheduler\":0,"));
    is_json();
}

static void
shows_the_settings(void **state)
{
    (void)state;
    desk_ask(&desk, "config", "show");
    assert_true(says("{\"name\":\"registration\",\"value\":\"open\","));
}

static void
shows_every_partition(void **state)
{
    (void)state;
    desk_ask(&desk, "store", "info");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("{\"partition\":0,"));
    assert_true(says("{\"partition\":255,"));
    assert_true(says("\"log_bytes\":"));
    assert_false(says("\"log_bytes\":0,")); /* the epochs */
    is_json();
}

/* Every actor has a parent that is in the list, but for the root. */
static void
lists_all_actors(void **state)
{
    char parent[64];
    unsigned count = 0;
    unsigned roots = 0;
    (void)state;
    desk_ask(&desk, "ps");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_string_equal(desk.next, "");
    for (const char *at = desk.document; (at = strstr(at, "\"parent\":\"")) != NULL; count++) {
        at += strlen("\"parent\":\"");
        if (*at == '"') {
            roots++;
            continue;
        }
        (void)snprintf(parent, sizeof parent, "{\"pid\":\"%.*s\"", (int)strcspn(at, "\""), at);
        assert_true(says(parent));
    }
    assert_true(count > 256);
    assert_int_equal(roots, 1);
}

static void
answers_with_the_first_of_an_order(void **state)
{
    static const char member[] = "\"memory_bytes\":";
    (void)state;
    desk_ask(&desk, "top", "memory", "5");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_int_equal(times("{\"pid\":"), 5);
    assert_true(number("all") > 256);
    uint64_t before = UINT64_MAX;
    for (const char *at = desk.document; (at = strstr(at, member)) != NULL;) {
        at += strlen(member);
        uint64_t bytes = strtoull(at, NULL, 10);
        assert_true(bytes > 0 && bytes <= before);
        before = bytes;
    }
    desk_ask(&desk, "top", "pid", "1");
    assert_true(says("\"pid\":\"0.1.0\""));
    desk_ask(&desk, "top", "name", "1000");
    assert_int_equal(times("{\"pid\":"), number("all"));
    desk_ask(&desk, "top", "colour", "1");
    failed_with(SHELL_USAGE, "top: 'colour 1' is no order with a limit of 1 to 1000");
    desk_ask(&desk, "top", "pid", "0");
    failed_with(SHELL_USAGE, "top: 'pid 0' is no order with a limit of 1 to 1000");
    desk_ask(&desk, "top", "pid", "1001");
    failed_with(SHELL_USAGE, "top: 'pid 1001' is no order with a limit of 1 to 1000");
}

/* Nobody is missing: rows and counts together are as many as there are actors. */
static void
counts_the_many_leaves_of_a_tree(void **state)
{
    (void)state;
    desk_ask(&desk, "tree");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_int_equal(times("\"behaviour\":\"partition\""), 1);
    assert_true(says("\"count\":256,"));
    assert_true(says("\"name\":\"shell\""));
    uint64_t counted = times("{\"pid\":");
    for (const char *at = desk.document; (at = strstr(at, "\"count\":")) != NULL;) {
        at += strlen("\"count\":");
        counted += strtoull(at, NULL, 10) - 1;
    }
    desk_ask(&desk, "ps");
    assert_int_equal(times("{\"pid\":"), counted);
}

static void
goes_on_from_a_cursor(void **state)
{
    (void)state;
    desk_ask(&desk, "ps", "0.9");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_false(says("\"pid\":\"0.8."));
    assert_true(says("\"pid\":\"0.9."));
    desk_ask(&desk, "ps", "9999");
    failed_with(SHELL_USAGE, "ps: '9999' is no place to go on from");
    desk_ask(&desk, "user", "list", "256.0");
    failed_with(SHELL_USAGE, "user list: '256.0' is no place to go on from");
    desk_ask(&desk, "user", "list", "0.x");
    failed_with(SHELL_USAGE, "user list: '0.x' is no place to go on from");
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        DOOR("status tells how the node does", tells_how_the_node_does),
        DOOR("config shows the settings", shows_the_settings),
        DOOR("store info has every partition", shows_every_partition),
        DOOR("the first actors of an order come alone", answers_with_the_first_of_an_order),
        DOOR("a tree counts leaves that are many", counts_the_many_leaves_of_a_tree),
        DOOR("ps lists every actor with its parent", lists_all_actors),
        DOOR("a list goes on where its cursor says", goes_on_from_a_cursor),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
