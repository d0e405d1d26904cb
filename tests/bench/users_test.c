/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/users.h"

#include "tests/spec.h"

#include <errno.h>
#include <string.h>

static char why[USERS_TEXT_BYTES];

static int
loads(struct users *users, uint32_t count, const char *text)
{
    char copy[1000] = "";
    strncpy(copy, text, sizeof copy - 1);
    users_init(users, count);
    return users_load(users, copy, 0, why);
}

static void
as_the_tool_prints(void **state)
{
    (void)state;
    struct users users;
    assert_int_equal(loads(&users, 2, "anna,17,TOKEN-A\nbert,18,TOKEN-B\n"), 0);
    assert_string_equal(users.list[0].name, "anna");
    assert_string_equal(users.list[0].token, "TOKEN-A");
    assert_int_equal(users.list[0].id, 17);
    assert_string_equal(users.list[1].name, "bert");
    assert_string_equal(users.list[1].token, "TOKEN-B");
    assert_int_equal(users.list[1].id, 18);
    assert_false(users.fresh);
    assert_int_equal(users_ids(&users, why), 0);
    users_fini(&users);
}

static void
tokens_alone(void **state)
{
    (void)state;
    struct users users;
    assert_int_equal(loads(&users, 2, "\r\nTOKEN-A\r\n\nTOKEN-B"), 0);
    assert_string_equal(users.list[0].name, "token 2");
    assert_string_equal(users.list[0].token, "TOKEN-A");
    assert_string_equal(users.list[1].token, "TOKEN-B");
    users_fini(&users);
}

static void
more_than_needed(void **state)
{
    (void)state;
    struct users users;
    assert_int_equal(loads(&users, 1, "A\nB\nC\n"), 0);
    assert_string_equal(users.list[0].token, "A");
    users_fini(&users);
}

static void
behind_others(void **state)
{
    (void)state;
    struct users users;
    char text[] = "A\n\nanna,17,B\nC\nD\n";
    users_init(&users, 2);
    assert_int_equal(users_load(&users, text, 1, why), 0);
    assert_string_equal(users.list[0].name, "anna");
    assert_string_equal(users.list[1].token, "C");
    users_fini(&users);
}

static void
named_in_order(void **state)
{
    (void)state;
    struct users users;
    enum { MANY = 20000 };
    users_init(&users, MANY);
    users_name(&users, "crowd-", 5);
    assert_string_equal(users.list[0].name, "crowd-6");
    assert_string_equal(users.list[MANY - 1].name, "crowd-20005");
    assert_true(users.fresh);
    users_fini(&users);
}

static void
too_few(void **state)
{
    (void)state;
    struct users users;
    assert_int_equal(loads(&users, 3, "A\nB\n"), -EINVAL);
    assert_string_equal(why, "--tokens: 2 of them, and 3 users are to log in");
    users_fini(&users);
}

static void
no_token(void **state)
{
    (void)state;
    struct users users;
    assert_int_equal(loads(&users, 2, "anna,17,TOKEN-A\nbert,18,\n"), -EINVAL);
    assert_string_equal(why, "--tokens: line 2 has no token");
    users_fini(&users);
}

static void
no_id(void **state)
{
    (void)state;
    static const char *const texts[] = {"anna,17,A\nB\n", "anna,17,A\nbert,B\n",
                                        "anna,17,A\nbert,,B\n", "anna,17,A\nbert,18x,B\n",
                                        "anna,17,A\nbert,-1,B\n"};
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct users users;
        assert_int_equal(loads(&users, 2, texts[i]), 0);
        assert_int_equal(users.list[0].id, 17);
        assert_int_equal(users.list[1].id, 0);
        assert_int_equal(users_ids(&users, why), -EINVAL);
        assert_non_null(strstr(why, i == 0 ? "the id of token 2" : "the id of bert"));
        users_fini(&users);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("names and tokens are read as `linnet user import` prints them", as_the_tool_prints),
        SPEC("lines may be tokens alone; empty lines are passed over", tokens_alone),
        SPEC("tokens beyond those that are needed stay unused", more_than_needed),
        SPEC("a process takes its share from the middle of the file", behind_others),
        SPEC("those that are to be made are numbered over all processes", named_in_order),
        SPEC("too few tokens are told", too_few),
        SPEC("whose id no line tells is told", no_id),
        SPEC("a line without a token is told with its number", no_token),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
