/* SPDX-License-Identifier: Apache-2.0 */
#include "net/seen.h"

#include "tests/spec.h"

static void
remembers_the_last_ids(void **state)
{
    (void)state;
    struct seen seen = {0};
    for (uint64_t number = 1; number <= SEEN_IDS; number++) {
        assert_false(seen_before(&seen, 1, 1, number));
    }
    for (uint64_t number = 1; number <= SEEN_IDS; number++) {
        assert_true(seen_before(&seen, 1, 1, number));
    }
    assert_false(seen_before(&seen, 2, 1, 2));
    assert_false(seen_before(&seen, 1, 2, 3));
    assert_false(seen_before(&seen, 1, 1, 1));
    assert_true(seen_before(&seen, 2, 1, 2));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("of the ids, the last ones are remembered exactly", remembers_the_last_ids),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
