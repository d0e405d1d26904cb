/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pool.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

#include <string.h>

enum { PIECES = 2000, STEPS = 200000 };

struct piece {
    unsigned char *bytes;
    size_t count;
    unsigned char mark;
};

/* Mostly small, some in every size, a few of the heap's. */
static size_t
some_size(struct chance *chance)
{
    size_t most = (size_t)16 << chance_below(chance, 12);
    return 1 + (size_t)chance_below(chance, most);
}

static void
check_piece(const struct piece *piece)
{
    for (size_t i = 0; i < piece->count; i++) {
        assert_int_equal(piece->bytes[i], piece->mark);
    }
}

static void
pieces_keep_apart(void **state)
{
    (void)state;
    static struct piece pieces[PIECES];
    struct chance chance = {1};
    struct pool pool = {0};
    for (unsigned step = 0; step < STEPS; step++) {
        struct piece *piece = &pieces[chance_below(&chance, PIECES)];
        if (piece->bytes != NULL) {
            check_piece(piece);
            pool_give(&pool, piece->bytes, piece->count);
            piece->bytes = NULL;
            continue;
        }
        piece->count = some_size(&chance);
        piece->mark = (unsigned char)step;
        piece->bytes = pool_take(&pool, piece->count);
        assert_int_equal((uintptr_t)piece->bytes % 16, 0);
        memset(piece->bytes, piece->mark, piece->count);
    }
    while (!pool_free_slice(&pool, 1000)) {
    }
}

static void
every_size_fits(void **state)
{
    (void)state;
    struct pool pool = {0};
    for (size_t count = 1; count <= POOL_PIECE_BYTES_MAX + 100; count++) {
        unsigned char *piece = pool_take(&pool, count);
        memset(piece, 1, count); /* the sanitizer watches */
        pool_give(&pool, piece, count);
        assert_true(pool_fits(count, count));
        assert_true(pool_fits(count, pool_piece_bytes(count)));
        assert_false(pool_fits(count, count + count / 2 + 16));
    }
    while (!pool_free_slice(&pool, 1000)) {
    }
}

static void
given_pieces_serve_again(void **state)
{
    (void)state;
    struct pool pool = {0};
    for (unsigned round = 0; round < 100; round++) {
        void *pieces[100];
        for (unsigned i = 0; i < 100; i++) {
            pieces[i] = pool_take(&pool, 150);
        }
        for (unsigned i = 0; i < 100; i++) {
            pool_give(&pool, pieces[i], 160); /* of the same size */
        }
    }
    assert_in_range(pool_bytes(&pool), 16000, 40000);
    while (!pool_free_slice(&pool, 1000)) {
    }
}

static void
large_pieces_return_to_the_heap(void **state)
{
    (void)state;
    struct pool pool = {0};
    void *large = pool_take(&pool, POOL_PIECE_BYTES_MAX + 1);
    void *larger = pool_take(&pool, 1 << 20);
    assert_true(pool_bytes(&pool) > (1 << 20));
    pool_give(&pool, large, POOL_PIECE_BYTES_MAX + 1);
    pool_give(&pool, larger, 1 << 20);
    assert_int_equal(pool_bytes(&pool), 0);
    assert_true(pool_free_slice(&pool, 1));
}

static void
is_freed_in_slices(void **state)
{
    (void)state;
    struct pool pool = {0};
    for (unsigned i = 0; i < 10000; i++) {
        (void)pool_take(&pool, 1000);
    }
    (void)pool_take(&pool, 100000);
    unsigned slices = 1;
    while (!pool_free_slice(&pool, 4)) {
        slices++;
    }
    assert_in_range(slices, 8, 16); /* 10 MB in chunks of 256 KiB at most */
    assert_int_equal(pool_bytes(&pool), 0);
    assert_non_null(pool_take(&pool, 1)); /* usable as at first */
    assert_true(pool_free_slice(&pool, 4));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("pieces are aligned and never overlap, whatever comes and goes", pieces_keep_apart),
        SPEC("a piece of every size holds as many bytes as were asked for", every_size_fits),
        SPEC("pieces that were given back serve the next of their size", given_pieces_serve_again),
        SPEC("large pieces return to the heap at once", large_pieces_return_to_the_heap),
        SPEC("a pool is freed in slices and is empty afterwards", is_freed_in_slices),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
