/* SPDX-License-Identifier: Apache-2.0 */
#include "net/arena.h"

#include <string.h>

#include "tests/spec.h"

static void
uses_what_was_lent(void **state)
{
    (void)state;
    _Alignas(16) unsigned char first[64];
    struct arena arena;
    arena_init(&arena, first, sizeof(first), 0);
    assert_ptr_equal(arena_alloc(&arena, 1), first);
    assert_ptr_equal(arena_alloc(&arena, 48), first + 16);
    assert_null(arena_alloc(&arena, 1));
    arena_reset(&arena);
    assert_ptr_equal(arena_alloc(&arena, 64), first);
    arena_fini(&arena);
}

static void
skips_to_alignment(void **state)
{
    (void)state;
    _Alignas(16) unsigned char first[64];
    struct arena arena;
    arena_init(&arena, first + 1, sizeof(first) - 1, 0);
    assert_ptr_equal(arena_alloc(&arena, 48), first + 16);
    assert_null(arena_alloc(&arena, 1));
    arena_fini(&arena);
}

static void
grows_to_its_limit(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, 8192);
    void *small = arena_alloc(&arena, 4096);
    assert_non_null(small);
    void *large = arena_alloc(&arena, 4096);
    assert_non_null(large);
    memset(small, 1, 4096);
    memset(large, 2, 4096);
    assert_null(arena_alloc(&arena, 16));
    arena_fini(&arena);
}

static void
keeps_its_largest_block(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, 1 << 20);
    assert_non_null(arena_alloc(&arena, 100));
    void *large = arena_alloc(&arena, 10000);
    assert_non_null(large);
    arena_reset(&arena);
    size_t held = arena.heap_bytes;
    for (int i = 0; i < 100; i++) {
        assert_ptr_equal(arena_alloc(&arena, 10000), large);
        arena_reset(&arena);
    }
    assert_int_equal(arena.heap_bytes, held);
    arena_fini(&arena);
}

static void
extends_the_last_piece(void **state)
{
    (void)state;
    _Alignas(16) unsigned char first[128];
    struct arena arena;
    arena_init(&arena, first, sizeof(first), 0);
    void *one = arena_alloc(&arena, 10);
    void *two = arena_alloc(&arena, 10);
    assert_false(arena_extend(&arena, one, 10, 40));
    assert_true(arena_extend(&arena, two, 10, 112));
    assert_false(arena_extend(&arena, two, 112, 113));
    assert_true(arena_extend(&arena, two, 112, 16));
    assert_ptr_equal(arena_alloc(&arena, 10), first + 32);
    arena_fini(&arena);
}

static void
refuses_the_absurd(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 15));
    void *nothing = arena_alloc(&arena, 0);
    assert_non_null(nothing);
    assert_ptr_not_equal(arena_alloc(&arena, 1), nothing);
    assert_false(arena_extend(&arena, nothing, 0, SIZE_MAX));
    arena_fini(&arena);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an arena first gives out what its caller lent", uses_what_was_lent),
        SPEC("a lent block that isn't aligned is used from its first aligned byte",
             skips_to_alignment),
        SPEC("beyond that it takes from the heap, up to its limit", grows_to_its_limit),
        SPEC("a reset keeps the largest block, so that an arena in use stops calling malloc",
             keeps_its_largest_block),
        SPEC("only the last piece can be made larger where it stands", extends_the_last_piece),
        SPEC("sizes near the end of the address space are refused", refuses_the_absurd),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
