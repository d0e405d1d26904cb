/* SPDX-License-Identifier: Apache-2.0 */
#include "net/turn.h"
#include "tests/spec.h"

#include <string.h>

/* The sums are those of Python's hmac. */
static void
makes_what_the_server_expects(void **state)
{
    (void)state;
    struct turn_credentials made;
    assert_int_equal(turn_credentials_make("north", 5, 1780000000, 42, &made), 0);
    assert_string_equal(made.username, "1780000000:42");
    assert_string_equal(made.password, "hMzo9ds5TBGxBs5vo8IPeIeut38=");
}

static void
differs_by_secret_user_and_end(void **state)
{
    (void)state;
    struct turn_credentials first;
    struct turn_credentials other;
    assert_int_equal(turn_credentials_make("north", 5, 1780000000, 42, &first), 0);
    assert_int_equal(turn_credentials_make("south", 5, 1780000000, 42, &other), 0);
    assert_string_not_equal(first.password, other.password);
    assert_int_equal(turn_credentials_make("north", 5, 1780000001, 42, &other), 0);
    assert_string_not_equal(first.password, other.password);
    assert_int_equal(turn_credentials_make("north", 5, 1780000000, 43, &other), 0);
    assert_string_not_equal(first.password, other.password);
}

static void
has_room_for_the_largest(void **state)
{
    (void)state;
    struct turn_credentials made;
    assert_int_equal(turn_credentials_make("", 0, UINT64_MAX, UINT64_MAX, &made), 0);
    assert_string_equal(made.username, "18446744073709551615:18446744073709551615");
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("user and end are signed as coturn checks them", makes_what_the_server_expects),
        SPEC("another secret, user or end is another password", differs_by_secret_user_and_end),
        SPEC("the largest numbers fit", has_room_for_the_largest),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
