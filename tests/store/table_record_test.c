/* SPDX-License-Identifier: Apache-2.0 */
#include "store/table_priv.h"
#include "tests/spec.h"

#include <string.h>

/* Around what a word, a grain, the pool's sizes, a record and the pool's pieces have room for. */
static const size_t counts[] = {0,    1,    7,    8,    15,   16,   17,   32,   33,
                                64,   65,   224,  225,  1000, 4048, 4049, 4064, 4065,
                                4080, 4081, 8159, 8160, 8161, 8192, 8193, 10000};
enum { COUNTS = sizeof(counts) / sizeof(counts[0]), BYTES = 10000 };
static unsigned char bytes[BYTES];

static struct store_key
numbered(uint64_t i)
{
    return (struct store_key){.partition = 1, .table = 6, .owner = 912286315184616, .a = i};
}

static const struct table_record *
record_of(const struct table *table, const struct store_key *key)
{
    return index_find(&table->index, key, index_hash(&table->index, key));
}

static void
put(struct table *table, const struct store_key *key, unsigned char mark, size_t count)
{
    memset(bytes, mark, count);
    table_put(table, key, TABLE_WRITTEN, (struct store_value){bytes, count});
}

static void
expect(const struct table *table, const struct store_key *key, unsigned char mark, size_t count)
{
    struct table_entry entry;
    memset(bytes, mark, count);
    assert_true(table_get(table, key, &entry));
    assert_int_equal(entry.value.count, count);
    assert_true((entry.value.bytes == NULL) == (count == 0));
    assert_true(count == 0 || memcmp(entry.value.bytes, bytes, count) == 0);
}

static void
a_record_stays(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    for (uint64_t i = 0; i < COUNTS; i++) {
        struct store_key key = numbered(i);
        put(table, &key, 1, counts[i]);
        const struct table_record *record = record_of(table, &key);
        for (unsigned j = 0; j < COUNTS; j++) {
            put(table, &key, (unsigned char)j, counts[j]);
            assert_ptr_equal(record_of(table, &key), record);
            expect(table, &key, (unsigned char)j, counts[j]);
        }
    }
    assert_true(table_valid(table));
    table_free(&table);
}

/* One after the other, so that what one leaves serves the next. */
static void
put_and_removed(struct table *table)
{
    for (unsigned i = 0; i < COUNTS; i++) {
        for (unsigned j = 0; j < COUNTS; j++) {
            struct store_key key = numbered(j);
            put(table, &key, 1, counts[i]);
            put(table, &key, 2, counts[j]);
            expect(table, &key, 2, counts[j]);
            assert_true(table_remove(table, &key));
        }
    }
}

static void
all_is_given_back(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    put_and_removed(table);
    uint64_t once = pool_bytes(&table->pool);
    for (unsigned i = 0; i < 3; i++) {
        put_and_removed(table);
        assert_int_equal(pool_bytes(&table->pool), once);
    }
    table_free(&table);
}

static void
what_was_missing_has_room(void **state)
{
    (void)state;
    struct table *table = table_new(1);
    struct store_key key = numbered(1);
    table_put(table, &key, TABLE_MISSING, (struct store_value){0});
    put(table, &key, 3, 64);
    const struct table_record *record = record_of(table, &key);
    assert_ptr_equal(table_record_value(record), record->room);
    table_free(&table);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a record stays where it is, however its value grows and shrinks", a_record_stays),
        SPEC("what a record had is given back as it was taken, of any size", all_is_given_back),
        SPEC("a record of a key that was missing has room for a small value",
             what_was_missing_has_room),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
