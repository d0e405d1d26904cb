/* SPDX-License-Identifier: Apache-2.0 */
/* Users, and groups, at the operator's door of a whole node under sim. */
#include "actors/auth.h"
#include "actors/shell.h"
#include "tests/actors/office.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

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
    assert_string_equal(desk.next, "");
    assert_int_equal(times("\"name\""), COUNT);
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
        is_json();
        rows += times(part);
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
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
