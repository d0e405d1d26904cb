/* SPDX-License-Identifier: Apache-2.0 */
/* A table that lies in runs gives what any table would: beside a plain model of one, through folds
 * of all kinds, merges and aborts. */
#include "tests/store/cell_files.h"
#include "tests/store/chance.h"

#include <stdio.h>

enum {
    GROWS = 7,
    PARTITIONS = 3,
    OWNERS = 9,
    NUMBERS = 6000,
    SEEDS = SEEDS_OF(6),
    FOLDS = 120,
    ROUNDS_MAX = 40, /* entries of a fold */
    LARGE_BYTES = 5000,
};

/* Of one partition: who has a number, and what stands there. */
struct numbered {
    uint64_t owner;   /* 0: nobody yet */
    uint32_t version; /* 0: nothing is there */
};

struct model {
    struct numbered at[PARTITIONS][NUMBERS];
    uint64_t last[PARTITIONS];
};

static int
setup(void **state)
{
    struct cell_files *cell = calloc(1, sizeof(*cell));
    assert_non_null(cell);
    cell_files_open(cell, UINT64_C(256) << 20);
    environment_close(&cell->environment);
    cell->options.grows = GROWS;
    assert_int_equal(environment_open(&cell->options, &cell->environment, cell->why), 0);
    *state = cell;
    return 0;
}

static struct store_key
key_of(uint8_t partition, uint64_t owner, uint64_t number)
{
    return (struct store_key){.partition = partition, .table = GROWS, .owner = owner, .a = number};
}

static struct store_range
range_of(uint8_t partition, uint64_t owner, uint64_t low, uint64_t high)
{
    struct store_range range = {key_of(partition, owner, low), key_of(partition, owner, high)};
    range.high.b = UINT64_MAX;
    return range;
}

/* What stands at a number, from its version: a few bytes, of some numbers more than a page. */
static struct store_value
value_of(uint64_t number, uint32_t version, unsigned char out[LARGE_BYTES])
{
    size_t count = number % 97 == 0 ? LARGE_BYTES - number % 1000 : 12 + (number + version) % 300;
    memset(out, (int)(number + version), count);
    memcpy(out, &number, sizeof(number));
    memcpy(out + sizeof(number), &version, sizeof(version));
    return (struct store_value){out, count};
}

static void
check_value(uint64_t number, uint32_t version, struct store_value found)
{
    unsigned char bytes[LARGE_BYTES];
    struct store_value value = value_of(number, version, bytes);
    assert_int_equal(found.count, value.count);
    assert_memory_equal(found.bytes, value.bytes, value.count);
}

/* ------------------------------------------------------------------------------------ writing */

static void
put(struct model *model, struct environment_write *write, uint8_t partition, uint64_t number)
{
    struct numbered *numbered = &model->at[partition][number];
    unsigned char bytes[LARGE_BYTES];
    struct store_key key = key_of(partition, numbered->owner, number);
    numbered->version++;
    assert_int_equal(environment_put(write, &key, value_of(number, numbered->version, bytes)), 0);
}

/* What is new in a partition, in a fold's order: by owner, then by number. */
static void
put_new(struct model *model, struct environment_write *write, uint8_t partition,
        struct chance *chance)
{
    uint64_t first = model->last[partition] + 1;
    uint64_t count = chance_below(chance, 4) == 0 ? 0 : chance_below(chance, ROUNDS_MAX);
    for (uint64_t i = 0; i < count && model->last[partition] + 1 < NUMBERS; i++) {
        uint64_t number = ++model->last[partition];
        model->at[partition][number] = (struct numbered){.owner = 1 + chance_below(chance, OWNERS)};
    }
    for (uint64_t owner = 1; owner <= OWNERS; owner++) {
        for (uint64_t number = first; number <= model->last[partition]; number++) {
            /* Not all of them come so far. */
            if (model->at[partition][number].owner == owner && chance_below(chance, 8) != 0) {
                put(model, write, partition, number);
            }
        }
    }
}

static void
rewrite_some(struct model *model, struct environment_write *write, uint8_t partition,
             struct chance *chance)
{
    for (unsigned i = 0; i < 3 && model->last[partition] > 0; i++) {
        uint64_t number = 1 + chance_below(chance, model->last[partition]);
        put(model, write, partition, number); /* of some that are gone: they come again */
    }
}

static void
delete_some(struct model *model, struct environment_write *write, uint8_t partition,
            struct chance *chance)
{
    for (unsigned i = 0; i < 3 && model->last[partition] > 0; i++) {
        uint64_t number = 1 + chance_below(chance, model->last[partition]);
        struct numbered *numbered = &model->at[partition][number];
        struct store_key key = key_of(partition, numbered->owner, number);
        numbered->version = 0;
        assert_int_equal(environment_delete(write, &key), 0);
    }
    struct store_key beyond = key_of(partition, 1, NUMBERS);
    assert_int_equal(environment_delete(write, &beyond), 0);
}

static void
delete_range(struct model *model, struct environment_write *write, uint8_t partition,
             struct chance *chance)
{
    uint64_t owner = 1 + chance_below(chance, OWNERS);
    uint64_t high = chance_below(chance, model->last[partition] + 1);
    uint64_t low = chance_below(chance, 3) == 0 ? chance_below(chance, high + 1) : 0;
    struct store_range range = range_of(partition, owner, low, high);
    uint64_t expected = 0;
    uint64_t count = 0;
    for (uint64_t number = low; number <= high; number++) {
        struct numbered *numbered = &model->at[partition][number];
        if (numbered->owner == owner && numbered->version > 0) {
            numbered->version = 0;
            expected++;
        }
    }
    assert_int_equal(environment_delete_range(write, &range, &count), 0);
    assert_int_equal(count, expected);
}

/* ------------------------------------------------------------------------------------ reading */

struct walk {
    const struct model *model;
    uint8_t partition;
    uint64_t owner;
    enum environment_order order;
    uint64_t next; /* the number that none is missing before */
    uint64_t count;
};

static int
each(void *context, const struct store_key *key, struct store_value value)
{
    struct walk *walk = context;
    const struct numbered *numbered = &walk->model->at[walk->partition][key->a];
    assert_true(key->partition == walk->partition && key->table == GROWS);
    assert_true(key->owner == walk->owner && key->owner == numbered->owner && key->b == 0);
    assert_true(numbered->version > 0);
    check_value(key->a, numbered->version, value);
    assert_true(walk->order == ENVIRONMENT_FORWARDS ? key->a >= walk->next : key->a <= walk->next);
    walk->next = walk->order == ENVIRONMENT_FORWARDS ? key->a + 1 : key->a - 1;
    walk->count++;
    return 0;
}

static void
check_range(struct environment_read *read, const struct model *model, uint8_t partition,
            uint64_t owner, uint64_t low, uint64_t high)
{
    struct store_range range = range_of(partition, owner, low, high);
    uint64_t expected = 0;
    for (uint64_t number = low; number <= high && number < NUMBERS; number++) {
        const struct numbered *numbered = &model->at[partition][number];
        expected += numbered->owner == owner && numbered->version > 0;
    }
    for (unsigned i = 0; i < 2; i++) {
        enum environment_order order = i == 0 ? ENVIRONMENT_FORWARDS : ENVIRONMENT_BACKWARDS;
        struct walk walk = {model, partition, owner, order, .next = i == 0 ? low : high};
        assert_int_equal(environment_range(read, &range, order, each, &walk), 0);
        assert_int_equal(walk.count, expected);
    }
}

static void
check_all(struct cell_files *cell, const struct model *model, struct chance *chance)
{
    struct environment_read read;
    uint64_t records = 0;
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    for (unsigned p = 0; p < PARTITIONS; p++) {
        uint8_t partition = (uint8_t)p;
        for (uint64_t number = 1; number <= model->last[partition]; number++) {
            const struct numbered *numbered = &model->at[partition][number];
            struct store_key key = key_of(partition, numbered->owner, number);
            struct store_value value;
            int result = environment_get(&read, &key, &value);
            assert_int_equal(result, numbered->version > 0 ? 0 : -ENOENT);
            if (result == 0) {
                check_value(number, numbered->version, value);
                records++;
            }
        }
        for (uint64_t owner = 0; owner <= OWNERS + 1; owner++) {
            check_range(&read, model, partition, owner, 0, UINT64_MAX - 1);
        }
        uint64_t high = chance_below(chance, NUMBERS);
        check_range(&read, model, partition, 1, chance_below(chance, high + 1), high);
    }
    environment_read_end(&read);
    assert_int_equal(cell_files_records(cell), records);
}

/* -------------------------------------------------------------------------------------- lives */

static void
fold(struct cell_files *cell, struct model *model, struct chance *chance)
{
    struct environment_write *write = cell_begin(cell);
    struct model *before = malloc(sizeof(*before));
    assert_non_null(before);
    *before = *model;
    for (unsigned p = 0; p < PARTITIONS; p++) {
        uint8_t partition = (uint8_t)p;
        put_new(model, write, partition, chance);
        rewrite_some(model, write, partition, chance);
        delete_some(model, write, partition, chance);
        if (chance_below(chance, 3) == 0) {
            delete_range(model, write, partition, chance);
        }
    }
    if (chance_below(chance, 10) == 0) {
        environment_abort(&write);
        *model = *before;
    } else {
        cell_commit(write);
    }
    free(before);
}

static void
gives_what_any_table_would(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        void *made = NULL;
        struct chance chance = {seed};
        struct model *model = calloc(1, sizeof(*model));
        assert_non_null(model);
        (void)setup(&made);
        struct cell_files *cell = made;
        for (unsigned i = 0; i < FOLDS; i++) {
            fold(cell, model, &chance);
            /* One of the seeds leaves lists to become long. */
            if (chance_below(&chance, 2) == 0 && (seed > 1 || i % 40 == 38)) {
                uint64_t merged = 0;
                uint64_t bytes = chance_below(&chance, 2) == 0 ? 0 : UINT64_MAX;
                assert_int_equal(environment_merge(cell->environment, bytes, &merged), 0);
            }
            if (i % 10 == 9) {
                check_all(cell, model, &chance);
            }
            if (i % 40 == 39) {
                assert_true(environment_rest(cell->environment));
            }
        }
        free(model);
        (void)cell_teardown(&made);
    }
}

/* A fold of so many entries of an owner. */
static void
fold_of(struct cell_files *cell, uint8_t partition, uint64_t first, uint64_t count)
{
    unsigned char bytes[LARGE_BYTES];
    struct environment_write *write = cell_begin(cell);
    for (uint64_t number = first; number < first + count; number++) {
        struct store_key key = key_of(partition, 3, number);
        assert_int_equal(environment_put(write, &key, value_of(number, 1, bytes)), 0);
    }
    cell_commit(write);
}

static uint64_t
merge(struct cell_files *cell, uint64_t bytes)
{
    uint64_t merged = 1;
    assert_int_equal(environment_merge(cell->environment, bytes, &merged), 0);
    return merged;
}

static uint64_t
data_bytes(struct cell_files *cell)
{
    struct environment_facts facts;
    assert_int_equal(environment_facts(cell->environment, &facts), 0);
    return facts.data_bytes;
}

static uint64_t
commits(struct cell_files *cell)
{
    struct environment_facts facts;
    assert_int_equal(environment_facts(cell->environment, &facts), 0);
    return facts.commits;
}

static void
eight_runs_are_merged(void **state)
{
    struct cell_files *cell = *state;
    for (uint64_t i = 0; i < RUNS_MERGED; i++) {
        assert_int_equal(merge(cell, UINT64_MAX), 0);
        fold_of(cell, 1, 1 + i * 20, 20);
    }
    assert_true(merge(cell, 0) > 0);
    uint64_t commits_before = commits(cell);
    assert_int_equal(merge(cell, UINT64_MAX), 0);
    assert_int_equal(commits(cell), commits_before);
    fold_of(cell, 1, 1000, 1);
    assert_int_equal(merge(cell, UINT64_MAX), 0);
    assert_int_equal(cell_files_records(cell), RUNS_MERGED * 20 + 1);
}

/* Partition 1 has eight runs, 2 has nine, 3 and 4 again eight, all of them alike. */
static void
as_many_partitions_as_fit(void **state)
{
    struct cell_files *cell = *state;
    for (uint64_t i = 0; i < RUNS_MERGED + 1; i++) {
        for (uint8_t partition = 1; partition <= 4; partition++) {
            if (i < RUNS_MERGED || partition == 2) {
                fold_of(cell, partition, 1 + i * 20, 20);
            }
        }
    }
    uint64_t nine = merge(cell, 0);
    uint64_t eight = merge(cell, 0);
    assert_true(nine > eight && eight > 0);
    assert_int_equal(merge(cell, 2 * eight - 1), eight);
    fold_of(cell, 4, 9 * 20 + 1, 1);
    assert_true(merge(cell, 2 * eight) >= eight);
    assert_int_equal(merge(cell, UINT64_MAX), 0);
}

/* Nothing is merged, as if each merge failed. */
static void
a_full_list_takes_what_is_new(void **state)
{
    struct cell_files *cell = *state;
    struct environment_read read;
    uint64_t folds = RUNS_MAX + 10;
    for (uint64_t i = 0; i < folds; i++) {
        fold_of(cell, 1, 1 + i * 3, 3);
    }
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    for (uint64_t number = 1; number <= folds * 3; number++) {
        struct store_key key = key_of(1, 3, number);
        struct store_value value;
        assert_int_equal(environment_get(&read, &key, &value), 0);
        check_value(number, 1, value);
    }
    environment_read_end(&read);
    uint64_t count = 0;
    struct environment_write *write = cell_begin(cell);
    struct store_range range = range_of(1, 3, 0, UINT64_MAX);
    assert_int_equal(environment_delete_range(write, &range, &count), 0);
    assert_int_equal(count, folds * 3);
    cell_commit(write);
}

static int
count_each(void *context, const struct store_key *key, struct store_value value)
{
    (void)context;
    (void)key;
    (void)value;
    return 0;
}

static int
third_time(void *context)
{
    unsigned *asked = context;
    return ++*asked == 3 ? 9 : 0;
}

static void
a_walk_can_be_ended_between_runs(void **state)
{
    struct cell_files *cell = *state;
    struct environment_read read;
    unsigned asked = 0;
    for (uint64_t i = 0; i < 5; i++) {
        fold_of(cell, 1, 1 + i, 1);
    }
    struct store_range range = range_of(1, 4, 0, UINT64_MAX); /* of which nothing is there */
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    read.between = third_time;
    assert_int_equal(environment_range(&read, &range, ENVIRONMENT_FORWARDS, count_each, &asked), 9);
    asked = 0;
    range = range_of(1, 4, 3, 4); /* two of five */
    assert_int_equal(environment_range(&read, &range, ENVIRONMENT_FORWARDS, count_each, &asked), 0);
    assert_int_equal(asked, 1);
    environment_read_end(&read);
}

static void
pages_are_full(void **state)
{
    struct cell_files *cell = *state;
    unsigned char bytes[LARGE_BYTES] = {0};
    uint64_t all = 0;
    for (uint64_t i = 0; i < 4; i++) {
        struct environment_write *write = cell_begin(cell);
        for (uint64_t owner = 1; owner <= 5000; owner++) {
            struct store_key key = key_of(1, owner, i * 10000 + owner);
            assert_int_equal(environment_put(write, &key, (struct store_value){bytes, 200}), 0);
            all += 200 + 25;
        }
        cell_commit(write);
    }
    assert_true(data_bytes(cell) < all + all / 5);
}

/* Deleted from the middle, and all of it. */
static void
what_is_empty_goes(void **state)
{
    struct cell_files *cell = *state;
    uint64_t count = 0;
    for (uint64_t i = 0; i < 5; i++) {
        fold_of(cell, 1, 1 + i * 20, 20);
    }
    for (uint64_t i = 0; i < 3; i++) { /* as many as would be merged, if those were still there */
        struct environment_write *write = cell_begin(cell);
        struct store_range range = range_of(1, 3, 0, 100 + i);
        assert_int_equal(environment_delete_range(write, &range, &count), 0);
        cell_commit(write);
        assert_int_equal(cell_files_records(cell), 0);
        for (uint64_t j = 0; j < 5; j++) {
            fold_of(cell, 1, 1000 * (i + 1) + j, 1);
        }
        range = range_of(1, 3, 1000, UINT64_MAX);
        write = cell_begin(cell);
        assert_int_equal(environment_delete_range(write, &range, &count), 0);
        cell_commit(write);
    }
    assert_int_equal(count, 100 + 3 * 5);
    assert_int_equal(merge(cell, UINT64_MAX), 0);
    /* What comes again below all that there ever was finds its way, too. */
    unsigned char bytes[LARGE_BYTES];
    struct environment_write *write = cell_begin(cell);
    struct store_key key = key_of(1, 3, 5);
    struct store_key lower = key_of(1, 4, 2);
    struct store_key newer = key_of(1, 3, 9000);
    assert_int_equal(environment_put(write, &key, value_of(5, 1, bytes)), 0);
    assert_int_equal(environment_put(write, &lower, value_of(2, 1, bytes)), 0);
    assert_int_equal(environment_put(write, &newer, value_of(9000, 1, bytes)), 0);
    cell_commit(write);
    struct environment_read read;
    struct store_value value;
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    assert_int_equal(environment_get(&read, &key, &value), 0);
    check_value(5, 1, value);
    assert_int_equal(environment_get(&read, &lower, &value), 0);
    check_value(2, 1, value);
    assert_int_equal(environment_get(&read, &newer, &value), 0);
    check_value(9000, 1, value);
    environment_read_end(&read);
}

static int
stop_at_second(void *context, const struct store_key *key, struct store_value value)
{
    uint64_t *count = context;
    (void)key;
    (void)value;
    return ++*count == 2 ? 7 : 0;
}

static void
the_callback_ends_the_walk(void **state)
{
    struct cell_files *cell = *state;
    uint64_t count = 0;
    struct environment_read read;
    for (uint64_t i = 0; i < 3; i++) {
        fold_of(cell, 1, 1 + i, 1);
    }
    struct store_range range = range_of(1, 3, 0, UINT64_MAX);
    assert_int_equal(environment_read_begin(cell->environment, &read), 0);
    assert_int_equal(environment_range(&read, &range, ENVIRONMENT_FORWARDS, stop_at_second, &count),
                     7);
    assert_int_equal(count, 2);
    environment_read_end(&read);
}

#define SPEC_OF_CELL(title, function)                   \
    {                                                   \
        (title), (function), setup, cell_teardown, NULL \
    }

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a table that lies in runs gives what any table would", gives_what_any_table_would),
        SPEC_OF_CELL("eight runs are merged, fewer are not", eight_runs_are_merged),
        SPEC_OF_CELL("as many partitions are merged as fit, who has most runs first",
                     as_many_partitions_as_fit),
        SPEC_OF_CELL("where merges fail, the last of many runs takes what is new",
                     a_full_list_takes_what_is_new),
        SPEC_OF_CELL("a walk can be ended between runs, where it finds nothing",
                     a_walk_can_be_ended_between_runs),
        SPEC_OF_CELL("whoever they are for, records fill their pages", pages_are_full),
        SPEC_OF_CELL("a run without records goes", what_is_empty_goes),
        SPEC_OF_CELL("the callback ends a walk over several runs", the_callback_ends_the_walk),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
