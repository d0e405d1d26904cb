/* SPDX-License-Identifier: Apache-2.0 */
/* What settled sockets have of their own. That they are sockets like others is seen where those
 * are: uring_socket_test and uring_cancel_test run with both. */
#include "tests/runtime/io/rig.h"
#include "tests/spec.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static unsigned
descriptors_open(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;
    assert_non_null(folder);
    while (readdir(folder) != NULL) { // NOLINT(concurrency-mt-unsafe): a folder of our own
        count++;
    }
    (void)closedir(folder);
    return count;
}

/* What a socket of the pair that is polled by nobody tells: the result of one receive, which there
 * is something for. */
static int32_t
hear(struct rig *rig, io_socket socket)
{
    struct probe polling = {0};
    struct probe receiving = {0};
    rig_poll(rig, 0, &polling, socket);
    (void)probe_await(&polling, 1);
    rig_cancel(rig, 0, &polling);
    (void)probe_await_end(&polling);
    int32_t result = rig_receive_now(rig, &receiving, socket);
    rig_release(rig, 0, &receiving);
    return result;
}

/* A pair of which the first end is settled. */
static void
half_settled(struct rig *rig, io_socket ends[2])
{
    rig_pair(rig, ends);
    assert_int_equal(rig_settle(rig, 0, &ends[0]), 0);
}

static void
no_descriptor(void **state)
{
    (void)state;
    struct rig rig;
    io_socket ends[2];
    rig_open(&rig, &(struct rig_options){.settle = true, .table_slots = 100});
    rig_pair(&rig, ends); /* opens the table */
    unsigned before = descriptors_open();
    for (unsigned i = 0; i < 20; i++) {
        rig_pair(&rig, ends);
    }
    assert_int_equal(descriptors_open(), before);
    assert_int_equal(rig_stats(&rig, 0).settled, 42);
    rig_say(&rig, ends[0], "hello");
    assert_int_equal(hear(&rig, ends[1]), 5);
    rig_close(&rig);
}

/* The kernel's limit for a table is the one for descriptors. */
static void
beyond_the_limit(void **state)
{
    (void)state;
    enum { PAIRS = 60, LIMIT = 40 };
    struct rig rig;
    struct rlimit before;
    static io_socket ends[PAIRS][2];
    uint32_t each;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit low = {.rlim_cur = LIMIT, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    rig_open(&rig, &(struct rig_options){.settle = true, .table_slots = 1000});
    assert_true(io_settled_max(rig.driver, &each) > 1000000 / LIMIT);
    assert_int_equal(each, LIMIT);
    for (unsigned i = 0; i < PAIRS; i++) {
        rig_pair(&rig, ends[i]);
    }
    for (unsigned i = 0; i < PAIRS; i++) {
        rig_say(&rig, ends[i][i % 2], "hello");
        assert_int_equal(hear(&rig, ends[i][1 - i % 2]), 5);
    }
    rig_close(&rig);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void
slots_again(void **state)
{
    (void)state;
    struct rig rig;
    io_socket ends[2][2];
    rig_open(&rig, &(struct rig_options){.settle = true, .table_slots = 3});
    rig_pair(&rig, ends[0]);
    rig_pair(&rig, ends[1]); /* its second end is in the second table */
    io_socket first = ends[0][1];
    rig_drop(&rig, 0, first, false);
    assert_int_equal(hear(&rig, ends[0][0]), 0);
    while (rig_stats(&rig, 0).settled > 3) {
        rig_say(&rig, ends[1][0], "."); /* the loop goes on */
    }
    io_socket others[2];
    rig.settle = false;
    rig_pair(&rig, others);
    assert_int_equal(rig_settle(&rig, 0, &others[0]), 0);
    assert_int_equal(others[0], first);
    rig_say(&rig, others[1], "hello");
    assert_int_equal(hear(&rig, others[0]), 5);
    rig_close(&rig);
}

/* Before Linux 6.13 the kernel kept it until the others' operations had ended. */
static void
really_closed(void **state)
{
    (void)state;
    struct rig rig;
    io_socket quiet[2], ends[2];
    struct probe polling = {0};
    rig_open(&rig, &(struct rig_options){0});
    half_settled(&rig, quiet);
    rig_poll(&rig, 0, &polling, quiet[0]);
    half_settled(&rig, ends);
    rig_drop(&rig, 0, ends[0], false);
    assert_int_equal(hear(&rig, ends[1]), 0);
    rig_drop(&rig, 0, ends[1], false);
    assert_int_equal(probe_count(&polling), 0);
    rig_close(&rig);
}

static void
last_words(void **state)
{
    (void)state;
    struct rig rig;
    io_socket ends[2];
    rig_open(&rig, &(struct rig_options){0});
    half_settled(&rig, ends);
    rig_say(&rig, ends[0], "farewell");
    rig_drop(&rig, 0, ends[0], false);
    assert_int_equal(hear(&rig, ends[1]), 8);
    assert_int_equal(hear(&rig, ends[1]), 0);
    rig_close(&rig);
}

static void
shut_and_dropped(struct io *io, void *context)
{
    io_socket socket = *(io_socket *)context;
    io_shutdown(io, socket);
    io_close(io, socket, false);
}

/* Both are entries of the same turn; what has the slot next is not meant. */
static void
shut_in_the_same_turn(void **state)
{
    (void)state;
    struct rig rig;
    io_socket ends[2], next[2];
    rig_open(&rig, &(struct rig_options){0});
    unsigned before = descriptors_open();
    for (unsigned i = 0; i < 40; i++) {
        half_settled(&rig, ends);
        rig_do(&rig, 0, shut_and_dropped, &ends[0]);
        half_settled(&rig, next);
        assert_int_equal(hear(&rig, ends[1]), 0);
        rig_say(&rig, next[0], "hello");
        assert_int_equal(hear(&rig, next[1]), 5);
        rig_drop(&rig, 0, ends[1], false);
        rig_drop(&rig, 0, next[0], true);
        assert_int_equal(hear(&rig, next[1]), -ECONNRESET);
        rig_drop(&rig, 0, next[1], false);
    }
    assert_in_range(descriptors_open(), before, before + 4); /* the tables' */
    rig_close(&rig);
}

static void
nothing_left(void **state)
{
    (void)state;
    struct rig rig;
    struct rlimit before;
    io_socket ends[2];
    rig_open(&rig, &(struct rig_options){.table_slots = 1});
    rig_pair(&rig, ends);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 3, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    io_socket socket = ends[0];
    assert_int_equal(rig_settle(&rig, 0, &socket), -EMFILE);
    assert_int_equal(socket, ends[0]);
    assert_int_equal(rig_stats(&rig, 0).settles_failed, 1);
    assert_int_equal(rig_stats(&rig, 0).settled, 0);
    rig_say(&rig, ends[0], "hello");
    assert_int_equal(hear(&rig, ends[1]), 5);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(rig_settle(&rig, 0, &socket), 0);
    /* None can be lent either: the end of our side waits for the close. */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    rig_shut(&rig, 0, socket);
    rig_say(&rig, ends[1], "more");
    assert_int_equal(hear(&rig, socket), 4);
    rig_drop(&rig, 0, socket, false);
    assert_int_equal(hear(&rig, ends[1]), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    rig_close(&rig);
}

static void
ends_with_the_loop(void **state)
{
    (void)state;
    enum { PAIRS = 20 };
    struct rig rig;
    static struct probe polling[PAIRS];
    static io_socket ends[PAIRS][2];
    unsigned before = descriptors_open();
    memset(polling, 0, sizeof(polling));
    rig_open(&rig, &(struct rig_options){0});
    for (unsigned i = 0; i < PAIRS; i++) {
        half_settled(&rig, ends[i]);
        rig_poll(&rig, 0, &polling[i], ends[i][0]);
    }
    rig_shut(&rig, 0, ends[0][0]); /* a descriptor may be lent just now */
    rig_close(&rig);
    for (unsigned i = 0; i < PAIRS; i++) {
        char byte;
        /* the kernel closes them in its own time */
        assert_int_equal(read(ends[i][1], &byte, 1), 0);
        (void)close(ends[i][1]);
        assert_int_equal(polling[i].count, 0); /* the rig has gone */
    }
    assert_int_equal(descriptors_open(), before);
}

/* One loop's end of each pair is settled, the others' are not: who sleeps is woken by a ring that
 * it does not sleep in. */
static void
woken_by_the_bell(void **state)
{
    (void)state;
    enum { PAIRS = 8, ROUNDS = 100 };
    struct rig rig;
    static struct probe polling[PAIRS];
    static io_socket ends[PAIRS][2];
    memset(polling, 0, sizeof(polling));
    rig_open(&rig, &(struct rig_options){.table_slots = 2});
    for (unsigned i = 0; i < PAIRS; i++) {
        half_settled(&rig, ends[i]);
        rig_poll(&rig, 0, &polling[i], ends[i][0]);
    }
    struct io_stats stats = rig_stats(&rig, 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned one = round * 5 % PAIRS;
        probe_reset(&polling[one]);
        /* From outside: nothing else wakes the loop. */
        assert_int_equal(write(ends[one][1], "!", 1), 1);
        assert_true(probe_await(&polling[one], 1) > 0);
    }
    assert_int_equal(rig_stats(&rig, 0).wakes, stats.wakes);
    rig_close(&rig);
}

static void
unused_rings_rest(void **state)
{
    (void)state;
    enum { PAIRS = 10, ROUNDS = 100 };
    struct rig rig;
    static io_socket ends[PAIRS][2];
    static struct probe polling[PAIRS];
    io_socket talking[2];
    memset(polling, 0, sizeof(polling));
    rig_open(&rig, &(struct rig_options){.table_slots = 2});
    for (unsigned i = 0; i < PAIRS; i++) {
        half_settled(&rig, ends[i]);
        rig_poll(&rig, 0, &polling[i], ends[i][0]);
    }
    rig_pair(&rig, talking);
    uint64_t before = rig_stats(&rig, 0).enters;
    for (unsigned i = 0; i < ROUNDS; i++) {
        rig_say(&rig, talking[0], "!");
    }
    /* Each time: the wake-up with the send, its completion, and one for nothing. Were the tables
     * entered with them, it would be five times as many more. */
    assert_true(rig_stats(&rig, 0).enters - before < UINT64_C(10) * ROUNDS);
    rig_close(&rig);
}

static void
no_place(void **state)
{
    (void)state;
    struct rig rig;
    io_socket ends[2];
    uint32_t each;
    rig_open(&rig, &(struct rig_options){.level = IO_LEVEL_6_1});
    rig_pair(&rig, ends);
    io_socket socket = ends[0];
    assert_int_equal(io_settled_max(rig.driver, &each), 0);
    assert_int_equal(rig_settle(&rig, 0, &socket), -EOPNOTSUPP);
    assert_int_equal(socket, ends[0]);
    rig_say(&rig, ends[0], "hello");
    assert_int_equal(hear(&rig, ends[1]), 5);
    rig_close(&rig);
}

static void
no_address(void **state)
{
    (void)state;
    struct rig rig;
    struct io_address peer;
    io_socket ends[2];
    rig_open(&rig, &(struct rig_options){0});
    half_settled(&rig, ends);
    assert_int_equal(io_peer(rig_io(&rig, 0), ends[0], &peer), -EOPNOTSUPP);
    rig_close(&rig);
}

int
main(void)
{
    static const struct CMUnitTest old[] = {
        SPEC("at level 6.1 sockets stay as they are", no_place),
    };
    static const struct CMUnitTest specs[] = {
        SPEC("a settled socket takes no descriptor", no_descriptor),
        SPEC("more are settled than the process may have descriptors", beyond_the_limit),
        SPEC("a slot is used again, the first table's first", slots_again),
        SPEC("a closed one is closed at once, whoever else is polled in its table", really_closed),
        SPEC("what was sent before a close arrives before the end", last_words),
        SPEC("a shutdown and a close in the same turn are not the next socket's",
             shut_in_the_same_turn),
        SPEC("without a descriptor for a table, or for a shutdown, all goes on", nothing_left),
        SPEC("they end with the loop, and nothing is left open", ends_with_the_loop),
        SPEC("a sleeping loop is woken by each of them, each time", woken_by_the_bell),
        SPEC("rings of which nobody wants anything are not entered", unused_rings_rest),
        SPEC("whom it is connected with is no longer told", no_address),
    };
    int failed = cmocka_run_group_tests_name("level 6.1", old, NULL, NULL);
    if (rig_settles(IO_LEVEL_PROBE)) {
        failed += cmocka_run_group_tests_name("level probe", specs, NULL, NULL);
    }
    return failed;
}
