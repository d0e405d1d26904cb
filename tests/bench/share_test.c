/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/share.h"

#include "tests/spec.h"

#include <errno.h>

static void
shares_are_the_whole(void **state)
{
    (void)state;
    static const struct share_whole wholes[] = {
        {1000000, 1, 0}, {7, 1, 0}, {7, 2, 0}, {20001, 2, 0}, {64, 3, 0}, {1000064, 15626, 15625}};
    for (unsigned w = 0; w < sizeof wholes / sizeof wholes[0]; w++) {
        uint32_t actors_all = share_actors(&wholes[w]);
        for (uint32_t processes = 1; processes <= actors_all && processes <= 60; processes++) {
            uint32_t actors = 0;
            uint32_t users = 0;
            for (uint32_t i = 0; i < processes; i++) {
                struct share share = share_of(&wholes[w], i, processes);
                assert_int_equal(share.actors_first, actors);
                assert_int_equal(share.users_first, users);
                assert_true(share.actors == actors_all / processes ||
                            share.actors == actors_all / processes + 1);
                actors += share.actors;
                users += share.users;
            }
            assert_int_equal(actors, actors_all);
            assert_int_equal(users, wholes[w].users);
        }
    }
}

static void
counts_are_the_whole(void **state)
{
    (void)state;
    for (uint32_t processes = 1; processes < 60; processes++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < processes; i++) {
            uint32_t share = share_count(100, i, processes);
            assert_true(share == 100 / processes || share == 100 / processes + 1);
            count += share;
        }
        assert_int_equal(count, 100);
    }
}

static void
the_last_actor_may_have_fewer_users(void **state)
{
    (void)state;
    const struct share_whole odd = {7, 2, 0};
    assert_int_equal(share_actors(&odd), 4);
    assert_int_equal(share_of(&odd, 1, 2).users, 3);
}

static void
processes_by_descriptors(void **state)
{
    (void)state;
    const struct share_whole million = {1000000, 1, 0};
    const struct share_whole fits = {19900, 1, 0};
    const struct share_whole one_more = {19901, 1, 0};
    const struct share_whole pairs = {19902, 2, 0};
    assert_int_equal(share_processes(&million, 20000, 2), 51);
    assert_int_equal(share_processes(&fits, 20000, 2), 1);
    assert_int_equal(share_processes(&one_more, 20000, 2), 2);
    assert_int_equal(share_processes(&pairs, 20000, 2), 2);
    /* No share is then beyond what its process may have. */
    assert_true(share_of(&million, 50, 51).users + SHARE_DESCRIPTORS_KEPT <= 20000);
}

static void
who_never_connects_takes_no_descriptor(void **state)
{
    (void)state;
    const struct share_whole million = {1000064, 15626, 15625};
    const struct share_whole ragged = {7, 3, 1};
    assert_int_equal(share_connections(&million), 64);
    assert_int_equal(share_processes(&million, 1024, 2), 1);
    assert_int_equal(share_processes(&million, SHARE_DESCRIPTORS_KEPT + 32, 2), 2);
    /* Three actors: the last has the seventh user alone. */
    assert_int_equal(share_connections(&ragged), 6);
    static const uint32_t users[] = {0, 1, 3, 4, 6};
    for (uint32_t i = 0; i < sizeof users / sizeof users[0]; i++) {
        assert_int_equal(share_connection(&ragged, users[i]), i);
    }
}

static void
no_more_processes_than_actors(void **state)
{
    (void)state;
    const struct share_whole few = {1000016, 62501, 62500};
    assert_int_equal(share_processes(&few, 1 << 20, 64), 16);
}

static void
processes_by_cores(void **state)
{
    (void)state;
    const struct share_whole few = {200, 2, 0};
    const struct share_whole many = {20000, 1, 0};
    assert_int_equal(share_processes(&few, 1 << 20, 64), 1);
    assert_int_equal(share_processes(&many, 1 << 20, 64), 4);
    assert_int_equal(share_processes(&many, 1 << 20, 4), 2);
}

static void
too_many_for_any(void **state)
{
    (void)state;
    const struct share_whole million = {1000000, 1, 0};
    assert_int_equal(share_processes(&million, 1024, 2), 0);
    assert_int_equal(share_processes(&million, 100, 2), 0);
}

static struct io_address
address(const char *text)
{
    struct io_address parsed;
    assert_int_equal(io_address_parse(text, &parsed), 0);
    return parsed;
}

static void
loopback_is_spread(void **state)
{
    (void)state;
    struct io_address loopback = address("127.0.0.1:4222");
    struct io_address other = address("10.0.0.1:4222");
    assert_int_equal(share_addresses(&loopback, 1), 1);
    assert_int_equal(share_addresses(&loopback, 13500), 1);
    assert_int_equal(share_addresses(&loopback, 13501), 2);
    assert_int_equal(share_addresses(&loopback, 1000000), 75);
    assert_int_equal(share_addresses(&other, 1000000), 1);
}

static void
is_moved_to(const char *from, uint32_t index, const char *to)
{
    struct io_address start = address(from);
    struct io_address moved;
    char text[IO_ADDRESS_TEXT_MAX];
    assert_int_equal(share_address(&start, index, &moved), 0);
    io_address_print(&moved, text);
    assert_string_equal(text, to);
}

static void
addresses_follow(void **state)
{
    (void)state;
    is_moved_to("127.0.0.1:4222", 0, "127.0.0.1:4222");
    is_moved_to("127.0.0.1:4222", 74, "127.0.0.75:4222");
    is_moved_to("127.0.0.200:4222", 100, "127.0.1.44:4222");
    is_moved_to("[fd00::1]:4222", 3, "[fd00::4]:4222");
    is_moved_to("unix:/tmp/socket", 0, "unix:/tmp/socket");
}

static void
no_such_address(void **state)
{
    (void)state;
    struct io_address last = address("255.255.255.255:1");
    struct io_address path = address("unix:/tmp/socket");
    struct io_address moved;
    assert_int_equal(share_address(&last, 1, &moved), -EINVAL);
    assert_int_equal(share_address(&path, 1, &moved), -EINVAL);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the shares of all processes are the whole, one behind the other",
             shares_are_the_whole),
        SPEC("what is spread over them is, too", counts_are_the_whole),
        SPEC("the last actor may have fewer users", the_last_actor_may_have_fewer_users),
        SPEC("there are as many processes as descriptors ask for", processes_by_descriptors),
        SPEC("who never connects takes no descriptor, and is passed over in the count of "
             "connections",
             who_never_connects_takes_no_descriptor),
        SPEC("there are never more than actors", no_more_processes_than_actors),
        SPEC("where cores are free there are more, if each has enough to do", processes_by_cores),
        SPEC("what no number of processes can hold is told", too_many_for_any),
        SPEC("connections to a loopback address are spread over several", loopback_is_spread),
        SPEC("addresses follow each other", addresses_follow),
        SPEC("behind the last address there is none, nor behind a path", no_such_address),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
