/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/slab.h"
#include "tests/spec.h"

#include <string.h>

static const size_t BYTES_MAX = (size_t)SLAB_BYTES_MAX * 2; /* small and large */

static void
sizes_hold(void **state)
{
    (void)state;
    struct slab slab;
    slab_init(&slab);
    unsigned char *blocks[1024];
    unsigned count = 0;
    for (size_t bytes = 0; bytes < BYTES_MAX; bytes += bytes < 300 ? 1 : 97) {
        unsigned char *block = slab_alloc(&slab, bytes);
        assert_int_equal((uintptr_t)block % 16, 0);
        assert_true(slab_block_bytes(bytes) >= bytes);
        memset(block, (int)(count & 0xff), bytes);
        blocks[count++] = block;
    }
    count = 0;
    for (size_t bytes = 0; bytes < BYTES_MAX; bytes += bytes < 300 ? 1 : 97) {
        for (size_t i = 0; i < bytes; i++) {
            assert_int_equal(blocks[count][i], count & 0xff);
        }
        slab_free(&slab, blocks[count++], bytes);
    }
    assert_int_equal(slab_blocks_used(&slab), 0);
    assert_int_equal(slab_bytes_used(&slab), 0);
    slab_fini(&slab);
}

static void
waste_is_bounded(void **state)
{
    (void)state;
    for (size_t bytes = 129; bytes <= SLAB_BYTES_MAX; bytes++) {
        size_t lost = slab_block_bytes(bytes) - bytes;
        assert_true(lost * 3 <= slab_block_bytes(bytes));
    }
    assert_int_equal(slab_block_bytes(SLAB_BYTES_MAX + 1), SLAB_BYTES_MAX + 1);
}

static void
blocks_are_used_again(void **state)
{
    (void)state;
    struct slab slab;
    slab_init(&slab);
    for (unsigned i = 0; i < 1000000; i++) {
        void *block = slab_alloc(&slab, 100);
        slab_free(&slab, block, 100);
    }
    assert_true(slab.bytes_mapped <= 2u << 20);
    slab_fini(&slab);
}

static void
forgotten_blocks_go_with_it(void **state)
{
    (void)state;
    struct slab slab;
    slab_init(&slab);
    for (size_t bytes = 0; bytes < BYTES_MAX; bytes += 211) {
        memset(slab_alloc(&slab, bytes), 1, bytes); /* leaks are looked for */
    }
    slab_fini(&slab);
    assert_int_equal(slab_blocks_used(&slab), 0);
}

static void
nothing_is_freed(void **state)
{
    (void)state;
    struct slab slab;
    slab_init(&slab);
    slab_free(&slab, NULL, 10);
    assert_int_equal(slab_blocks_used(&slab), 0);
    slab_fini(&slab);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("blocks of every size are apart, aligned to 16 and keep what is written", sizes_hold),
        SPEC("at most a third of a block above 128 bytes is lost to its class", waste_is_bounded),
        SPEC("a freed block is the next to be used", blocks_are_used_again),
        SPEC("what was not freed goes with the slab", forgotten_blocks_go_with_it),
        SPEC("freeing nothing does nothing", nothing_is_freed),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
