/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/handle.h"
#include "tests/spec.h"

static int objects[10000];

static void
finds_its_object(void **state)
{
    (void)state;
    struct handle_table table;
    uint64_t handles[10000];
    handle_table_init(&table);
    for (unsigned i = 0; i < 10000; i++) {
        handles[i] = handle_new(&table, &objects[i]);
        assert_true(handles[i] != 0);
    }
    for (unsigned i = 0; i < 10000; i++) {
        assert_ptr_equal(handle_get(&table, handles[i]), &objects[i]);
    }
    for (unsigned i = 0; i < 10000; i++) {
        assert_ptr_equal(handle_free(&table, handles[i]), &objects[i]);
        assert_null(handle_get(&table, handles[i]));
    }
    assert_int_equal(table.count, 0);
    handle_table_fini(&table);
}

static void
stale_finds_nothing(void **state)
{
    (void)state;
    struct handle_table table;
    handle_table_init(&table);
    uint64_t stale = handle_new(&table, &objects[0]);
    assert_non_null(handle_free(&table, stale));
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t handle = handle_new(&table, &objects[1]);
        assert_true(handle != stale);
        assert_null(handle_get(&table, stale));
        assert_null(handle_free(&table, stale));
        assert_ptr_equal(handle_free(&table, handle), &objects[1]);
    }
    handle_table_fini(&table);
}

static void
indices_rest(void **state)
{
    (void)state;
    struct handle_table table;
    handle_table_init(&table);
    uint64_t first = handle_new(&table, &objects[0]);
    (void)handle_free(&table, first);
    for (unsigned i = 0; i < HANDLES_RESTING; i++) {
        uint64_t handle = handle_new(&table, &objects[0]);
        assert_true((uint32_t)handle != (uint32_t)first);
        (void)handle_free(&table, handle);
    }
    uint64_t again = handle_new(&table, &objects[0]);
    assert_int_equal((uint32_t)again, (uint32_t)first);
    assert_int_equal(again >> 32, (first >> 32) + 1);
    handle_table_fini(&table);
}

static void
nonsense_finds_nothing(void **state)
{
    (void)state;
    struct handle_table table;
    handle_table_init(&table);
    assert_null(handle_get(&table, 0));
    assert_null(handle_get(&table, UINT64_MAX));
    assert_null(handle_get(&table, 1));
    uint64_t handle = handle_new(&table, &objects[0]);
    assert_null(handle_get(&table, handle + 1));
    assert_null(handle_get(&table, handle | (uint64_t)1 << 63));
    (void)handle_free(&table, handle);
    handle_table_fini(&table);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a handle finds its object until it is freed", finds_its_object),
        SPEC("a stale handle finds nothing, whatever came after", stale_finds_nothing),
        SPEC("a freed index rests until a thousand others have been freed", indices_rest),
        SPEC("numbers that never were handles find nothing", nonsense_finds_nothing),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
