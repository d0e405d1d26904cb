/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/cell_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int
setup(void **state)
{
    struct cell_files *cell = calloc(1, sizeof(*cell));
    assert_non_null(cell);
    cell_files_open(cell, 64 << 20);
    *state = cell;
    return 0;
}

static int
teardown(void **state)
{
    struct cell_files *cell = *state;
    cell_files_close(cell);
    free(cell);
    return 0;
}

static struct store_key
number_key(uint8_t partition, uint64_t number)
{
    return (struct store_key){.partition = partition, .table = 2, .owner = 3, .a = number};
}

static struct store_value
text(const char *characters)
{
    return (struct store_value){(const unsigned char *)characters, strlen(characters)};
}

static struct environment_write *
begin(struct cell_files *cell)
{
    struct environment_write *write = NULL;
    assert_int_equal(environment_write_begin(cell->environment, &write), 0);
    return write;
}

static void
put(struct environment_write *write, uint8_t partition, uint64_t number, const char *characters)
{
    struct store_key key = number_key(partition, number);
    assert_int_equal(environment_put(write, &key, text(characters)), 0);
}

static void
commit(struct environment_write *write)
{
    assert_int_equal(environment_commit(&write), 0);
    assert_null(write);
}

/* Numbers 1 to `count` in partitions 1, 2 and 3. */
static void
fill(struct cell_files *cell, uint64_t count)
{
    struct environment_write *write = begin(cell);
    for (uint8_t partition = 1; partition <= 3; partition++) {
        for (uint64_t i = 1; i <= count; i++) {
            put(write, partition, i, "value");
        }
    }
    commit(write);
}

/* NULL: there must be none. */
static void
check(struct cell_files *cell, uint8_t partition, uint64_t number, const char *characters)
{
    struct environment_read read;
    struct store_key key = number_key(partition, number);
    struct store_value value;
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    int result = environment_get(&read, &key, &value);
    assert_int_equal(result, characters != NULL ? 0 : -ENOENT);
    if (characters != NULL) {
        assert_int_equal(value.count, strlen(characters));
        assert_memory_equal(value.bytes, characters, value.count);
    }
    environment_read_end(&read);
}

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
    struct environment_write *write = begin(cell);
    put(write, 1, 1, "one");
    put(write, 1, 2, "");
    put(write, 1, 1, "uno");
    commit(write);
    check(cell, 1, 1, "uno");
    reopen(cell);
    check(cell, 1, 1, "uno");
    check(cell, 1, 2, "");
    check(cell, 1, 3, NULL);
}

static void
what_was_aborted_never_was(void **state)
{
    struct cell_files *cell = *state;
    struct environment_write *write = begin(cell);
    put(write, 1, 1, "one");
    environment_abort(&write);
    assert_null(write);
    environment_abort(&write);
    check(cell, 1, 1, NULL);
}

static void
a_snapshot_stands_still(void **state)
{
    struct cell_files *cell = *state;
    struct environment_read read;
    struct store_key key = number_key(1, 1);
    struct store_value value;
    fill(cell, 1);
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    struct environment_write *write = begin(cell);
    put(write, 1, 1, "later");
    commit(write);
    assert_int_equal(environment_get(&read, &key, &value), 0);
    assert_memory_equal(value.bytes, "value", 5);
    environment_read_end(&read);
    check(cell, 1, 1, "later");
}

static void
deleting_what_is_not_there_is_no_error(void **state)
{
    struct cell_files *cell = *state;
    struct store_key key = number_key(1, 1);
    fill(cell, 1);
    struct environment_write *write = begin(cell);
    assert_int_equal(environment_delete(write, &key), 0);
    assert_int_equal(environment_delete(write, &key), 0);
    commit(write);
    check(cell, 1, 1, NULL);
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
    fill(cell, 1000);
    assert_int_equal(walk_both(cell, (struct store_range){number_key(2, 10), number_key(2, 20)}),
                     11);
    assert_int_equal(walk_both(cell, (struct store_range){number_key(2, 0), number_key(2, 1)}), 1);
    assert_int_equal(
        walk_both(cell, (struct store_range){number_key(2, 1000), number_key(2, 9999)}), 1);
    assert_int_equal(
        walk_both(cell, (struct store_range){number_key(2, 1001), number_key(2, 9999)}), 0);
    assert_int_equal(walk_both(cell, (struct store_range){number_key(3, 900), number_key(9, 0)}),
                     101);
    assert_int_equal(walk_both(cell, (struct store_range){number_key(2, 20), number_key(2, 10)}),
                     0);
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
    fill(cell, 100);
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
    fill(cell, 5000);
    struct environment_write *write = begin(cell);
    struct store_range range = {number_key(2, 100), number_key(2, 4900)};
    assert_int_equal(environment_delete_range(write, &range, &count), 0);
    assert_int_equal(count, 1 + 4801);
    assert_int_equal(environment_delete_range(write, &range, &count), 0);
    range = (struct store_range){number_key(3, 5000), number_key(9, 0)};
    assert_int_equal(environment_delete_range(write, &range, &count), 0);
    range = (struct store_range){number_key(2, 50), number_key(2, 40)};
    assert_int_equal(environment_delete_range(write, &range, &count), 0);
    assert_int_equal(count, 1 + 4801 + 1);
    put(write, 2, 500, "again");
    commit(write);
    check(cell, 2, 99, "value");
    check(cell, 2, 100, NULL);
    check(cell, 2, 500, "again");
    check(cell, 2, 4900, NULL);
    check(cell, 2, 4901, "value");
    check(cell, 3, 4999, "value");
    check(cell, 3, 5000, NULL);
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
    struct environment_write *write = begin(cell);
    assert_int_equal(environment_set_mark(write, &(struct log_mark){2, 77}), 0);
    assert_int_equal(environment_write_mark(write, &mark), 0);
    assert_true(mark.generation == 2 && mark.position == 77);
    commit(write);
    write = begin(cell);
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
    struct environment_write *write = begin(cell);
    int result = 0;
    for (uint64_t i = 1; result == 0 && i < 1000; i++) {
        struct store_key key = number_key(9, i);
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
    fill(cell, 100);
    assert_int_equal(fill_up(cell), -EFBIG);
    check(cell, 2, 50, "value");
    assert_int_equal(cell_files_records(cell), 300);
    struct environment_write *write = begin(cell);
    put(write, 2, 50, "still");
    commit(write);
    check(cell, 2, 50, "still");
    cell->options.map_bytes = 256 << 20; /* as its operator does */
    reopen(cell);
    assert_int_equal(fill_up(cell), 0);
    check(cell, 2, 50, "still");
}

static void
a_file_that_cannot_grow_is_told_and_harms_nothing(void **state)
{
    struct cell_files *cell = *state;
    struct rlimit old;
    fill(cell, 100);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){4 << 20, old.rlim_max}), 0);
    int result = fill_up(cell);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_true(result < 0);
    check(cell, 2, 50, "value");
    assert_int_equal(cell_files_records(cell), 300);
    struct environment_write *write = begin(cell);
    put(write, 2, 50, "still");
    commit(write);
    reopen(cell);
    check(cell, 2, 50, "still");
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
    fill(cell, 1000);
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
    unsigned char *format = memmem(image, bytes, "format\1\0\0\0", 10);
    assert_non_null(format);
    format[6] = 2;
    disk_write(&cell->disk, "data.mdb", image, bytes);
    free(image);
    check_refused(cell, -EPROTO, "has format version 2, this program knows 1");
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

/* ------------------------------------------------------------------------ resting */

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
    fill(cell, 10);
    assert_int_equal(files_open(), ENVIRONMENT_DESCRIPTORS);
    assert_true(environment_rest(cell->environment));
    assert_true(environment_rests(cell->environment));
    assert_int_equal(files_open(), 0);
    assert_true(environment_rest(cell->environment)); /* it does already */
    check(cell, 1, 10, "value");
    assert_false(environment_rests(cell->environment));
    assert_true(environment_rest(cell->environment));
    struct environment_write *write = begin(cell);
    put(write, 1, 10, "other");
    commit(write);
    assert_true(environment_rest(cell->environment));
    check(cell, 1, 10, "other");
    assert_int_equal(files_open(), ENVIRONMENT_DESCRIPTORS);
}

static void
whoever_reads_or_writes_keeps_it_from_resting(void **state)
{
    struct cell_files *cell = *state;
    struct environment_read read;
    fill(cell, 1);
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    struct environment_write *write = begin(cell);
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
    fill(cell, 1);
    assert_true(environment_rest(cell->environment));
    assert_int_equal(rename("c00/data.mdb", "c00/away.mdb"), 0);
    assert_int_equal(environment_read_begin(cell->environment, &read), -EUCLEAN);
    assert_int_equal(environment_write_begin(cell->environment, &write), -EUCLEAN);
    assert_true(environment_rests(cell->environment));
    assert_int_equal(rename("c00/away.mdb", "c00/data.mdb"), 0);
    check(cell, 1, 1, "value");
}

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
see(const struct environment_read *read, char *characters)
{
    struct store_key key = number_key(2, 1);
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
    fill(cell, 1);
    check(cell, 2, 1, "value"); /* leaves something to renew */
    assert_int_equal(environment_read_begin(cell->environment, &early), 0);
    struct environment_write *write = begin(cell);
    put(write, 2, 1, "later");
    commit(write);
    assert_int_equal(environment_read_begin(cell->environment, &late), 0);
    see(&early, "value");
    see(&late, "later");
    environment_read_end(&early);
    see(&late, "later");
    environment_read_end(&late);
    write = begin(cell);
    put(write, 2, 1, "last");
    commit(write);
    assert_int_equal(environment_read_begin(cell->environment, &early), 0);
    see(&early, "last");
    environment_read_end(&early);
    assert_true(environment_rest(cell->environment));
    check(cell, 2, 1, "last");
}

enum { READERS = 2, READS = 2000, RESTS = 10 };

static void *
read_much(void *context)
{
    struct cell_files *cell = context;
    for (unsigned i = 0; i < READS; i++) {
        check(cell, 2, 1 + i % 10, "value");
    }
    return NULL;
}

static void
threads_that_read_do_not_notice_that_it_rests(void **state)
{
    struct cell_files *cell = *state;
    pthread_t threads[READERS];
    unsigned rests = 0;
    fill(cell, 10);
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_much, cell), 0);
    }
    /* It ends at the latest when the readers have: then nobody keeps it from resting. */
    while (rests < RESTS) {
        rests += environment_rest(cell->environment);
        struct environment_write *write = begin(cell);
        put(write, 1, 1, "other");
        environment_abort(&write);
    }
    for (unsigned i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

#define CELL_SPEC(title, function)                 \
    {                                              \
        (title), (function), setup, teardown, NULL \
    }

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        CELL_SPEC("what was committed is there after opening again",
                  what_was_committed_is_there_after_opening_again),
        CELL_SPEC("what was aborted never was", what_was_aborted_never_was),
        CELL_SPEC("a snapshot stands still while others write", a_snapshot_stands_still),
        CELL_SPEC("each snapshot is of its own time, whoever read before",
                  each_snapshot_is_of_its_own_time),
        CELL_SPEC("deleting what is not there is no error", deleting_what_is_not_there_is_no_error),
        CELL_SPEC("a range is walked from either end and gives the same",
                  a_range_is_walked_from_either_end),
        CELL_SPEC("the callback's value ends the walk", the_callback_ends_the_walk),
        CELL_SPEC("a range is deleted to its ends and no further", a_range_is_deleted_to_its_ends),
        CELL_SPEC("the mark changes with its transaction or not at all",
                  the_mark_changes_with_its_transaction),
        CELL_SPEC("a full map is told, harms nothing, and can be made larger",
                  a_full_map_is_told_and_harms_nothing),
        CELL_SPEC("a file that can't grow is told and harms nothing",
                  a_file_that_cannot_grow_is_told_and_harms_nothing),
        CELL_SPEC("more readers than the table has room for are refused",
                  too_many_readers_are_refused),
        CELL_SPEC("it tells its facts", tells_its_facts),
        CELL_SPEC("another cell's or directory's environment is refused",
                  only_the_right_environment_is_opened),
        CELL_SPEC("another format version is refused by its number",
                  another_format_version_is_refused),
        CELL_SPEC("a missing or foreign file is refused, and none is made",
                  a_missing_or_foreign_file_is_refused),
        CELL_SPEC("creation replaces what was left half made",
                  creation_replaces_what_was_left_half_made),
        CELL_SPEC("its file is its owner's alone", its_file_is_its_owners_alone),
        CELL_SPEC("at rest it has no file open, and forgets nothing",
                  at_rest_it_has_no_file_open_and_forgets_nothing),
        CELL_SPEC("whoever reads or writes keeps it from resting",
                  whoever_reads_or_writes_keeps_it_from_resting),
        CELL_SPEC("what can't be opened again says so, and is tried anew",
                  what_can_not_be_opened_again_says_so_and_is_tried_anew),
        CELL_SPEC("threads that read do not notice that it rests in between",
                  threads_that_read_do_not_notice_that_it_rests),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
