/* SPDX-License-Identifier: Apache-2.0 */
#include "store/bundle.h"

#include "tests/spec.h"

#include <string.h>

static void
put(struct bundles *bundles, uint64_t user, uint64_t previous, uint64_t number, size_t bytes)
{
    struct bundle *bundle = bundles_of(bundles, user, previous);
    assert_non_null(bundle);
    memset(bundle_room(bundle, number, bytes), (int)number, bytes);
}

static void
what_comes_for_one_user_stands_together(void **state)
{
    static struct bundles bundles;
    (void)state;
    bundles_init(&bundles);
    for (unsigned round = 0; round < 3; round++) {
        put(&bundles, 7, 10, 11, 5);
        put(&bundles, 8, 3, 12, 4);
        put(&bundles, 7, 11, 13, 2);
        assert_int_equal(bundles.count, 2);
        const struct bundle *first = &bundles.items[0];
        assert_int_equal(first->user, 7);
        assert_int_equal(first->previous, 10);
        assert_int_equal(first->number, 13);
        assert_int_equal(first->count, 2);
        assert_int_equal(first->entries.count, 7);
        assert_memory_equal(first->entries.bytes, "\x0b\x0b\x0b\x0b\x0b\x0d\x0d", 7);
        assert_int_equal(bundles.items[1].previous, 3);
        assert_int_equal(bundles.items[1].entries.count, 4);
        bundles_clear(&bundles);
        assert_int_equal(bundles.count, 0);
    }
    bundles_fini(&bundles);
}

static void
without_room_what_is_there_has_to_go_first(void **state)
{
    static struct bundles bundles;
    (void)state;
    bundles_init(&bundles);
    for (uint64_t user = 1; user <= BUNDLES_MAX; user++) {
        put(&bundles, user, 0, user, 1);
    }
    assert_null(bundles_of(&bundles, BUNDLES_MAX + 1, 0));
    put(&bundles, 1, 1, 2, BUNDLE_BYTES_MAX);
    assert_null(bundles_of(&bundles, 1, 2));
    put(&bundles, 2, 2, 3, 1);
    bundles_clear(&bundles);
    put(&bundles, 1, 2, 3, 1);
    put(&bundles, BUNDLES_MAX + 1, 0, 1, 1);
    bundles_fini(&bundles);
}

int
main(void)
{
    const struct CMUnitTest specs[] = {
        SPEC("what comes for one user stands together", what_comes_for_one_user_stands_together),
        SPEC("without room what is there has to go first",
             without_room_what_is_there_has_to_go_first),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
