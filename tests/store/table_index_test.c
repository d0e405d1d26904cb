/* SPDX-License-Identifier: Apache-2.0 */
/* That it finds the record of each key that is there is part of table_valid, which table_test.c
 * asks for. */
#include "store/table_priv.h"
#include "tests/spec.h"

enum { KEYS = 12288 }; /* as many as an index of 16,384 places has room for */

static struct store_key
numbered(uint8_t table, uint64_t i)
{
    return (struct store_key){.partition = 1, .table = table, .owner = 912286315184616 + i};
}

static void
put_numbered(struct table *table, uint8_t kind, uint64_t i)
{
    struct store_key key = numbered(kind, i);
    table_put(table, &key, TABLE_MISSING, (struct store_value){0});
}

static struct table *
filled(uint8_t kind, uint64_t count)
{
    struct table *table = table_new(1);
    for (uint64_t i = 0; i < count; i++) {
        put_numbered(table, kind, i);
    }
    return table;
}

/* Keys as the records of a partition have them. */
static struct store_key
family_key(unsigned family, uint64_t i)
{
    struct store_key key = {
        .partition = 1, .table = (uint8_t)(6 + family), .owner = 912286315184616};
    switch (family) {
    case 0: /* a record each of many users */
        key.owner += i;
        break;
    case 1: /* one user's inbox */
        key.a = UINT64_C(911000000000000) + i;
        break;
    case 2: /* what other partitions are told */
        key.owner = 0;
        key.a = i % 256;
        key.b = 4096 + i / 256;
        break;
    case 3: /* a history, backwards */
        key.a = 7;
        key.b = ~i;
        break;
    default: /* a record each of many users, whose numbers differ in their upper bits */
        key.owner = i << 40;
        break;
    }
    return key;
}
enum { FAMILIES = 5 };

/* Cache lines that are looked at until it is known whether the key is there. */
static unsigned
lines_met(const struct table_index *index, const struct store_key *key)
{
    uint64_t at = index_hash(index, key) >> index->shift;
    unsigned lines = 1;
    unsigned tried = 1;
    while (index->places[at] != 0 && (index->places[at] == INDEX_GONE ||
                                      !table_record_is(table_record_at(index->places[at]), key))) {
        lines += tried % INDEX_LINE == 0;
        at = index_next(index, at, tried++);
    }
    return lines;
}

static uint64_t
lines_met_by_all(const struct table *table, unsigned family, uint64_t first)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < KEYS; i++) {
        struct store_key key = family_key(family, first + i);
        sum += lines_met(&table->index, &key);
    }
    return sum;
}

/* Were places tried one after the other, 1.19 lines would be met for a key that is there and 1.95
 * for one that is not. */
static void
few_lines_are_met(void **state)
{
    (void)state;
    for (unsigned family = 0; family < FAMILIES; family++) {
        struct table *table = table_new(1);
        for (uint64_t i = 0; i < KEYS; i++) {
            struct store_key key = family_key(family, i);
            table_put(table, &key, TABLE_MISSING, (struct store_value){0});
        }
        assert_int_equal(index_bytes(&table->index), 16384 * sizeof(uint64_t));
        assert_in_range(lines_met_by_all(table, family, 0), KEYS, KEYS * 114 / 100);
        for (unsigned other = 0; other < FAMILIES; other++) {
            assert_in_range(lines_met_by_all(table, other, KEYS), KEYS, KEYS * 188 / 100);
        }
        table_free(&table);
    }
}

/* Of keys that are not there hardly one in 65,536 has another's tag, so no record is looked at. */
static void
tags_tell_keys_apart(void **state)
{
    (void)state;
    struct table *table = filled(6, KEYS);
    unsigned alike = 0;
    for (uint64_t i = 0; i < KEYS; i++) {
        struct store_key key = numbered(8, i);
        uint64_t hash = index_hash(&table->index, &key);
        uint64_t place = table->index.places[hash >> table->index.shift];
        alike += place > INDEX_GONE && (place ^ index_tag(hash)) >> RECORD_ADDRESS_BITS == 0;
    }
    assert_in_range(alike, 0, 4);
    table_free(&table);
}

/* Who knew one node's places would know nothing of another's. */
static void
keys_crowd_under_one_seed_alone(void **state)
{
    (void)state;
    enum { CROWD = 40, SHIFT = 64 - 14 };
    struct table_index one;
    struct table_index other;
    unsigned found = 0;
    unsigned together = 0;
    uint64_t first = 0;
    index_init(&one, 1);
    index_init(&other, 2);
    for (uint64_t i = 0; found < CROWD; i++) {
        struct store_key key = {.partition = 1, .table = 26, .owner = 7, .a = 3, .b = i};
        if (index_hash(&one, &key) >> SHIFT == 0) {
            uint64_t there = index_hash(&other, &key) >> SHIFT;
            first = found++ == 0 ? there : first;
            together += there == first;
        }
    }
    assert_in_range(together, 1, 3);
}

static void
an_empty_table_has_none(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct table_entry entry;
    struct store_key key = numbered(6, 0);
    assert_false(table_get(table, &key, &entry));
    assert_int_equal(index_bytes(&table->index), 0);
    put_numbered(table, 6, 0);
    assert_int_equal(index_bytes(&table->index), 16 * sizeof(uint64_t));
    table_free(&table);
}

/* Where nothing lies behind it; so the index is not made anew. */
static void
a_place_is_used_again(void **state)
{
    (void)state;
    struct table *table = filled(6, 2);
    for (uint64_t i = 2; i < 1000; i++) {
        struct store_key key = numbered(6, i);
        put_numbered(table, 6, i);
        assert_true(table_remove(table, &key));
        assert_true(table_valid(table));
    }
    assert_int_equal(table->index.added, 999);
    assert_in_range(table->index.used, 2, 11);
    table_free(&table);
}

/* Entries that come and go are of other keys each time. */
static void
follows_what_is_there(void **state)
{
    (void)state;
    struct table *table = filled(6, KEYS);
    for (uint64_t i = 0; i < KEYS; i++) {
        struct store_key key = numbered(6, i);
        assert_true(table_remove(table, &key));
    }
    for (uint64_t i = 0; i < 4 * (uint64_t)KEYS; i++) {
        put_numbered(table, 7, i);
        if (i >= 40) {
            struct store_key key = numbered(7, i - 40);
            assert_true(table_remove(table, &key));
        }
    }
    assert_true(table_valid(table));
    assert_in_range(index_bytes(&table->index), 1, 1024 * sizeof(uint64_t));
    table_free(&table);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a key is found, and found missing, in a line or two, whatever keys are like",
             few_lines_are_met),
        SPEC("a record is hardly ever looked at for another's key", tags_tell_keys_apart),
        SPEC("keys that crowd under one seed are spread under another",
             keys_crowd_under_one_seed_alone),
        SPEC("a table has no index until something is put into it", an_empty_table_has_none),
        SPEC("a place that a record has left is used again", a_place_is_used_again),
        SPEC("an index is as large as what is there, whatever was there before",
             follows_what_is_there),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
