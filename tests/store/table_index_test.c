/* SPDX-License-Identifier: Apache-2.0 */
/* That it finds the record of each key that is there is part of table_valid, which table_test.c
 * asks for. */
#include "store/table_priv.h"
#include "tests/spec.h"

#include <string.h>

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
    struct table *table = table_new();
    for (uint64_t i = 0; i < count; i++) {
        put_numbered(table, kind, i);
    }
    return table;
}

/* Places that are looked at until it is known whether the key is there. */
static unsigned
places_met(const struct table_index *index, const struct store_key *key)
{
    uint64_t hash = key_hash(key);
    uint64_t at = hash >> index->shift;
    unsigned tried = 1;
    while (index->places[at] != 0 && (index->places[at] == INDEX_GONE ||
                                      !table_record_is(table_record_at(index->places[at]), key))) {
        at = index_next(index, at, tried++);
    }
    return tried;
}

static uint64_t
places_met_by_all(const struct table *table, uint8_t kind, uint64_t first)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < KEYS; i++) {
        struct store_key key = numbered(kind, first + i);
        sum += places_met(&table->index, &key);
    }
    return sum;
}

static void
few_places_are_met(void **state)
{
    (void)state;
    struct table *table = filled(6, KEYS);
    assert_int_equal(index_bytes(&table->index), 16384 * sizeof(uint64_t));
    assert_in_range(places_met_by_all(table, 6, 0), KEYS, 3 * KEYS);
    assert_in_range(places_met_by_all(table, 8, 0), KEYS, 11 * KEYS); /* other records */
    assert_in_range(places_met_by_all(table, 6, KEYS), KEYS, 11 * KEYS);
    table_free(&table);
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
        uint64_t tag = index_tag(key_hash(&key));
        uint64_t place = table->index.places[key_hash(&key) >> table->index.shift];
        alike += place > INDEX_GONE && (place ^ tag) >> RECORD_ADDRESS_BITS == 0;
    }
    assert_in_range(alike, 0, 4);
    table_free(&table);
}

static void
an_empty_table_has_none(void **state)
{
    (void)state;
    struct table *table = table_new();
    struct table_entry entry;
    struct store_key key = numbered(6, 0);
    assert_false(table_get(table, &key, &entry));
    assert_int_equal(index_bytes(&table->index), 0);
    put_numbered(table, 6, 0);
    assert_int_equal(index_bytes(&table->index), 16 * sizeof(uint64_t));
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

/* A record where it was, with its value inside, outside, or none. */
static void
a_record_stays(void **state)
{
    (void)state;
    static const size_t counts[] = {40, 400, 10000, 48, 0, 7, 4000, 5000};
    static unsigned char bytes[16384];
    struct table *table = filled(6, 100);
    struct store_key key = numbered(7, 0);
    table_put(table, &key, TABLE_WRITTEN, (struct store_value){bytes, 40});
    const struct table_record *record = index_find(&table->index, &key, key_hash(&key));
    for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct table_entry entry;
        memset(bytes, (int)i + 1, counts[i]);
        table_put(table, &key, TABLE_WRITTEN, (struct store_value){bytes, counts[i]});
        put_numbered(table, 7, i + 1);
        assert_ptr_equal(index_find(&table->index, &key, key_hash(&key)), record);
        assert_true(table_get(table, &key, &entry));
        assert_int_equal(entry.value.count, counts[i]);
        assert_true(counts[i] == 0 || memcmp(entry.value.bytes, bytes, counts[i]) == 0);
    }
    assert_true(table_valid(table));
    table_free(&table);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a key is found, and found missing, after a few places, though the index is full",
             few_places_are_met),
        SPEC("a record is hardly ever looked at for another's key", tags_tell_keys_apart),
        SPEC("a table has no index until something is put into it", an_empty_table_has_none),
        SPEC("an index is as large as what is there, whatever was there before",
             follows_what_is_there),
        SPEC("a record stays where it is, however its value grows and shrinks", a_record_stays),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
