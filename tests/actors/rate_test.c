/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/rate.h"

#include "tests/spec.h"

#define SECOND UINT64_C(1000000000)

static void
passes_at_its_rate(void **state)
{
    (void)state;
    struct rate rate = {0};
    uint64_t wait_ms = 0;
    for (uint64_t i = 0; i < 100000; i++) {
        assert_int_equal(rate_charge(&rate, SECOND + i * SECOND / 1000, 1, 1000, &wait_ms),
                         RATE_PASSES);
    }
}

static void
has_a_seconds_worth_in_hand(void **state)
{
    (void)state;
    struct rate rate = {0};
    uint64_t wait_ms = 0;
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(rate_charge(&rate, SECOND, 1, 1000, &wait_ms), RATE_PASSES);
    }
    assert_int_equal(rate_charge(&rate, SECOND, 1, 1000, &wait_ms), RATE_REFUSED);
}

static void
who_waits_as_told_passes(void **state)
{
    (void)state;
    struct rate rate = {0};
    uint64_t wait_ms = 0;
    uint64_t now = SECOND;
    for (unsigned i = 0; i < 50; i++) {
        while (rate_charge(&rate, now, 7, 100, &wait_ms) == RATE_PASSES) {
        }
        now += wait_ms * 1000000;
        /* What was refused is charged; so much is free again for the retry, and no more. */
        assert_in_range(rate.full_at_ns - now, SECOND - 7 * SECOND / 100 - 2000000, SECOND);
        assert_int_equal(rate_charge(&rate, now, 7, 100, &wait_ms), RATE_PASSES);
    }
}

static void
who_goes_on_is_told_so(void **state)
{
    (void)state;
    struct rate rate = {0};
    uint64_t wait_ms = 0;
    unsigned count = 0;
    while (rate_charge(&rate, SECOND, 1, 100, &wait_ms) != RATE_ABUSED) {
        count++;
    }
    assert_int_equal(count, 1000);
}

static void
one_large_amount_is_not_lost(void **state)
{
    (void)state;
    struct rate rate = {0};
    uint64_t wait_ms = 0;
    assert_int_equal(rate_charge(&rate, SECOND, 1 << 20, 1 << 20, &wait_ms), RATE_PASSES);
    assert_int_equal(rate_charge(&rate, SECOND, 1 << 19, 1 << 20, &wait_ms), RATE_REFUSED);
    assert_in_range(wait_ms, 1000, 1001);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what comes at the rate passes without end", passes_at_its_rate),
        SPEC("a second's worth passes at once, and no more", has_a_seconds_worth_in_hand),
        SPEC("who waits as long as he is told passes", who_waits_as_told_passes),
        SPEC("who goes on at ten times the rate is found out", who_goes_on_is_told_so),
        SPEC("what is as large as the bucket passes once", one_large_amount_is_not_lost),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
