/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fold.h"
#include "tests/store/cell_files.h"
#include "tests/store/chance.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { USERS = 1, INBOX = 2, PARTITIONS = 4 };

struct cell {
    struct cell_files files;
    struct table *tables[PARTITIONS];
};

static void
tables_renew(struct cell *cell)
{
    for (unsigned i = 0; i < PARTITIONS; i++) {
        table_free(&cell->tables[i]);
        cell->tables[i] = table_new(1);
    }
}

static int
setup(void **state)
{
    struct cell *cell = calloc(1, sizeof(*cell));
    assert_non_null(cell);
    cell_files_open(&cell->files, 32 << 20);
    tables_renew(cell);
    *state = cell;
    return 0;
}

static int
teardown(void **state)
{
    struct cell *cell = *state;
    for (unsigned i = 0; i < PARTITIONS; i++) {
        table_free(&cell->tables[i]);
    }
    cell_files_close(&cell->files);
    free(cell);
    return 0;
}

static void
put(struct cell *cell, struct store_key key, enum table_state state, uint64_t value)
{
    bool present = state == TABLE_WRITTEN || state == TABLE_FETCHED;
    struct store_value bytes = {(const unsigned char *)&value, present ? sizeof(value) : 0};
    table_put(cell->tables[key.partition], &key, state, bytes);
}

static struct store_key
user_key(uint8_t partition, uint64_t user)
{
    return (struct store_key){.partition = partition, .table = USERS, .owner = user};
}

static struct store_key
inbox_key(uint8_t partition, uint64_t user, uint64_t number)
{
    return (struct store_key){.partition = partition, .table = INBOX, .owner = user, .a = number};
}

/* A user's value is his inbox's lowest number: what is below it is gone, and what was below the one
 * before is gone already. */
static bool
inbox_low(const struct table_entry *entry, const struct store_value *before, unsigned index,
          struct store_range *out)
{
    uint64_t low;
    uint64_t from = 0;
    if (entry->key.table != USERS || index > 0) {
        return false;
    }
    memcpy(&low, entry->value.bytes, sizeof(low));
    if (before != NULL && before->count > 0) {
        memcpy(&from, before->bytes, sizeof(from));
    }
    if (low <= from) {
        return false;
    }
    out->low = inbox_key(entry->key.partition, entry->key.owner, from);
    out->high = inbox_key(entry->key.partition, entry->key.owner, low - 1);
    out->high.b = UINT64_MAX;
    return true;
}

static struct fold
fold_at(struct cell *cell, uint64_t position)
{
    return (struct fold){
        .environment = cell->files.environment,
        .tables = (const struct table *const *)cell->tables,
        .tables_count = PARTITIONS,
        .mark = {1, position},
        .implies = inbox_low,
    };
}

/* The value, or 0 for none. */
static uint64_t
value_of(struct cell *cell, struct store_key key)
{
    struct environment_read read;
    struct store_value value;
    uint64_t number = 0;
    assert_int_equal(environment_read_begin(cell->files.environment, &read), 0);
    int result = environment_get(&read, &key, &value);
    if (result == 0) {
        assert_int_equal(value.count, sizeof(number));
        memcpy(&number, value.bytes, sizeof(number));
    } else {
        assert_int_equal(result, -ENOENT);
    }
    environment_read_end(&read);
    return number;
}

static uint64_t
mark_position(struct cell *cell)
{
    struct environment_read read;
    struct log_mark mark;
    assert_int_equal(environment_read_begin(cell->files.environment, &read), 0);
    assert_int_equal(environment_mark(&read, &mark), 0);
    environment_read_end(&read);
    return mark.position;
}

/* ------------------------------------------------------------------------ folds */

static void
dirty_entries_and_the_mark_are_written(void **state)
{
    struct cell *cell = *state;
    put(cell, user_key(0, 1), TABLE_WRITTEN, 0);
    put(cell, inbox_key(0, 1, 5), TABLE_WRITTEN, 55);
    put(cell, inbox_key(3, 9, 7), TABLE_WRITTEN, 77);
    put(cell, inbox_key(3, 9, 8), TABLE_FETCHED, 88);
    put(cell, inbox_key(3, 9, 9), TABLE_MISSING, 0);
    struct fold fold = fold_at(cell, 100);
    assert_int_equal(fold_run(&fold), 0);
    assert_int_equal(value_of(cell, inbox_key(0, 1, 5)), 55);
    assert_int_equal(value_of(cell, inbox_key(3, 9, 7)), 77);
    assert_int_equal(value_of(cell, inbox_key(3, 9, 8)),
                     0); /* clean: LMDB is not asked to hold it */
    assert_int_equal(mark_position(cell), 100);
    assert_int_equal(cell_files_records(&cell->files), 3);
    assert_int_equal(fold.stats.written, 3);
    assert_int_equal(fold.stats.deleted, 0);
    assert_int_equal(fold.stats.bytes, 3 * (STORE_KEY_BYTES + 8));
}

static void
deleted_entries_are_deleted(void **state)
{
    struct cell *cell = *state;
    put(cell, inbox_key(1, 1, 5), TABLE_WRITTEN, 55);
    struct fold fold = fold_at(cell, 100);
    assert_int_equal(fold_run(&fold), 0);
    tables_renew(cell);
    put(cell, inbox_key(1, 1, 5), TABLE_DELETED, 0);
    put(cell, inbox_key(1, 1, 6), TABLE_DELETED, 0);
    fold = fold_at(cell, 200);
    assert_int_equal(fold_run(&fold), 0);
    assert_int_equal(cell_files_records(&cell->files), 0);
    assert_int_equal(fold.stats.deleted, 2);
}

static void
watermarks_delete_their_ranges(void **state)
{
    struct cell *cell = *state;
    for (uint64_t user = 1; user <= 3; user++) {
        for (uint64_t number = 1; number <= 100; number++) {
            put(cell, inbox_key(2, user, number), TABLE_WRITTEN, number);
        }
    }
    struct fold fold = fold_at(cell, 100);
    assert_int_equal(fold_run(&fold), 0);
    tables_renew(cell);
    put(cell, user_key(2, 2), TABLE_WRITTEN, 61);
    put(cell, inbox_key(2, 2, 60), TABLE_WRITTEN, 1); /* below: gone all the same */
    put(cell, inbox_key(2, 2, 101), TABLE_WRITTEN, 101);
    put(cell, user_key(2, 3), TABLE_FETCHED, 50); /* clean: deleted when it was written */
    fold = fold_at(cell, 200);
    assert_int_equal(fold_run(&fold), 0);
    assert_int_equal(value_of(cell, inbox_key(2, 1, 100)), 100);
    assert_int_equal(value_of(cell, inbox_key(2, 2, 60)), 0);
    assert_int_equal(value_of(cell, inbox_key(2, 2, 61)), 61);
    assert_int_equal(value_of(cell, inbox_key(2, 2, 101)), 101);
    assert_int_equal(value_of(cell, inbox_key(2, 3, 1)), 1);
    assert_int_equal(fold.stats.ranges, 1);
    assert_int_equal(fold.stats.ranges_deleted, 60);
    assert_int_equal(cell_files_records(&cell->files), 300 - 60 + 1 + 1);
}

static void
a_watermark_deletes_from_where_it_was(void **state)
{
    struct cell *cell = *state;
    for (uint64_t number = 1; number <= 100; number++) {
        put(cell, inbox_key(2, 1, number), TABLE_WRITTEN, number);
    }
    put(cell, user_key(2, 1), TABLE_WRITTEN, 31);
    struct fold fold = fold_at(cell, 100);
    assert_int_equal(fold_run(&fold), 0);
    assert_int_equal(fold.stats.ranges_deleted, 30);
    tables_renew(cell);
    put(cell, inbox_key(2, 1, 7), TABLE_WRITTEN, 7); /* which nobody would */
    put(cell, user_key(2, 1), TABLE_WRITTEN, 61);
    fold = fold_at(cell, 200);
    assert_int_equal(fold_run(&fold), 0);
    assert_int_equal(fold.stats.ranges, 1);
    assert_int_equal(fold.stats.ranges_deleted, 30);
    assert_int_equal(value_of(cell, inbox_key(2, 1, 7)), 7); /* not looked at */
    assert_int_equal(value_of(cell, inbox_key(2, 1, 60)), 0);
    assert_int_equal(value_of(cell, inbox_key(2, 1, 61)), 61);
    tables_renew(cell);
    put(cell, user_key(2, 1), TABLE_WRITTEN, 61);
    fold = fold_at(cell, 300);
    assert_int_equal(fold_run(&fold), 0);
    assert_int_equal(fold.stats.ranges, 0);
}

/* The inbox lies in runs from here on. */
static void
inboxes_grow(struct cell *cell)
{
    environment_close(&cell->files.environment);
    cell->files.options.grows = INBOX;
    assert_int_equal(
        environment_open(&cell->files.options, &cell->files.environment, cell->files.why), 0);
}

static void
what_lies_in_runs_is_deleted_from_all_of_them(void **state)
{
    struct cell *cell = *state;
    uint64_t number = 0;
    unsigned merges = 0;
    inboxes_grow(cell);
    for (uint64_t round = 1; round <= UINT64_C(3) * RUNS_MERGED; round++) {
        uint64_t merged;
        tables_renew(cell);
        for (uint64_t user = 1; user <= 50; user++) {
            number++;
            put(cell, inbox_key(1, user, number), TABLE_WRITTEN, number);
        }
        struct fold fold = fold_at(cell, round);
        assert_int_equal(fold_run(&fold), 0);
        assert_int_equal(environment_merge(cell->files.environment, 0, &merged), 0);
        merges += merged > 0;
    }
    assert_true(merges >= 2 && merges <= 6);
    for (uint64_t i = 1; i <= number; i++) {
        assert_int_equal(value_of(cell, inbox_key(1, (i - 1) % 50 + 1, i)), i);
    }
    tables_renew(cell);
    for (uint64_t user = 1; user <= 50; user++) {
        put(cell, user_key(1, user), TABLE_WRITTEN, number + 1);
    }
    struct fold fold = fold_at(cell, 1000);
    assert_int_equal(fold_run(&fold), 0);
    assert_int_equal(fold.stats.ranges_deleted, number);
    assert_int_equal(cell_files_records(&cell->files), 50);
}

/* A folder is killed behind its fold's commit, and the next one does not know that it was done:
 * what that fold wrote and deleted at once must not come back. */
static void
a_fold_that_was_done_is_not_done_again(void **state)
{
    struct cell *cell = *state;
    put(cell, inbox_key(2, 1, 7), TABLE_WRITTEN, 7);
    struct fold fold = fold_at(cell, 100);
    assert_int_equal(fold_run(&fold), 0);
    tables_renew(cell);
    put(cell, inbox_key(2, 1, 7), TABLE_WRITTEN, 8); /* wiped, then acknowledged */
    put(cell, user_key(2, 1), TABLE_WRITTEN, 8);
    fold = fold_at(cell, 200);
    assert_int_equal(fold_run(&fold), 0);
    assert_int_equal(value_of(cell, inbox_key(2, 1, 7)), 0);
    assert_int_equal(fold_run(&fold), 0);
    assert_int_equal(value_of(cell, inbox_key(2, 1, 7)), 0);
    assert_int_equal(fold.stats.written, 0);
    assert_int_equal(mark_position(cell), 200);
}

static void
an_empty_fold_moves_the_mark(void **state)
{
    struct cell *cell = *state;
    struct fold fold = fold_at(cell, 100);
    table_free(&cell->tables[1]); /* a partition that was not frozen */
    fold.implies = NULL;
    assert_int_equal(fold_run(&fold), 0);
    assert_int_equal(mark_position(cell), 100);
    assert_int_equal(cell_files_records(&cell->files), 0);
}

static void
a_fold_behind_the_mark_is_refused(void **state)
{
    struct cell *cell = *state;
    struct fold fold = fold_at(cell, 100);
    assert_int_equal(fold_run(&fold), 0);
    put(cell, inbox_key(0, 1, 5), TABLE_WRITTEN, 55);
    fold = fold_at(cell, 99);
    assert_int_equal(fold_run(&fold), -ESTALE);
    assert_int_equal(cell_files_records(&cell->files), 0);
    fold.mark = (struct log_mark){2, 1}; /* a later generation begins anew */
    assert_int_equal(fold_run(&fold), 0);
    assert_int_equal(cell_files_records(&cell->files), 1);
}

static void
a_fold_that_fails_changes_nothing(void **state)
{
    struct cell *cell = *state;
    static const unsigned char large[100000];
    put(cell, inbox_key(0, 1, 5), TABLE_WRITTEN, 55);
    struct fold fold = fold_at(cell, 100);
    assert_int_equal(fold_run(&fold), 0);
    put(cell, inbox_key(0, 1, 5), TABLE_WRITTEN, 66);
    for (uint64_t i = 10; i < 510; i++) {
        struct store_key key = inbox_key(1, 1, i);
        table_put(cell->tables[1], &key, TABLE_WRITTEN, (struct store_value){large, sizeof(large)});
    }
    fold = fold_at(cell, 200);
    assert_int_equal(fold_run(&fold), -EFBIG);
    assert_int_equal(value_of(cell, inbox_key(0, 1, 5)), 55);
    assert_int_equal(mark_position(cell), 100);
    /* The map is made larger, and the same tables fold. */
    environment_close(&cell->files.environment);
    cell->files.options.map_bytes = 128 << 20;
    assert_int_equal(
        environment_open(&cell->files.options, &cell->files.environment, cell->files.why), 0);
    fold.environment = cell->files.environment;
    assert_int_equal(fold_run(&fold), 0);
    assert_int_equal(value_of(cell, inbox_key(0, 1, 5)), 66);
    assert_int_equal(mark_position(cell), 200);
}

/* ------------------------------------------------------------------------ against a reference */

enum { NUMBERS = 60 };

/* What LMDB must hold: [partition][number], 0 for none. */
struct truth {
    uint64_t values[PARTITIONS][NUMBERS];
};

static void
check_truth(struct cell *cell, const struct truth *truth)
{
    uint64_t count = 0;
    for (unsigned partition = 0; partition < PARTITIONS; partition++) {
        for (uint64_t i = 0; i < NUMBERS; i++) {
            assert_int_equal(value_of(cell, inbox_key((uint8_t)partition, 1, i)),
                             truth->values[partition][i]);
            count += truth->values[partition][i] != 0;
        }
    }
    assert_int_equal(cell_files_records(&cell->files), count);
}

static void
some_change(struct cell *cell, struct truth *truth, struct chance *chance)
{
    uint8_t partition = (uint8_t)chance_below(chance, PARTITIONS);
    uint64_t number = chance_below(chance, NUMBERS);
    uint64_t *value = &truth->values[partition][number];
    struct store_key key = inbox_key(partition, 1, number);
    switch (chance_below(chance, 3)) {
    case 0:
        *value = 1 + chance_below(chance, 1000000);
        put(cell, key, TABLE_WRITTEN, *value);
        break;
    case 1:
        *value = 0;
        put(cell, key, TABLE_DELETED, 0);
        break;
    default: {
        struct table_entry entry;
        if (!table_get(cell->tables[partition], &key, &entry)) {
            put(cell, key, *value != 0 ? TABLE_FETCHED : TABLE_MISSING, *value);
        }
        break;
    }
    }
}

static void
many_folds_make_what_the_commands_made(void **state)
{
    struct cell *cell = *state;
    struct chance chance = {7};
    struct truth truth = {0};
    for (uint64_t round = 1; round <= 30; round++) {
        tables_renew(cell);
        for (unsigned i = 0; i < 60; i++) {
            some_change(cell, &truth, &chance);
        }
        struct fold fold = fold_at(cell, round);
        /* Now and then the same fold runs twice, as after a crash that nobody knows the moment
         * of. */
        for (uint64_t times = chance_below(&chance, 2); times < 2; times++) {
            assert_int_equal(fold_run(&fold), 0);
            check_truth(cell, &truth);
        }
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
        CELL_SPEC("dirty entries and the mark are written, clean ones are not",
                  dirty_entries_and_the_mark_are_written),
        CELL_SPEC("deleted entries are deleted, whether they were there or not",
                  deleted_entries_are_deleted),
        CELL_SPEC("a written watermark deletes its range, and only that",
                  watermarks_delete_their_ranges),
        CELL_SPEC("a watermark deletes from where it was before",
                  a_watermark_deletes_from_where_it_was),
        CELL_SPEC("what lies in runs is deleted from all of them",
                  what_lies_in_runs_is_deleted_from_all_of_them),
        CELL_SPEC("a fold that was done is not done again", a_fold_that_was_done_is_not_done_again),
        CELL_SPEC("a fold of nothing moves the mark", an_empty_fold_moves_the_mark),
        CELL_SPEC("a fold from before the mark is refused", a_fold_behind_the_mark_is_refused),
        CELL_SPEC("a fold that fails changes nothing and can be run again",
                  a_fold_that_fails_changes_nothing),
        CELL_SPEC("many folds, some repeated, leave what the commands made",
                  many_folds_make_what_the_commands_made),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
