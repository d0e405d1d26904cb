/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/placement.h"

#include "tests/spec.h"

static void
least_of_those_that_agree(void **state)
{
    (void)state;
    const uint32_t looks[] = {70000, 54, 51, 52, 900, 50, 53, 210, 55};
    assert_int_equal(placement_judge(looks, sizeof looks / sizeof looks[0]), 50);
}

/* Each look was disturbed by something else. */
static void
disagreeing_looks(void **state)
{
    (void)state;
    const uint32_t looks[] = {50, 90, 150, 300, 600, 1200, 5000, 68070};
    assert_int_equal(placement_judge(looks, sizeof looks / sizeof looks[0]), 0);
}

/* The other thread ran in turn with this one, not beside it. */
static void
impossible_looks(void **state)
{
    (void)state;
    const uint32_t looks[] = {68070, 68070, 68071, 68080, 68090, 68100};
    assert_int_equal(placement_judge(looks, sizeof looks / sizeof looks[0]), 0);
}

static void
too_few_looks(void **state)
{
    (void)state;
    const uint32_t looks[] = {50, 50, 50, 50};
    assert_int_equal(placement_judge(looks, sizeof looks / sizeof looks[0]), 0);
    assert_int_equal(placement_judge(looks, 0), 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a line takes as long as the least of the looks that agree",
             least_of_those_that_agree),
        SPEC("where no looks agree it is not known", disagreeing_looks),
        SPEC("more than a microsecond is no distance: it is not known", impossible_looks),
        SPEC("of a few looks nothing is known", too_few_looks),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
