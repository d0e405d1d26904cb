/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/cell_files.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void
reopen(struct cell_files *cell)
{
    environment_close(&cell->environment);
    assert_int_equal(environment_open(&cell->options, &cell->environment, cell->why), 0);
}

/* ------------------------------------------------------------------------ records */

static void
what_was_committed_is_there_after_opening_again(void **state)
{
    struct cell_files *cell = *state;
    struct environment_write *write = cell_begin(cell);
    cell_put(write, 1, 1, "one");
    cell_put(write, 1, 2, "");
    cell_put(write, 1, 1, "uno");
    cell_commit(write);
    cell_check(cell, 1, 1, "uno");
    reopen(cell);
    cell_check(cell, 1, 1, "uno");
    cell_check(cell, 1, 2, "");
    cell_check(cell, 1, 3, NULL);
}

static void
what_was_aborted_never_was(void **state)
{
    struct cell_files *cell = *state;
    struct environment_write *write = cell_begin(cell);
    cell_put(write, 1, 1, "one");
    environment_abort(&write);
    assert_null(write);
    environment_abort(&write);
    cell_check(cell, 1, 1, NULL);
}

static void
a_snapshot_stands_still(void **state)
{
    struct cell_files *cell = *state;
    struct environment_read read;
    struct store_key key = cell_key(1, 1);
    struct store_value value;
    cell_fill(cell, 1);
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    struct environment_write *write = cell_begin(cell);
    cell_put(write, 1, 1, "later");
    cell_commit(write);
    assert_int_equal(environment_get(&read, &key, &value), 0);
    assert_memory_equal(value.bytes, "value", 5);
    environment_read_end(&read);
    cell_check(cell, 1, 1, "later");
}

static void
deleting_what_is_not_there_is_no_error(void **state)
{
    struct cell_files *cell = *state;
    struct store_key key = cell_key(1, 1);
    cell_fill(cell, 1);
    struct environment_write *write = cell_begin(cell);
    assert_int_equal(environment_delete(write, &key), 0);
    assert_int_equal(environment_delete(write, &key), 0);
    cell_commit(write);
    cell_check(cell, 1, 1, NULL);
    assert_int_equal(cell_files_records(cell), 2);
}

/* ------------------------------------------------------------------------ ranges */

struct walk {
    uint64_t count;
    uint64_t stop_after;
    int64_t step;
    struct store_key last;
};

static int
walk_record(void *context, const struct store_key *key, struct store_value value)
{
    struct walk *walk = context;
    assert_int_equal(value.count, 5);
    if (walk->count > 0) {
        assert_int_equal(key_compare(key, &walk->last), walk->step);
    }
    walk->last = *key;
    walk->count++;
    return walk->count == walk->stop_after ? 7 : 0;
}

/* How many records the range gives, the same from both ends. */
static uint64_t
walk_both(struct cell_files *cell, struct store_range range)
{
    struct environment_read read;
    struct walk forwards = {.step = 1};
    struct walk backwards = {.step = -1};
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    assert_int_equal(environment_range(&read, &range, ENVIRONMENT_FORWARDS, walk_record, &forwards),
                     0);
    assert_int_equal(
        environment_range(&read, &range, ENVIRONMENT_BACKWARDS, walk_record, &backwards), 0);
    environment_read_end(&read);
    assert_int_equal(forwards.count, backwards.count);
    return forwards.count;
}

static void
a_range_is_walked_from_either_end(void **state)
{
    struct cell_files *cell = *state;
    assert_int_equal(walk_both(cell, key_range_partition(1)), 0);
    cell_fill(cell, 1000);
    assert_int_equal(walk_both(cell, (struct store_range){cell_key(2, 10), cell_key(2, 20)}), 11);
    assert_int_equal(walk_both(cell, (struct store_range){cell_key(2, 0), cell_key(2, 1)}), 1);
    assert_int_equal(walk_both(cell, (struct store_range){cell_key(2, 1000), cell_key(2, 9999)}),
                     1);
    assert_int_equal(walk_both(cell, (struct store_range){cell_key(2, 1001), cell_key(2, 9999)}),
                     0);
    assert_int_equal(walk_both(cell, (struct store_range){cell_key(3, 900), cell_key(9, 0)}), 101);
    assert_int_equal(walk_both(cell, (struct store_range){cell_key(2, 20), cell_key(2, 10)}), 0);
    assert_int_equal(walk_both(cell, key_range_partition(2)), 1000);
    assert_int_equal(walk_both(cell, key_range_partition(0)), 0);
    assert_int_equal(walk_both(cell, key_range_partition(255)), 0);
}

static void
the_callback_ends_the_walk(void **state)
{
    struct cell_files *cell = *state;
    struct environment_read read;
    struct store_range range = key_range_partition(2);
    struct walk walk = {.step = 1, .stop_after = 5};
    cell_fill(cell, 100);
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    assert_int_equal(environment_range(&read, &range, ENVIRONMENT_FORWARDS, walk_record, &walk), 7);
    assert_int_equal(walk.count, 5);
    environment_read_end(&read);
}

static void
a_range_is_deleted_to_its_ends(void **state)
{
    struct cell_files *cell = *state;
    uint64_t count = 1;
    cell_fill(cell, 5000);
    struct environment_write *write = cell_begin(cell);
    struct store_range range = {cell_key(2, 100), cell_key(2, 4900)};
    assert_int_equal(environment_delete_range(write, &range, &count), 0);
    assert_int_equal(count, 1 + 4801);
    assert_int_equal(environment_delete_range(write, &range, &count), 0);
    range = (struct store_range){cell_key(3, 5000), cell_key(9, 0)};
    assert_int_equal(environment_delete_range(write, &range, &count), 0);
    range = (struct store_range){cell_key(2, 50), cell_key(2, 40)};
    assert_int_equal(environment_delete_range(write, &range, &count), 0);
    assert_int_equal(count, 1 + 4801 + 1);
    cell_put(write, 2, 500, "again");
    cell_commit(write);
    cell_check(cell, 2, 99, "value");
    cell_check(cell, 2, 100, NULL);
    cell_check(cell, 2, 500, "again");
    cell_check(cell, 2, 4900, NULL);
    cell_check(cell, 2, 4901, "value");
    cell_check(cell, 3, 4999, "value");
    cell_check(cell, 3, 5000, NULL);
    assert_int_equal(cell_files_records(cell), 15000 - 4802 + 1);
}

/* ------------------------------------------------------------------------ the mark */

static void
the_mark_changes_with_its_transaction(void **state)
{
    struct cell_files *cell = *state;
    struct environment_read read;
    struct log_mark mark = {9, 9};
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    assert_int_equal(environment_mark(&read, &mark), 0);
    assert_true(mark.generation == 0 && mark.position == 0);
    environment_read_end(&read);
    struct environment_write *write = cell_begin(cell);
    assert_int_equal(environment_set_mark(write, &(struct log_mark){2, 77}), 0);
    assert_int_equal(environment_write_mark(write, &mark), 0);
    assert_true(mark.generation == 2 && mark.position == 77);
    cell_commit(write);
    write = cell_begin(cell);
    assert_int_equal(environment_set_mark(write, &(struct log_mark){3, 1}), 0);
    environment_abort(&write);
    reopen(cell);
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    assert_int_equal(environment_mark(&read, &mark), 0);
    assert_true(mark.generation == 2 && mark.position == 77);
    environment_read_end(&read);
}

/* ------------------------------------------------------------------------ limits */

/* Fills with large values until an error; the error. The transaction is given up. */
static int
fill_up(struct cell_files *cell)
{
    static const unsigned char bytes[100000];
    struct environment_write *write = cell_begin(cell);
    int result = 0;
    for (uint64_t i = 1; result == 0 && i < 1000; i++) {
        struct store_key key = cell_key(9, i);
        result = environment_put(write, &key, (struct store_value){bytes, sizeof(bytes)});
    }
    if (result == 0) {
        return environment_commit(&write);
    }
    environment_abort(&write);
    return result;
}

static void
a_full_map_is_told_and_harms_nothing(void **state)
{
    struct cell_files *cell = *state;
    cell_fill(cell, 100);
    assert_int_equal(fill_up(cell), -EFBIG);
    cell_check(cell, 2, 50, "value");
    assert_int_equal(cell_files_records(cell), 300);
    struct environment_write *write = cell_begin(cell);
    cell_put(write, 2, 50, "still");
    cell_commit(write);
    cell_check(cell, 2, 50, "still");
    cell->options.map_bytes = 256 << 20; /* as its operator does */
    reopen(cell);
    assert_int_equal(fill_up(cell), 0);
    cell_check(cell, 2, 50, "still");
}

static void
a_file_that_cannot_grow_is_told_and_harms_nothing(void **state)
{
    struct cell_files *cell = *state;
    struct rlimit old;
    cell_fill(cell, 100);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){4 << 20, old.rlim_max}), 0);
    int result = fill_up(cell);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(result < 0);
    cell_check(cell, 2, 50, "value");
    assert_int_equal(cell_files_records(cell), 300);
    struct environment_write *write = cell_begin(cell);
    cell_put(write, 2, 50, "still");
    cell_commit(write);
    reopen(cell);
    cell_check(cell, 2, 50, "still");
}

static void
too_many_readers_are_refused(void **state)
{
    struct cell_files *cell = *state;
    static struct environment_read reads[1024];
    struct environment_facts facts;
    cell->options.readers_max = 2;
    reopen(cell);
    assert_int_equal(environment_facts(cell->environment, &facts), 0);
    assert_in_range(facts.readers_max, 2, 1023); /* LMDB fills whole pages */
    for (unsigned i = 0; i < facts.readers_max; i++) {
        assert_int_equal(environment_read_begin(cell->environment, &reads[i]), 0);
    }
    assert_int_equal(environment_read_begin(cell->environment, &reads[1023]), -EAGAIN);
    environment_read_end(&reads[0]);
    assert_int_equal(environment_read_begin(cell->environment, &reads[0]), 0);
    for (unsigned i = 0; i < facts.readers_max; i++) {
        environment_read_end(&reads[i]);
    }
}

static void
tells_its_facts(void **state)
{
    struct cell_files *cell = *state;
    struct environment_facts facts;
    cell_fill(cell, 1000);
    assert_int_equal(environment_facts(cell->environment, &facts), 0);
    assert_int_equal(facts.map_bytes, 64 << 20);
    assert_int_equal(facts.records, 3000);
    assert_int_equal(facts.readers_max, ENVIRONMENT_READERS_MAX);
    assert_in_range(facts.used_bytes, 3000 * 31, 1 << 20);
    assert_in_range(facts.data_bytes, 3000 * 31, facts.used_bytes - 1);
    assert_int_equal(facts.commits, 2);
}

/* ------------------------------------------------------------------------ opening */

static void
check_refused(struct cell_files *cell, int error, const char *sentence)
{
    struct environment *environment = NULL;
    assert_int_equal(environment_open(&cell->options, &environment, cell->why), error);
    assert_null(environment);
    if (strstr(cell->why, sentence) == NULL) {
        print_error("\"%s\" is not in \"%s\"\n", sentence, cell->why);
    }
    assert_non_null(strstr(cell->why, sentence));
}

static void
only_the_right_environment_is_opened(void **state)
{
    struct cell_files *cell = *state;
    environment_close(&cell->environment);
    cell->options.cell = 4;
    check_refused(cell, -EUCLEAN, "belongs to another cell or another data directory");
    cell->options.cell = 3;
    cell->options.identity[0] ^= 1;
    check_refused(cell, -EUCLEAN, "belongs to another cell or another data directory");
    cell->options.identity[0] ^= 1;
    reopen(cell);
}

static void
another_format_version_is_refused(void **state)
{
    struct cell_files *cell = *state;
    size_t bytes;
    environment_close(&cell->environment);
    unsigned char *image = disk_read(&cell->disk, "data.mdb", &bytes);
    unsigned char *format = memmem(image, bytes, "format\2\0\0\0", 10);
    assert_non_null(format);
    format[6] = 3;
    disk_write(&cell->disk, "data.mdb", image, bytes);
    free(image);
    check_refused(cell, -EPROTO, "has format version 3, this program knows 2");
}

static void
a_missing_or_foreign_file_is_refused(void **state)
{
    struct cell_files *cell = *state;
    environment_close(&cell->environment);
    disk_write(&cell->disk, "data.mdb", "this is no LMDB file, whatever it is", 36);
    check_refused(cell, -EUCLEAN, "can't be opened");
    assert_int_equal(io_remove(&cell->disk.driver, "c00/data.mdb"), 0);
    check_refused(cell, -EUCLEAN, "can't be opened: data.mdb");
    assert_false(disk_has(&cell->disk, "data.mdb")); /* none was made instead */
}

static void
creation_replaces_what_was_left_half_made(void **state)
{
    struct cell_files *cell = *state;
    environment_close(&cell->environment);
    disk_write(&cell->disk, "data.mdb", "half", 4);
    assert_int_equal(environment_create(&cell->options, cell->why), 0);
    reopen(cell);
    assert_int_equal(cell_files_records(cell), 0);
}

static void
its_file_is_its_owners_alone(void **state)
{
    struct stat status;
    (void)state;
    assert_int_equal(stat("c00/data.mdb", &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
}

/* ------------------------ snapshots */

/* Ends the walk where the value is the one. */
static int
is_value(void *context, const struct store_key *key, struct store_value value)
{
    (void)key;
    const char *characters = context;
    return value.count == strlen(characters) && memcmp(value.bytes, characters, value.count) == 0;
}

/* What the snapshot says of partition 2's number 1, by a get and by a walk. */
static void
see(struct environment_read *read, char *characters)
{
    struct store_key key = cell_key(2, 1);
    struct store_range range = {key, key};
    struct store_value value;
    assert_int_equal(environment_get(read, &key, &value), 0);
    assert_int_equal(is_value(characters, &key, value), 1);
    assert_int_equal(environment_range(read, &range, ENVIRONMENT_FORWARDS, is_value, characters),
                     1);
}

static void
each_snapshot_is_of_its_own_time(void **state)
{
    struct cell_files *cell = *state;
    struct environment_read early;
    struct environment_read late;
    cell_fill(cell, 1);
    cell_check(cell, 2, 1, "value"); /* leaves something to renew */
    assert_int_equal(environment_read_begin(cell->environment, &early), 0);
    struct environment_write *write = cell_begin(cell);
    cell_put(write, 2, 1, "later");
    cell_commit(write);
    assert_int_equal(environment_read_begin(cell->environment, &late), 0);
    see(&early, "value");
    see(&late, "later");
    environment_read_end(&early);
    see(&late, "later");
    environment_read_end(&late);
    write = cell_begin(cell);
    cell_put(write, 2, 1, "last");
    cell_commit(write);
    assert_int_equal(environment_read_begin(cell->environment, &early), 0);
    see(&early, "last");
    environment_read_end(&early);
    assert_true(environment_rest(cell->environment));
    cell_check(cell, 2, 1, "last");
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        CELL_FILES_SPEC("what was committed is there after opening again",
                        what_was_committed_is_there_after_opening_again),
        CELL_FILES_SPEC("what was aborted never was", what_was_aborted_never_was),
        CELL_FILES_SPEC("a snapshot stands still while others write", a_snapshot_stands_still),
        CELL_FILES_SPEC("each snapshot is of its own time, whoever read before",
                        each_snapshot_is_of_its_own_time),
        CELL_FILES_SPEC("deleting what is not there is no error",
                        deleting_what_is_not_there_is_no_error),
        CELL_FILES_SPEC("a range is walked from either end and gives the same",
                        a_range_is_walked_from_either_end),
        CELL_FILES_SPEC("the callback's value ends the walk", the_callback_ends_the_walk),
        CELL_FILES_SPEC("a range is deleted to its ends and no further",
                        a_range_is_deleted_to_its_ends),
        CELL_FILES_SPEC("the mark changes with its transaction or not at all",
                        the_mark_changes_with_its_transaction),
        CELL_FILES_SPEC("a full map is told, harms nothing, and can be made larger",
                        a_full_map_is_told_and_harms_nothing),
        CELL_FILES_SPEC("a file that can't grow is told and harms nothing",
                        a_file_that_cannot_grow_is_told_and_harms_nothing),
        CELL_FILES_SPEC("more readers than the table has room for are refused",
                        too_many_readers_are_refused),
        CELL_FILES_SPEC("it tells its facts", tells_its_facts),
        CELL_FILES_SPEC("another cell's or directory's environment is refused",
                        only_the_right_environment_is_opened),
        CELL_FILES_SPEC("another format version is refused by its number",
                        another_format_version_is_refused),
        CELL_FILES_SPEC("a missing or foreign file is refused, and none is made",
                        a_missing_or_foreign_file_is_refused),
        CELL_FILES_SPEC("creation replaces what was left half made",
                        creation_replaces_what_was_left_half_made),
        CELL_FILES_SPEC("its file is its owner's alone", its_file_is_its_owners_alone),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
