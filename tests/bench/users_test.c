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
    return users_load(users, copy, why);
}

static void
as_the_tool_prints(void **state)
{
    (void)state;
    struct users users;
    assert_int_equal(loads(&users, 2, "anna,17,TOKEN-A\nbert,18,TOKEN-B\n"), 0);
    assert_string_equal(users.list[0].name, "anna");
    assert_string_equal(users.list[0].token, "TOKEN-A");
    assert_string_equal(users.list[1].name, "bert");
    assert_string_equal(users.list[1].token, "TOKEN-B");
    assert_false(users.fresh);
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

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("names and tokens are read as `linnet user import` prints them", as_the_tool_prints),
        SPEC("lines may be tokens alone; empty lines are passed over", tokens_alone),
        SPEC("tokens beyond those that are needed stay unused", more_than_needed),
        SPEC("too few tokens are told", too_few),
        SPEC("a line without a token is told with its number", no_token),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
