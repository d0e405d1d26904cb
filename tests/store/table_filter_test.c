/* SPDX-License-Identifier: Apache-2.0 */
/* That it never denies a key that is there is part of table_valid, which table_test.c asks for. */
#include "store/table_priv.h"
#include "tests/spec.h"

enum { KEYS = 16384 }; /* as many as a filter has room for */

static struct store_key
numbered(uint8_t table, uint64_t i)
{
    return (struct store_key){.partition = 1, .table = table, .owner = 912286315184616 + i};
}

static struct table *
filled(uint8_t kind)
{
    struct table *table = table_new();
    for (uint64_t i = 0; i < KEYS; i++) {
        struct store_key key = numbered(kind, i);
        table_put(table, &key, TABLE_MISSING, (struct store_value){0});
    }
    return table;
}

static unsigned
passed(const struct table *table, uint8_t kind, uint64_t first)
{
    unsigned count = 0;
    for (uint64_t i = 0; i < KEYS; i++) {
        struct store_key key = numbered(kind, first + i);
        count += filter_may(&table->filter, key_hash(&key));
    }
    return count;
}

static void
absent_keys_are_denied(void **state)
{
    (void)state;
    struct table *table = filled(6);
    assert_int_equal(passed(table, 6, 0), KEYS);
    assert_in_range(passed(table, 8, 0), 0, KEYS / 20);    /* the same owners' other records */
    assert_in_range(passed(table, 6, KEYS), 0, KEYS / 20); /* other owners */
    assert_int_equal(filter_bytes(&table->filter), KEYS);
    table_free(&table);
}

static void
few_need_none(void **state)
{
    (void)state;
    struct table *table = table_new();
    for (uint64_t i = 0; i < 100; i++) {
        struct store_key key = numbered(6, i);
        table_put(table, &key, TABLE_MISSING, (struct store_value){0});
    }
    assert_int_equal(filter_bytes(&table->filter), 0);
    assert_int_equal(passed(table, 8, 0), KEYS);
    table_free(&table);
}

/* Entries that come and go are of other keys each time. */
static void
follows_what_is_there(void **state)
{
    (void)state;
    struct table *table = filled(6);
    for (uint64_t i = 0; i < KEYS; i++) {
        struct store_key key = numbered(6, i);
        assert_true(table_remove(table, &key));
    }
    for (uint64_t i = 0; i < 2 * (uint64_t)KEYS; i++) {
        struct store_key key = numbered(7, i);
        table_put(table, &key, TABLE_MISSING, (struct store_value){0});
        if (i >= 10) {
            key = numbered(7, i - 10);
            assert_true(table_remove(table, &key));
        }
    }
    assert_true(table_valid(table));
    assert_in_range(filter_bytes(&table->filter), 1, 1024);
    table_free(&table);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("of keys that a table does not have all but one in 20 are denied, though it is full",
             absent_keys_are_denied),
        SPEC("a table of few entries has no filter", few_need_none),
        SPEC("a filter is as large as what is there, whatever was there before",
             follows_what_is_there),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
