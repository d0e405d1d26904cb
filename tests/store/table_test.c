/* SPDX-License-Identifier: Apache-2.0 */
/* The table is held against the simplest thing that can't be wrong: a sorted array. */
#include "store/table.h"

#include "store/table_priv.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------- the reference */

struct known {
    struct store_key key;
    enum table_state state;
    size_t count;
    unsigned char mark; /* every byte of the value */
};

enum { KNOWN_MAX = 8192 };

struct reference {
    struct known known[KNOWN_MAX];
    unsigned count;
};

static unsigned
reference_find(const struct reference *reference, const struct store_key *key)
{
    unsigned index = 0;
    unsigned end = reference->count;
    while (index < end) {
        unsigned middle = (index + end) / 2;
        if (key_less(&reference->known[middle].key, key)) {
            index = middle + 1;
        } else {
            end = middle;
        }
    }
    return index;
}

static bool
reference_has(const struct reference *reference, unsigned index, const struct store_key *key)
{
    return index < reference->count && key_equal(&reference->known[index].key, key);
}

static void
reference_put(struct reference *reference, const struct known *known)
{
    unsigned index = reference_find(reference, &known->key);
    if (!reference_has(reference, index, &known->key)) {
        assert_true(reference->count < KNOWN_MAX);
        memmove(&reference->known[index + 1], &reference->known[index],
                (reference->count - index) * sizeof(*known));
        reference->count++;
    }
    reference->known[index] = *known;
}

static bool
reference_remove(struct reference *reference, const struct store_key *key)
{
    unsigned index = reference_find(reference, key);
    if (!reference_has(reference, index, key)) {
        return false;
    }
    reference->count--;
    memmove(&reference->known[index], &reference->known[index + 1],
            (reference->count - index) * sizeof(reference->known[0]));
    return true;
}

static uint64_t
reference_drop(struct reference *reference, const struct store_range *range)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < reference->count; i++) {
        const struct known *known = &reference->known[i];
        if (known->state == TABLE_WRITTEN && !key_less(&known->key, &range->low) &&
            !key_less(&range->high, &known->key)) {
            continue;
        }
        reference->known[kept++] = *known;
    }
    uint64_t dropped = reference->count - kept;
    reference->count = kept;
    return dropped;
}

/* ---------------------------------------------------------------------------------- comparisons */

static void
check_entry(const struct table_entry *entry, const struct known *known)
{
    assert_true(key_equal(&entry->key, &known->key));
    assert_int_equal(entry->state, known->state);
    assert_int_equal(entry->value.count, known->count);
    for (size_t i = 0; i < known->count; i++) {
        assert_int_equal(entry->value.bytes[i], known->mark);
    }
}

static void
check_same(const struct table *table, const struct reference *reference)
{
    uint64_t dirty = 0;
    struct table_cursor at;
    struct table_entry entry;
    table_seek(table, &(struct store_key){0}, &at);
    for (unsigned i = 0; i < reference->count; i++) {
        assert_true(table_at(&at, &entry));
        check_entry(&entry, &reference->known[i]);
        dirty += entry.state == TABLE_WRITTEN || entry.state == TABLE_DELETED;
        table_next(&at);
    }
    assert_false(table_at(&at, &entry));
    assert_int_equal(table_entries(table), reference->count);
    assert_int_equal(table_dirty_entries(table), dirty);
    assert_true(table_valid(table));
}

/* --------------------------------------------------------------------------------- random lives */

/* How keys are spread: over everything, or as a few owners with rising numbers. */
struct spread {
    unsigned owners;
    unsigned numbers;
    unsigned remove_percent;
};

static struct known
some_known(struct chance *chance, const struct spread *spread)
{
    struct known known = {
        .key = {.partition = 3,
                .table = (uint8_t)chance_below(chance, 2),
                .owner = chance_below(chance, spread->owners) << 40,
                .a = chance_below(chance, spread->numbers),
                .b = chance_below(chance, 2)},
        .state = (enum table_state)chance_below(chance, TABLE_STATES),
        .mark = (unsigned char)chance_next(chance),
    };
    if (known.state == TABLE_WRITTEN || known.state == TABLE_FETCHED) {
        known.count = (size_t)chance_below(chance, (uint64_t)1 << chance_below(chance, 11));
        known.count += chance_below(chance, 500) == 0 ? 10000 : 0;
    }
    return known;
}

static void
table_put_known(struct table *table, const struct known *known)
{
    static unsigned char bytes[16384];
    if (known->state == TABLE_WRITTEN && known->count > 0 && known->mark % 2 == 0) {
        memset(table_put_room(table, &known->key, known->count), known->mark, known->count);
        return;
    }
    memset(bytes, known->mark, known->count);
    table_put(table, &known->key, known->state, (struct store_value){bytes, known->count});
}

/* Between two keys of which one comes first: of an owner, a few numbers or many; or of all. */
static void
drop_some(struct table *table, struct reference *reference, struct chance *chance,
          const struct spread *spread)
{
    struct store_range range = {some_known(chance, spread).key, some_known(chance, spread).key};
    if (chance_below(chance, 4) != 0) {
        range.high = range.low;
        range.high.a += chance_below(chance, 2) == 0 ? chance_below(chance, 4)
                                                     : chance_below(chance, spread->numbers);
    }
    assert_int_equal(table_drop(table, &range), reference_drop(reference, &range));
}

/* A step of a life: a put, or a removal, now and then of a range; and a look at something else. */
static void
step(struct table *table, struct reference *reference, struct chance *chance,
     const struct spread *spread)
{
    struct known known = some_known(chance, spread);
    if (chance_below(chance, 100) < spread->remove_percent) {
        bool was = reference_remove(reference, &known.key);
        assert_int_equal(table_remove(table, &known.key), was);
        if (chance_below(chance, 50) == 0) {
            drop_some(table, reference, chance, spread);
        }
    } else {
        /* Now and then a run of them, as an inbox is written. */
        uint64_t more = chance_below(chance, 8) == 0 ? chance_below(chance, 6) : 0;
        for (uint64_t i = 0; i <= more; i++, known.key.b++) {
            table_put_known(table, &known);
            reference_put(reference, &known);
        }
    }
    struct store_key sought = some_known(chance, spread).key;
    struct table_entry entry;
    struct table_cursor at;
    unsigned index = reference_find(reference, &sought);
    bool there = reference_has(reference, index, &sought);
    assert_int_equal(table_get(table, &sought, &entry), there);
    if (there) {
        check_entry(&entry, &reference->known[index]);
    }
    table_seek(table, &sought, &at);
    assert_int_equal(table_at(&at, &entry), index < reference->count);
    if (index < reference->count) {
        check_entry(&entry, &reference->known[index]);
    }
}

static void
live(uint64_t seed, struct spread spread, unsigned steps)
{
    struct chance chance = {seed};
    struct table *table = table_new(1);
    struct reference *reference = calloc(1, sizeof(*reference));
    assert_non_null(reference);
    /* Grows, then shrinks, then grows: every joint of the tree is made and undone. */
    for (unsigned phase = 0; phase < 4; phase++) {
        spread.remove_percent = phase % 2 == 0 ? 20 : 80;
        for (unsigned i = 0; i < steps; i++) {
            step(table, reference, &chance, &spread);
            if (i % (steps / 8) == 0) {
                check_same(table, reference);
            }
        }
        check_same(table, reference);
    }
    free(reference);
    table_free(&table);
    assert_null(table);
}

static void
is_as_a_sorted_array_over_random_keys(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        live(seed, (struct spread){.owners = 500, .numbers = 2}, 5000);
    }
}

static void
is_as_a_sorted_array_over_few_owners(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        live(seed, (struct spread){.owners = 3, .numbers = 300}, 5000);
    }
}

static void
is_as_a_sorted_array_while_small(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        live(seed, (struct spread){.owners = 1, .numbers = 20}, 400);
    }
}

/* -------------------------------------------------------------------------------------- by hand */

static struct store_key
number_key(uint64_t number)
{
    return (struct store_key){.partition = 1, .table = 2, .owner = 3, .a = number};
}

static void
put_number(struct table *table, uint64_t number)
{
    struct store_key key = number_key(number);
    table_put(table, &key, TABLE_WRITTEN,
              (struct store_value){(const unsigned char *)&number, sizeof(number)});
}

static void
an_empty_table_has_nothing(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct store_key key = number_key(1);
    struct table_entry entry;
    struct table_cursor at;
    assert_false(table_get(table, &key, &entry));
    assert_false(table_remove(table, &key));
    table_seek(table, &key, &at);
    assert_false(table_at(&at, &entry));
    table_next(&at);
    assert_false(table_at(&at, &entry));
    assert_int_equal(table_entries(table), 0);
    assert_true(table_bytes(table) < 1000);
    assert_true(table_valid(table));
    table_free(&table);
}

static void
falls_empty_and_fills_again(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    for (unsigned round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < 5000; i++) {
            put_number(table, i);
        }
        assert_true(table_valid(table));
        for (uint64_t i = 0; i < 5000; i++) {
            struct store_key key =
                number_key(round == 1 ? 4999 - i : i); /* from below, from above, from below */
            assert_true(table_remove(table, &key));
        }
        assert_int_equal(table_entries(table), 0);
        assert_true(table_valid(table));
    }
    table_free(&table);
}

static void
rising_numbers_fill_their_leaves(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    for (uint64_t i = 0; i < 100000; i++) {
        put_number(table, i);
    }
    /* 48 bytes of record, 32 of leaf, 21 of index, a little for inner nodes and the last chunk. */
    assert_true(table_bytes(table) / 100000 < 108);
    table_free(&table);
}

static void
memory_follows_what_is_stored(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    for (uint64_t i = 0; i < 2000; i++) {
        put_number(table, i);
    }
    uint64_t full = table_bytes(table);
    /* An inbox that is read as fast as it is written. */
    for (uint64_t i = 2000; i < 200000; i++) {
        struct store_key key = number_key(i - 2000);
        put_number(table, i);
        assert_true(table_remove(table, &key));
    }
    assert_true(table_bytes(table) <= full * 2);
    assert_true(table_valid(table));
    table_free(&table);
}

static void
sparse_leaves_join(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    for (uint64_t i = 0; i < 100000; i++) {
        put_number(table, i);
    }
    for (uint64_t i = 0; i < 100000; i++) {
        struct store_key key = number_key(i);
        if (i % 20 != 0) {
            assert_true(table_remove(table, &key));
        }
    }
    uint64_t kept = pool_bytes(&table->pool);
    /* What the joined leaves left serves new entries: nothing more is taken from the heap but by
     * the index, whose size follows the keys that came. */
    for (uint64_t i = 200000; i < 270000; i++) {
        put_number(table, i);
    }
    assert_int_equal(pool_bytes(&table->pool), kept);
    table_free(&table);
}

static void
a_value_may_come_from_the_table_itself(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    unsigned char bytes[300];
    memset(bytes, 5, sizeof(bytes));
    struct store_key key = number_key(1);
    struct store_key other = number_key(2);
    struct table_entry entry;
    table_put(table, &key, TABLE_WRITTEN, (struct store_value){bytes, sizeof(bytes)});
    assert_true(table_get(table, &key, &entry));
    table_put(table, &other, TABLE_WRITTEN, entry.value);
    table_put(table, &key, TABLE_WRITTEN, (struct store_value){entry.value.bytes + 1, 299});
    assert_true(table_get(table, &key, &entry));
    assert_int_equal(entry.value.count, 299);
    table_put(table, &key, TABLE_WRITTEN, (struct store_value){entry.value.bytes + 200, 20});
    assert_true(table_get(table, &key, &entry));
    assert_int_equal(entry.value.count, 20);
    assert_memory_equal(entry.value.bytes, bytes, 20);
    assert_true(table_get(table, &other, &entry));
    assert_memory_equal(entry.value.bytes, bytes, 300);
    table_free(&table);
}

static void
a_value_may_be_written_where_it_stays(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct store_key key = number_key(1);
    struct table_entry entry;
    static const size_t lengths[] = {300, 20, 21, 10000, 300};
    table_put(table, &key, TABLE_MISSING, (struct store_value){0});
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        memset(table_put_room(table, &key, lengths[i]), (int)i, lengths[i]);
        assert_true(table_get(table, &key, &entry));
        assert_int_equal(entry.state, TABLE_WRITTEN);
        assert_int_equal(entry.value.count, lengths[i]);
        assert_int_equal(entry.value.bytes[lengths[i] - 1], i);
        assert_int_equal(table_entries(table), 1);
        assert_int_equal(table_dirty_entries(table), 1);
        assert_true(table_valid(table));
    }
    table_free(&table);
}

static void
is_freed_in_slices(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    for (uint64_t i = 0; i < 100000; i++) {
        put_number(table, i);
    }
    unsigned slices = 1;
    while (!table_free_slice(&table, 2)) {
        slices++;
        assert_non_null(table);
    }
    assert_null(table);
    assert_in_range(slices, 5, 50);
    assert_true(table_free_slice(&table, 2)); /* NULL is allowed */
    table_free(&table);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("over random keys a table is as a sorted array",
             is_as_a_sorted_array_over_random_keys),
        SPEC("over few owners with many numbers it is too", is_as_a_sorted_array_over_few_owners),
        SPEC("while it is small it is too", is_as_a_sorted_array_while_small),
        SPEC("an empty table has nothing and takes no memory", an_empty_table_has_nothing),
        SPEC("a table falls empty and fills again", falls_empty_and_fills_again),
        SPEC("rising numbers fill their leaves", rising_numbers_fill_their_leaves),
        SPEC("an inbox read as fast as it is written does not grow", memory_follows_what_is_stored),
        SPEC("leaves with few entries join, and what they leave is used again", sparse_leaves_join),
        SPEC("a value may be put from where it lies in the table",
             a_value_may_come_from_the_table_itself),
        SPEC("a value may be written where it stays, over another or none",
             a_value_may_be_written_where_it_stays),
        SPEC("a table is freed in slices", is_freed_in_slices),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
