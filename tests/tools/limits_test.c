/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/linnetd_limits.h"

#include "runtime/io/posix_file.h"
#include "store/environment.h"
#include "tests/spec.h"

#include <limits.h>

enum { ASKED = 100000, SPARE = 256, SHELL = 32, CELLS = 2 };
/* An environment that rests has given them back, and takes others. */
enum { RESTING = ENVIRONMENT_DESCRIPTORS * CELLS };

static struct messenger_room
share(uint64_t limit, uint64_t used, unsigned logs, uint32_t *connections_max)
{
    struct descriptors have = {.limit = limit, .used = used, .logs = logs, .cells = CELLS};
    struct messenger_room room = {
        .connections_spare = SPARE, .connections_below = INT_MAX, .shell_connections_max = SHELL};
    linnetd_descriptors_share(&have, connections_max, &room);
    return room;
}

/* The same with room for connections that take no descriptor, `each` for one, and with RESTING
 * more. */
static struct messenger_room
share_settled(uint64_t limit, uint32_t each, uint32_t *connections_max)
{
    struct descriptors have = {.limit = limit + RESTING,
                               .used = 34,
                               .logs = 2,
                               .cells = CELLS,
                               .loops = 2,
                               .settled_max = UINT64_C(2) * 1024 * each,
                               .settled_each = each};
    struct messenger_room room = {.connections_spare = SPARE,
                                  .connections_below = INT_MAX,
                                  .connections_settle_from = INT_MAX,
                                  .shell_connections_max = SHELL};
    linnetd_descriptors_share(&have, connections_max, &room);
    return room;
}

static uint64_t
least(uint64_t used, unsigned logs)
{
    return linnetd_descriptors_least(
        &(struct descriptors){.used = used, .logs = logs, .cells = CELLS});
}

static void
small_limits_are_shared_out(void **state)
{
    (void)state;
    static const struct {
        uint64_t limit, used;
        unsigned logs;
        uint32_t connections_max, spare, shell;
        io_socket below;
    } rows[] = {
        {60, 34, 2, 4, 4, 2, 46},
        {70, 34, 2, 14, 4, 2, 56},
        {102, 34, 2, 40, 6, 6, 84},
        {606, 34, 2, 455, 69, SHELL, 562},
        {606, 200, 64, 154, 25, 25, 445},
        {4102, 34, 2, 3764, 256, 32, 4058},
        {65542, 1000, 256, 63476, 256, 32, 64990},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t connections_max = ASKED;
        struct messenger_room room =
            share(rows[i].limit, rows[i].used, rows[i].logs, &connections_max);
        assert_int_equal(connections_max, rows[i].connections_max);
        assert_int_equal(room.connections_spare, rows[i].spare);
        assert_int_equal(room.shell_connections_max, rows[i].shell);
        assert_int_equal(room.connections_below, rows[i].below);
    }
}

/* Each of a node's descriptors is somebody's, and nobody's is somebody else's. */
static void
shares_never_exceed_the_limit(void **state)
{
    (void)state;
    for (unsigned logs = 1; logs <= 256; logs = logs * 3 / 2 + 1) {
        for (uint64_t used = 20; used < 1200; used = used * 2) {
            for (uint64_t more = 0; more < 3000; more += 1 + more / 7) {
                uint64_t limit = least(used, logs) + more;
                uint32_t connections_max = ASKED;
                struct messenger_room room = share(limit, used, logs, &connections_max);
                uint64_t connections = (uint64_t)connections_max + room.connections_spare;
                assert_in_range(connections_max, 4, ASKED);
                assert_in_range(room.connections_spare, 4, SPARE);
                assert_in_range(room.shell_connections_max, 2, SHELL);
                /* Two listeners and a next segment of each log have the lowest numbers, or not. */
                uint64_t before = used + 2 + logs;
                assert_int_equal(before + connections, (uint64_t)room.connections_below);
                /* Above: the shell's, two that are about to be closed, a segment and a folder of
                 * each log, and those of cells at rest. */
                assert_int_equal(limit - (uint64_t)room.connections_below,
                                 room.shell_connections_max + 2 + 2 * logs + RESTING);
            }
        }
    }
}

/* A file that each appends to, wherever its number is; room for it to be opened anew, and for two
 * that pass. */
static void
steps_have_their_files(void **state)
{
    (void)state;
    struct descriptors with = {.used = 30, .logs = 2, .cells = CELLS, .steps = 2};
    assert_int_equal(linnetd_descriptors_least(&with), least(30, 2) + UINT64_C(2) * 4);
    uint32_t connections_max = ASKED;
    uint32_t connections_without = ASKED;
    struct messenger_room room = {.connections_spare = SPARE,
                                  .connections_below = INT_MAX,
                                  .connections_settle_from = INT_MAX,
                                  .shell_connections_max = SHELL};
    with.limit = 1000 + 2 * 4;
    linnetd_descriptors_share(&with, &connections_max, &room);
    struct messenger_room without = share(1000, 30, 2, &connections_without);
    assert_int_equal(connections_max, connections_without);
    assert_int_equal(room.connections_below, without.connections_below + 2);
}

static void
large_limits_change_nothing(void **state)
{
    (void)state;
    static const uint64_t limits[] = {102000, 524288, 1048576, UINT64_C(1) << 40, UINT64_MAX};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        uint32_t connections_max = ASKED;
        struct messenger_room room = share(limits[i], 100, 8, &connections_max);
        assert_int_equal(connections_max, ASKED);
        assert_int_equal(room.connections_spare, SPARE);
        assert_int_equal(room.shell_connections_max, SHELL);
        assert_true(room.connections_below > ASKED + SPARE);
    }
}

static void
who_asks_for_few_keeps_the_spare(void **state)
{
    (void)state;
    uint32_t connections_max = 700;
    struct messenger_room room = share(1000 + 34 + 4 + 6 + RESTING, 34, 2, &connections_max);
    assert_int_equal(connections_max, 700);
    assert_int_equal(room.connections_spare, SPARE);
    connections_max = 800;
    room = share(1000 + 34 + 4 + 6 + RESTING, 34, 2, &connections_max);
    assert_int_equal(connections_max, 800);
    assert_int_equal(room.connections_spare, 1000 - SHELL - 800);
}

static void
who_settles_needs_none(void **state)
{
    (void)state;
    static const struct {
        uint64_t limit;
        uint32_t each, asked, connections_max;
        io_socket settle_from, below;
    } rows[] = {
        {300, 300, 190, 190, 38 + 600, 38 + 224},          /* all have their own */
        {300, 300, 1000, 1000, 38 + 112, 38 + 224 - 6},    /* four tables and one for each loop */
        {300, 300, 100000, 7912, 38 + 112, 38 + 224 - 28}, /* more would leave too few to log in */
        {54, 54, 100000, 4, 38 + 108, 46},                 /* too few for tables */
        {20000, 16384, 1000000, 1000000, 38 + 9962, 38 + 19924 - 64},
        {1048576, 16384, 1000000, 1000000, 38 + 2 * 16384, 1048576 - 6 - SHELL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t connections_max = rows[i].asked;
        struct messenger_room room = share_settled(rows[i].limit, rows[i].each, &connections_max);
        assert_int_equal(connections_max, rows[i].connections_max);
        assert_int_equal(room.connections_below, rows[i].below);
        assert_int_equal(room.connections_settle_from, rows[i].settle_from);
    }
}

static void
counts_what_is_open(void **state)
{
    (void)state;
    uint64_t limit = linnetd_descriptors_raise();
    uint64_t before = linnetd_descriptors_used(limit);
    io_file file = -1;
    assert_int_equal(posix_file_open("/", IO_OPEN_READ, &file), 0);
    assert_int_equal(linnetd_descriptors_used(limit), before + 1);
    posix_file_close(file);
    assert_int_equal(linnetd_descriptors_used(limit), before);
    assert_in_range(before, 1, limit);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a small limit is shared out between connections, spare, shell and store",
             small_limits_are_shared_out),
        SPEC("all shares together are the limit, from the least that will do",
             shares_never_exceed_the_limit),
        SPEC("the files that steps are noted in have their descriptors", steps_have_their_files),
        SPEC("a large limit changes nothing", large_limits_change_nothing),
        SPEC("who asks for few connections keeps as large a spare as fits",
             who_asks_for_few_keeps_the_spare),
        SPEC("connections that settle leave theirs to those who log in", who_settles_needs_none),
        SPEC("the descriptors in use are counted", counts_what_is_open),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
