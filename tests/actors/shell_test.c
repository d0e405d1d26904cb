/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's door of a whole node under sim. */
#include "actors/shell.h"

#include "actors/auth.h"
#include "runtime/supervisor.h"
#include "runtime/text.h"
#include "runtime/trace.h"
#include "tests/actors/office.h"
#include "tests/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

static uint64_t
number(const char *name)
{
    char member[64];
    (void)snprintf(member, sizeof member, "\"%s\":", name);
    const char *at = strstr(desk.document, member);
    assert_non_null(at);
    return strtoull(at + strlen(member), NULL, 10);
}

/* ---------------------------------------------------------------------------------------- users */

static void
adds_finds_and_removes_a_user(void **state)
{
    (void)state;
    desk_ask(&desk, "user", "add", "alice", "correct horse");
    assert_int_equal(desk.status, SHELL_DONE);
    uint64_t user = number("user");
    assert_true(user > 0);
    desk_ask(&desk, "inspect", "alice");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_int_equal(number("user"), user);
    assert_true(says("\"name\":\"alice\""));
    assert_true(says("\"devices\":[]"));
    desk_ask(&desk, "user", "list");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("[{\"name\":\"alice\","));
    assert_string_equal(desk.next, "");
    desk_ask(&desk, "user", "remove", "alice");
    assert_string_equal(desk.document, "{\"name\":\"alice\",\"removed\":true}");
    desk_ask(&desk, "user", "list");
    assert_string_equal(desk.document, "[]");
    desk_ask(&desk, "inspect", "alice");
    failed_with(SHELL_UNKNOWN, "there is no user 'alice'");
}

static void
knows_no_such_group(void **state)
{
    (void)state;
    desk_ask(&desk, "group", "list");
    assert_string_equal(desk.document, "[]");
    assert_string_equal(desk.next, "");
    desk_ask(&desk, "group", "list", "256.0");
    failed_with(SHELL_USAGE, "group list: '256.0' is no place to go on from");
    desk_ask(&desk, "group", "show", "7");
    failed_with(SHELL_UNKNOWN, "there is no group 7");
    desk_ask(&desk, "group", "show", "walkers");
    failed_with(SHELL_USAGE, "group show: 'walkers' is no number of a group");
    desk_ask(&desk, "group", "members", "7");
    failed_with(SHELL_UNKNOWN, "there is no group 7");
    desk_ask(&desk, "group", "members", "7", "x");
    failed_with(SHELL_USAGE, "group members: 'x' is no place to go on from");
}

static void
finds_a_user_by_number(void **state)
{
    char user[24];
    (void)state;
    desk_ask(&desk, "user", "add", "alice");
    (void)snprintf(user, sizeof user, "%llu", (unsigned long long)number("user"));
    const char *const words[] = {"inspect", user};
    desk_ask_list(&desk, words, 2);
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("\"name\":\"alice\""));
    desk_ask(&desk, "inspect", "4611686018427387904");
    assert_int_equal(desk.status, SHELL_UNKNOWN);
}

static void
refuses_a_name_that_is_taken(void **state)
{
    (void)state;
    desk_ask(&desk, "user", "add", "alice", "one");
    desk_ask(&desk, "user", "add", "alice", "two");
    failed_with(SHELL_FAILED, "there is a user 'alice' already");
}

static void
refuses_bad_names_and_passwords(void **state)
{
    char password[1026];
    const char *const words[] = {"user", "add", "alice", password};
    (void)state;
    memset(password, 'x', sizeof password - 1);
    password[sizeof password - 1] = '\0';
    desk_ask(&desk, "user", "add", "a/b", "x");
    failed_with(SHELL_FAILED, "'a/b': a user's name that has a '/' or '@', which names don't");
    desk_ask(&desk, "user", "add", "", "x");
    failed_with(SHELL_FAILED, "'': a user's name that is empty");
    desk_ask(&desk, "user", "add", "alice", "");
    failed_with(SHELL_FAILED, "a password has 1 to 1024 bytes, this one 0");
    desk_ask_list(&desk, words, 4);
    failed_with(SHELL_FAILED, "a password has 1 to 1024 bytes, this one 1025");
}

static void
knows_no_such_user(void **state)
{
    (void)state;
    desk_ask(&desk, "user", "passwd", "bob", "secret");
    failed_with(SHELL_UNKNOWN, "there is no user 'bob'");
    desk_ask(&desk, "user", "remove", "bob");
    failed_with(SHELL_UNKNOWN, "there is no user 'bob'");
    desk_ask(&desk, "user", "token", "bob");
    failed_with(SHELL_UNKNOWN, "there is no user 'bob'");
}

/* What is set at the door is what people log in with. */
static void
gives_passwords_that_people_log_in_with(void **state)
{
    (void)state;
    struct person *alice = world_person(&world, "alice");
    struct person *bob = world_person(&world, "bob");
    assert_true(world_settle(&world));
    desk_ask(&desk, "inspect", "alice");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_int_equal(number("user"), alice->user);
    assert_true(says("\"devices\":[{\"device\":1,"));
    assert_false(says("\"connection\":\"\""));
    person_says(alice, bob, 1);
    assert_true(world_settle(&world));
    desk_ask(&desk, "user", "passwd", "alice", "another");
    assert_string_equal(desk.document, "{\"name\":\"alice\",\"changed\":true}");
}

static void
gives_a_token_for_a_new_device(void **state)
{
    struct auth_token token;
    (void)state;
    desk_ask(&desk, "user", "add", "alice");
    uint64_t user = number("user");
    desk_ask(&desk, "user", "token", "alice", "tablet");
    assert_int_equal(desk.status, SHELL_DONE);
    const char *at = strstr(desk.document, "\"token\":\"");
    assert_non_null(at);
    at += strlen("\"token\":\"");
    assert_int_equal(auth_token_parse(at, strcspn(at, "\""), &token), 0);
    assert_int_equal(token.user, user);
    assert_int_equal(token.device, 1);
    desk_ask(&desk, "inspect", "alice");
    assert_true(says("\"devices\":[{\"device\":1,\"name\":\"tablet\","));
}

static void
gives_no_more_tokens_than_devices(void **state)
{
    (void)state;
    desk_ask(&desk, "user", "add", "alice");
    for (unsigned i = 0; i < STORE_DEVICES_MAX; i++) {
        desk_ask(&desk, "user", "token", "alice");
        assert_int_equal(desk.status, SHELL_DONE);
    }
    desk_ask(&desk, "user", "token", "alice");
    failed_with(SHELL_FAILED, "'alice' has 5 devices, as many as devices_max allows");
}

static void
imports_the_good_and_names_the_bad(void **state)
{
    (void)state;
    desk_ask(&desk, "user", "add", "bob");
    desk_ask(&desk, "user", "import", "alice", "phone", "bob", "", "c/d", "", "eve", "");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("[{\"name\":\"alice\",\"user\":"));
    assert_true(says(",{\"name\":\"bob\",\"error\":\"there is such a user already\"},"));
    assert_true(says(",{\"name\":\"c/d\",\"error\":\"has a '/' or '@', which names don't\"},"));
    assert_true(says(",{\"name\":\"eve\",\"user\":"));
}

/* More than are under way at a time, and more than a page of the list. */
static void
imports_more_than_a_window(void **state)
{
    enum { COUNT = SHELL_IMPORT_MAX };
    static char names[COUNT][16];
    static const char *words[2 + 2 * COUNT] = {"user", "import"};
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof names[i], "user%u", i);
        words[2 + 2 * i] = names[i];
        words[3 + 2 * i] = "";
    }
    desk_ask_list(&desk, words, 2 + 2 * COUNT);
    assert_int_equal(desk.status, SHELL_DONE);
    assert_false(says("error"));
    assert_true(says("\"name\":\"user1999\""));
    desk_ask(&desk, "user", "list");
    unsigned listed = 0;
    for (const char *at = desk.document; (at = strstr(at, "\"name\"")) != NULL; at++) {
        listed++;
    }
    assert_string_equal(desk.next, "");
    assert_int_equal(listed, COUNT);
}

static void
removes_the_known_and_names_the_unknown(void **state)
{
    (void)state;
    desk_ask(&desk, "user", "import", "alice", "", "bob", "", "eve", "");
    desk_ask(&desk, "users", "remove", "alice", "nobody", "", "bob", "alice");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("{\"name\":\"bob\",\"removed\":true}"));
    assert_true(says("{\"name\":\"nobody\",\"error\":\"there is no such user\"}"));
    assert_true(says("{\"name\":\"\",\"error\":\"there is no such user\"}"));
    assert_true(says("{\"name\":\"alice\",\"removed\":true}"));
    desk_ask(&desk, "users", "remove", "nobody"); /* one is as many */
    assert_int_equal(desk.status, SHELL_DONE);
    assert_string_equal(desk.document,
                        "[{\"name\":\"nobody\",\"error\":\"there is no such user\"}]");
    desk_ask(&desk, "user", "list");
    assert_true(says("\"name\":\"eve\""));
    assert_false(says("alice"));
    assert_false(says("bob"));
}

static void
removes_more_than_a_window(void **state)
{
    enum { COUNT = SHELL_IMPORT_MAX };
    static char names[COUNT][16];
    static const char *made[2 + 2 * COUNT] = {"user", "import"};
    static const char *removed[2 + COUNT] = {"users", "remove"};
    (void)state;
    for (unsigned i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof names[i], "user%u", i);
        made[2 + 2 * i] = names[i];
        made[3 + 2 * i] = "";
        removed[2 + i] = names[i];
    }
    desk_ask_list(&desk, made, 2 + 2 * COUNT);
    desk_ask_list(&desk, removed, 2 + COUNT);
    assert_int_equal(desk.status, SHELL_DONE);
    assert_false(says("error"));
    assert_true(says("{\"name\":\"user1999\",\"removed\":true}"));
    desk_ask(&desk, "user", "list");
    assert_string_equal(desk.document, "[]");
    desk_ask_list(&desk, made, 4); /* the names are free again */
    assert_true(says("\"name\":\"user0\",\"user\":"));
}

/* Page by page; how many rows there were with this in it, and how many pages. */
static unsigned
exported(const char *name, const char *part, unsigned *out_pages)
{
    char next[64] = "";
    unsigned rows = 0;
    *out_pages = 0;
    do {
        const char *const words[] = {"user", "export", name, next};
        desk_ask_list(&desk, words, next[0] != '\0' ? 4 : 3);
        assert_int_equal(desk.status, SHELL_DONE);
        char why[128];
        yajl_val tree = yajl_tree_parse(desk.document, why, sizeof why);
        assert_non_null(tree);
        yajl_tree_free(tree);
        for (const char *at = desk.document; (at = strstr(at, part)) != NULL; at++) {
            rows++;
        }
        (void)snprintf(next, sizeof next, "%s", desk.next);
        ++*out_pages;
    } while (next[0] != '\0');
    return rows;
}

static void
exports_all_of_a_user(void **state)
{
    (void)state;
    unsigned pages = 0;
    struct person *alice = world_person(&world, "alice");
    struct person *bob = world_person(&world, "bob");
    assert_true(world_settle(&world));
    person_leaves(bob);
    person_says(alice, bob, 450);
    assert_true(world_settle(&world));
    assert_int_equal(exported("bob", "{\"newMessage\":", &pages), 450);
    assert_int_equal(pages, 9); /* seven sections, the inbox in three pages */
    assert_int_equal(exported("bob", "{\"user\":{\"userId\":", &pages), 1);
    assert_int_equal(exported("bob", "{\"device\":{\"device\":1,", &pages), 1);
    assert_int_equal(exported("bob", "\"chatNumber\":\"450\",\"delivered\":\"0\"", &pages), 1);
    desk_ask(&desk, "user", "export", "bob", "7.0");
    failed_with(SHELL_USAGE, "user export: '7.0' is no place to go on from");
    desk_ask(&desk, "user", "export", "bob", "5");
    failed_with(SHELL_USAGE, "user export: '5' is no place to go on from");
    desk_ask(&desk, "user", "export", "nobody");
    failed_with(SHELL_UNKNOWN, "there is no user 'nobody'");
}

/* ------------------------------------------------------------------------------------- the node */

static void
tells_how_the_node_does(void **state)
{
    (void)state;
    desk_ask(&desk, "status");
    assert_int_equal(desk.status, SHELL_DONE);
    assert_true(says("\"state\":\"serving\""));
    assert_true(says("\"listen\":\"127.0.0.1:4222\""));
    assert_true(says("\"schedulers\":[{\"scheduler\":0,"));
    char why[128];
    yajl_val tree = yajl_tree_parse(desk.document, why, sizeof why);
    assert_non_null(tree);
    yajl_tree_free(tree);
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
    char why[128];
    yajl_val tree = yajl_tree_parse(desk.document, why, sizeof why);
    assert_non_null(tree);
    yajl_tree_free(tree);
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

/* How often a text stands in the document. */
static unsigned
times(const char *text)
{
    unsigned count = 0;
    for (const char *at = desk.document; (at = strstr(at, text)) != NULL; at++) {
        count++;
    }
    return count;
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
        DOOR("a user is added, found, listed and removed", adds_finds_and_removes_a_user),
        DOOR("a user is found by number", finds_a_user_by_number),
        DOOR("what concerns no group says so", knows_no_such_group),
        DOOR("a name that is taken is refused", refuses_a_name_that_is_taken),
        DOOR("names and passwords that can't be are refused", refuses_bad_names_and_passwords),
        DOOR("what concerns no user says so with its own status", knows_no_such_user),
        DOOR("a user who is online is shown with device and connection",
             gives_passwords_that_people_log_in_with),
        DOOR("a token is for a new device of the user", gives_a_token_for_a_new_device),
        DOOR("devices are limited for the operator too", gives_no_more_tokens_than_devices),
        DOOR("an import makes the good ones and names the bad", imports_the_good_and_names_the_bad),
        DOOR("an import goes through more than its window", imports_more_than_a_window),
        DOOR("of many who are removed the unknown are named",
             removes_the_known_and_names_the_unknown),
        DOOR("a removal of many goes through more than its window", removes_more_than_a_window),
        DOOR("an export tells all of a user, in pages", exports_all_of_a_user),
        DOOR("status tells how the node does", tells_how_the_node_does),
        DOOR("config shows the settings", shows_the_settings),
        DOOR("store info has every partition", shows_every_partition),
        DOOR("the first actors of an order come alone", answers_with_the_first_of_an_order),
        DOOR("a tree counts leaves that are many", counts_the_many_leaves_of_a_tree),
        DOOR("ps lists every actor with its parent", lists_all_actors),
        DOOR("a list goes on where its cursor says", goes_on_from_a_cursor),
        DOOR("trace follows a user's actors until they have ended", traces_a_users_messages),
        DOOR("a trace ends at its bounds of events and time, and needs somebody to follow",
             traces_within_bounds),
        DOOR("a trace ends with its connection, and with the next one",
             ends_a_trace_with_its_connection),
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
