/* SPDX-License-Identifier: Apache-2.0 */
/* Names of hosts. What a network would be needed for is left to the simulation. */
#include "runtime/io/posix_host.h"
#include "runtime/io/sim.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>

static void
check_text(const struct io_address *address, const char *expected)
{
    char text[IO_ADDRESS_TEXT_MAX];
    io_address_print(address, text);
    assert_string_equal(text, expected);
}

static void
takes_numbers(void **state)
{
    (void)state;
    struct io_address found[IO_RESOLVE_MAX];
    unsigned count = 0;
    assert_int_equal(posix_host_resolve("127.0.0.1", 443, found, &count), 0);
    assert_int_equal(count, 1);
    check_text(&found[0], "127.0.0.1:443");
    assert_int_equal(posix_host_resolve("::1", 80, found, &count), 0);
    check_text(&found[0], "[::1]:80");
}

static void
reads_the_systems_table(void **state)
{
    (void)state;
    struct io_address found[IO_RESOLVE_MAX];
    unsigned count = 0;
    assert_int_equal(posix_host_resolve("localhost", 443, found, &count), 0);
    assert_true(count >= 1);
    assert_false(io_address_is_public(&found[0]));
}

static void
refuses(void **state)
{
    (void)state;
    struct io_address found[IO_RESOLVE_MAX];
    unsigned count = 7;
    char longest[300];
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_not_equal(posix_host_resolve(longest, 443, found, &count), 0);
    assert_int_not_equal(posix_host_resolve("", 443, found, &count), 0);
    assert_int_equal(count, 7);
}

static void
simulates(void **state)
{
    (void)state;
    struct sim_options options = {.seed = 1};
    struct io_driver *driver = NULL;
    struct io_address found[IO_RESOLVE_MAX];
    unsigned count = 7;
    assert_int_equal(sim_open(&options, &driver), 0);
    assert_int_equal(io_resolve(driver, "push.example.net", 443, found, &count), -ENOENT);
    assert_int_equal(count, 7);
    sim_host_add(driver, "push.example.net", "192.0.2.7");
    sim_host_add(driver, "other.example.net", "192.0.2.8");
    sim_host_add(driver, "push.example.net", "2001:db8::7");
    assert_int_equal(io_resolve(driver, "push.example.net", 443, found, &count), 0);
    assert_int_equal(count, 2);
    check_text(&found[0], "192.0.2.7:443");
    check_text(&found[1], "[2001:db8::7]:443");
    assert_int_equal(io_resolve(driver, "::1", 80, found, &count), 0);
    assert_int_equal(count, 1);
    check_text(&found[0], "[::1]:80");
    io_driver_close(driver);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a numeric address is its own answer", takes_numbers),
        SPEC("names of the system's table are found without a network", reads_the_systems_table),
        SPEC("what can be no name is an error, and nothing is changed", refuses),
        SPEC("under sim a host has the addresses that the test gave it", simulates),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
