/* SPDX-License-Identifier: Apache-2.0 */
#include "store/hot.h"

#include "tests/spec.h"
#include "tests/store/chance.h"

#define SECOND UINT64_C(1000000000)

static struct hot hot;

static const struct hot_entry *
entry_of(uint64_t key)
{
    for (uint32_t i = 0; i < hot.count; i++) {
        if (hot.entries[i].key == key) {
            return &hot.entries[i];
        }
    }
    return NULL;
}

static void
few_are_counted_exactly(void **state)
{
    (void)state;
    hot = (struct hot){0};
    for (uint64_t key = 1; key <= HOT_MAX; key++) {
        for (uint64_t i = 0; i < key; i++) {
            hot_count(&hot, key, 1, SECOND);
        }
    }
    for (uint64_t key = 1; key <= HOT_MAX; key++) {
        assert_int_equal(entry_of(key)->count, key);
        assert_int_equal(entry_of(key)->error, 0);
    }
    assert_int_equal(hot.total, HOT_MAX * (HOT_MAX + 1) / 2);
}

/* Ten who take a twentieth each, among a million who come once. */
static void
the_heavy_are_found_among_many(void **state)
{
    (void)state;
    enum { EVENTS = 200000, HEAVY = 10 };
    struct chance chance = {.state = 1};
    uint32_t truth[HEAVY + 1] = {0};
    hot = (struct hot){0};
    for (unsigned i = 0; i < EVENTS; i++) {
        uint64_t key = 1 + chance_below(&chance, UINT64_C(2) * HEAVY);
        if (key > HEAVY) {
            key = 1000 + chance_below(&chance, 1000000);
        } else {
            truth[key]++;
        }
        hot_count(&hot, key, 1, SECOND);
    }
    for (uint64_t key = 1; key <= HEAVY; key++) {
        const struct hot_entry *entry = entry_of(key);
        assert_non_null(entry);
        assert_true(entry->count >= truth[key]);
        assert_true(entry->count - entry->error <= truth[key]);
        assert_true(entry->error <= EVENTS / HOT_MAX);
    }
}

static uint32_t
least(void)
{
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; i < hot.count; i++) {
        least = hot.entries[i].count < least ? hot.entries[i].count : least;
    }
    return least;
}

static void
a_newcomer_takes_over_the_least(void **state)
{
    (void)state;
    struct chance chance = {.state = 2};
    uint64_t total = 0;
    uint64_t now_ns = SECOND;
    hot = (struct hot){0};
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t key = 1 + chance_below(&chance, 1 + chance_below(&chance, 300));
        uint32_t amount = 1 + (uint32_t)chance_below(&chance, 3);
        const struct hot_entry *known = entry_of(key);
        uint32_t error = known != NULL ? known->error : hot.count < HOT_MAX ? 0 : least();
        uint32_t before = known != NULL ? known->count : error;
        hot_count(&hot, key, amount, now_ns);
        total += amount;
        assert_int_equal(entry_of(key)->count, before + amount);
        assert_int_equal(entry_of(key)->error, error);
        assert_int_equal(hot.total, total);
        if (i % 5000 == 4999) {
            now_ns += HOT_HALVING_NS;
            hot_count(&hot, key, 0, now_ns);
            total = hot.total;
        }
    }
}

static void
one_may_have_more_than_all_others(void **state)
{
    (void)state;
    hot = (struct hot){0};
    assert_false(hot_has_most(&hot, 7));
    for (unsigned i = 0; i < 10; i++) {
        hot_count(&hot, 7, 1, SECOND);
    }
    for (unsigned i = 0; i < 9; i++) {
        hot_count(&hot, 8 + i, 1, SECOND);
    }
    assert_true(hot_has_most(&hot, 7));
    assert_false(hot_has_most(&hot, 8));
    assert_false(hot_has_most(&hot, 6));
    hot_count(&hot, 8, 1, SECOND);
    assert_false(hot_has_most(&hot, 7));
    hot_count(&hot, 7, 1000, SECOND);
    hot_count(&hot, 8, 900, SECOND);
    assert_true(hot_has_most(&hot, 7));
}

static void
what_was_long_ago_fades(void **state)
{
    (void)state;
    hot = (struct hot){0};
    for (unsigned i = 0; i < 1000; i++) {
        hot_count(&hot, 7, 1, SECOND);
    }
    hot_count(&hot, 8, 1, 61 * SECOND);
    assert_int_equal(entry_of(7)->count, 500);
    hot_count(&hot, 8, 1, 181 * SECOND);
    assert_int_equal(entry_of(7)->count, 125);
    hot_count(&hot, 8, 1, 3600 * SECOND);
    assert_null(entry_of(7));
    assert_int_equal(entry_of(8)->count, 1);
    assert_int_equal(hot.total, 1);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("as many as there are counters are counted exactly", few_are_counted_exactly),
        SPEC("a newcomer takes over the least count, as its error",
             a_newcomer_takes_over_the_least),
        SPEC("who takes more than his share is found among a million, within its error",
             the_heavy_are_found_among_many),
        SPEC("it is known whether one has more than all others", one_may_have_more_than_all_others),
        SPEC("what was long ago fades", what_was_long_ago_fades),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
