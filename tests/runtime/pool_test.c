/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/pool.h"
#include "tests/spec.h"

#include <stdbool.h>
#include <string.h>

enum { MANY = 20000, RECORD_BYTES = 128, RECORDS_MAX = 1000 };

static uint32_t numbers[MANY];

/* All numbers of `numbers` in an order of no meaning. */
static void
give_all(struct pool *pool, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        pool_give(pool, numbers[(i * 7919u) % count]);
    }
}

static void
goes_by_address(void **state)
{
    (void)state;
    struct pool pool;
    pool_init(&pool, RECORD_BYTES, POOL_RECORDS_MAX);
    for (unsigned round = 0; round < 5; round++) {
        unsigned backwards = 0;
        for (unsigned i = 0; i < MANY; i++) {
            numbers[i] = pool_take(&pool);
            backwards += i > 0 && numbers[i] < numbers[i - 1];
        }
        assert_true(backwards <= 1); /* once round */
        assert_int_equal(pool.used_count, MANY);
        give_all(&pool, MANY);
        assert_int_equal(pool.used_count, 0);
    }
    pool_fini(&pool);
}

static void
keeps_what_is_in_it(void **state)
{
    (void)state;
    struct pool pool;
    pool_init(&pool, RECORD_BYTES, POOL_RECORDS_MAX);
    for (unsigned i = 0; i < MANY; i++) {
        numbers[i] = pool_take(&pool);
        assert_true(numbers[i] != 0 && numbers[i] < pool_records(&pool));
        uint32_t *record = pool_at(&pool, numbers[i], RECORD_BYTES);
        assert_int_equal((uintptr_t)record % RECORD_BYTES, 0);
        for (unsigned word = 0; word < RECORD_BYTES / sizeof *record; word++) {
            assert_int_equal(record[word], 0);
            record[word] = numbers[i] + word;
        }
    }
    give_all(&pool, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        const uint32_t *record = pool_at(&pool, numbers[i], RECORD_BYTES);
        for (unsigned word = 0; word < RECORD_BYTES / sizeof *record; word++) {
            assert_int_equal(record[word], numbers[i] + word);
        }
    }
    pool_fini(&pool);
}

static void
lets_numbers_rest(void **state)
{
    (void)state;
    struct pool pool;
    static uint32_t last_taken[POOL_FIRST];
    pool_init(&pool, RECORD_BYTES, POOL_RECORDS_MAX);
    memset(last_taken, 0, sizeof last_taken);
    for (uint32_t n = 1; n < 100 * POOL_FIRST; n++) {
        uint32_t number = pool_take(&pool);
        assert_true(number < POOL_FIRST);
        assert_true(last_taken[number] == 0 || n - last_taken[number] >= POOL_FIRST / 2);
        last_taken[number] = n;
        if (number % 3 != 0 || n > POOL_FIRST) { /* a third stays in use */
            pool_give(&pool, number);
        }
    }
    pool_fini(&pool);
}

static void
finds_the_last_free(void **state)
{
    (void)state;
    struct pool pool;
    pool_init(&pool, RECORD_BYTES, POOL_RECORDS_MAX);
    for (unsigned i = 0; i < MANY; i++) {
        numbers[i] = pool_take(&pool);
    }
    uint32_t records = pool_records(&pool);
    for (unsigned i = 0; i < MANY; i += 64) {
        pool_give(&pool, numbers[i]);
    }
    static bool taken[1 << 16];
    memset(taken, 0, sizeof taken);
    for (unsigned i = 0; i < MANY; i++) {
        uint32_t number = pool_take(&pool);
        assert_true(number < sizeof taken && !taken[number]);
        taken[number] = true;
    }
    assert_true(pool_records(&pool) <= 2 * records);
    pool_fini(&pool);
}

static void
is_used_to_the_last(void **state)
{
    (void)state;
    struct pool pool;
    static bool taken[RECORDS_MAX];
    pool_init(&pool, 64, RECORDS_MAX);
    memset(taken, 0, sizeof taken);
    for (unsigned i = 1; i < RECORDS_MAX; i++) {
        uint32_t number = pool_take(&pool);
        assert_true(number != 0 && number < RECORDS_MAX && !taken[number]);
        taken[number] = true;
    }
    assert_int_equal(pool_records(&pool), RECORDS_MAX);
    assert_int_equal(pool_next(&pool, RECORDS_MAX - 1), RECORDS_MAX - 1);
    pool_give(&pool, RECORDS_MAX - 1);
    assert_int_equal(pool_next(&pool, RECORDS_MAX - 1), RECORDS_MAX);
    assert_int_equal(pool_take(&pool), RECORDS_MAX - 1);
    pool_give(&pool, 77);
    assert_int_equal(pool_take(&pool), 77);
    pool_fini(&pool);
}

static void
tells_who_is_used(void **state)
{
    (void)state;
    struct pool pool;
    pool_init(&pool, 64, POOL_RECORDS_MAX);
    assert_int_equal(pool_next(&pool, 1), pool_records(&pool));
    for (unsigned i = 0; i < MANY; i++) {
        numbers[i] = pool_take(&pool);
    }
    for (unsigned i = 0; i < MANY; i++) {
        if (i % 100 != 0) {
            pool_give(&pool, numbers[i]);
        }
    }
    uint32_t number = 1;
    for (unsigned i = 0; i < MANY; i += 100) {
        number = pool_next(&pool, number);
        assert_int_equal(number++, numbers[i]);
    }
    assert_int_equal(pool_next(&pool, number), pool_records(&pool));
    pool_fini(&pool);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("records come in the order of their addresses, in whatever order they were given back",
             goes_by_address),
        SPEC("a record is zeroed once, has its own line, and stays what and where it is",
             keeps_what_is_in_it),
        SPEC("a number comes again after half as many others as there are records",
             lets_numbers_rest),
        SPEC("no record is handed out twice, and it grows by doubling", finds_the_last_free),
        SPEC("a pool that may not grow any more is used to its last record", is_used_to_the_last),
        SPEC("the records in use are told one after the other", tells_who_is_used),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
