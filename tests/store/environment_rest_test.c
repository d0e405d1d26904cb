/* SPDX-License-Identifier: Apache-2.0 */
/* An environment that rests: no file open, nothing forgotten. */
#include "tests/store/cell_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How many descriptors of the process are files of the cell. */
static unsigned
files_open(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char target[PATH_MAX] = "";
        (void)!readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
        count += strstr(target, "/c00/") != NULL;
    }
    (void)closedir(folder);
    return count;
}

static void
at_rest_it_has_no_file_open_and_forgets_nothing(void **state)
{
    struct cell_files *cell = *state;
    cell_fill(cell, 10);
    assert_int_equal(files_open(), ENVIRONMENT_DESCRIPTORS);
    assert_true(environment_rest(cell->environment));
    assert_true(environment_rests(cell->environment));
    assert_int_equal(files_open(), 0);
    assert_true(environment_rest(cell->environment)); /* it does already */
    cell_check(cell, 1, 10, "value");
    assert_false(environment_rests(cell->environment));
    assert_true(environment_rest(cell->environment));
    struct environment_write *write = cell_begin(cell);
    cell_put(write, 1, 10, "other");
    cell_commit(write);
    assert_true(environment_rest(cell->environment));
    cell_check(cell, 1, 10, "other");
    assert_int_equal(files_open(), ENVIRONMENT_DESCRIPTORS);
}

static void
whoever_reads_or_writes_keeps_it_from_resting(void **state)
{
    struct cell_files *cell = *state;
    struct environment_read read;
    cell_fill(cell, 1);
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    struct environment_write *write = cell_begin(cell);
    assert_false(environment_rest(cell->environment));
    environment_read_end(&read);
    assert_false(environment_rest(cell->environment));
    environment_abort(&write);
    assert_true(environment_rest(cell->environment));
}

static void
what_can_not_be_opened_again_says_so_and_is_tried_anew(void **state)
{
    struct cell_files *cell = *state;
    struct environment_read read;
    struct environment_write *write = NULL;
    cell_fill(cell, 1);
    assert_true(environment_rest(cell->environment));
    assert_int_equal(rename("c00/data.mdb", "c00/away.mdb"), 0);
    assert_int_equal(environment_read_begin(cell->environment, &read), -EUCLEAN);
    assert_int_equal(environment_write_begin(cell->environment, &write), -EUCLEAN);
    assert_true(environment_rests(cell->environment));
    assert_int_equal(rename("c00/away.mdb", "c00/data.mdb"), 0);
    cell_check(cell, 1, 1, "value");
}

enum { READERS = 2, READS = 2000, RESTS = 10 };

static void *
read_much(void *context)
{
    struct cell_files *cell = context;
    for (unsigned i = 0; i < READS; i++) {
        cell_check(cell, 2, 1 + i % 10, "value");
    }
    return NULL;
}

static void
threads_that_read_do_not_notice_that_it_rests(void **state)
{
    struct cell_files *cell = *state;
    pthread_t threads[READERS];
    unsigned rests = 0;
    cell_fill(cell, 10);
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_much, cell), 0);
    }
    /* It ends at the latest when the readers have: then nobody keeps it from resting. */
    while (rests < RESTS) {
        rests += environment_rest(cell->environment);
        struct environment_write *write = cell_begin(cell);
        cell_put(write, 1, 1, "other");
        environment_abort(&write);
    }
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        CELL_FILES_SPEC("at rest it has no file open, and forgets nothing",
                        at_rest_it_has_no_file_open_and_forgets_nothing),
        CELL_FILES_SPEC("whoever reads or writes keeps it from resting",
                        whoever_reads_or_writes_keeps_it_from_resting),
        CELL_FILES_SPEC("what can't be opened again says so, and is tried anew",
                        what_can_not_be_opened_again_says_so_and_is_tried_anew),
        CELL_FILES_SPEC("threads that read do not notice that it rests in between",
                        threads_that_read_do_not_notice_that_it_rests),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
