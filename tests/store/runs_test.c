/* SPDX-License-Identifier: Apache-2.0 */
#include "store/runs.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

#include <errno.h>
#include <string.h>

static const uint64_t MIB = 1 << 20;

/* A run behind the others, of so many bytes and with a hundred numbers of its own. */
static void
add(struct runs *runs, uint64_t bytes)
{
    uint32_t index = runs_add(runs, runs->next + 1, runs->next);
    runs->at[index].records++;
    runs->at[index].bytes += bytes;
    runs->next += 100;
}

/* -------------------------------------------------------------------------------------- numbers */

static void
the_greatest_first_not_above(void **state)
{
    (void)state;
    struct runs runs = {.next = 10};
    assert_int_equal(runs_find(&runs, 10), 0); /* of none */
    add(&runs, 1);
    add(&runs, 1);
    add(&runs, 1);
    assert_int_equal(runs_find(&runs, 9), 3);
    assert_int_equal(runs_find(&runs, 10), 0);
    assert_int_equal(runs_find(&runs, 109), 0);
    assert_int_equal(runs_find(&runs, 110), 1);
    assert_int_equal(runs_find(&runs, 250), 2);
    assert_int_equal(runs_find(&runs, UINT64_MAX), 2);
    assert_int_equal(runs_last(&runs, 0), 109);
    assert_int_equal(runs_last(&runs, 1), 209);
    assert_int_equal(runs_last(&runs, 2), UINT64_MAX);
}

static void
of_a_run_that_went_belong_to_the_one_before(void **state)
{
    (void)state;
    struct runs runs = {.next = 10};
    add(&runs, 1);
    add(&runs, 1);
    add(&runs, 1);
    runs.at[1].records = 0;
    runs_prune(&runs);
    assert_int_equal(runs.count, 2);
    assert_int_equal(runs_find(&runs, 150), 0);
    assert_int_equal(runs_last(&runs, 0), 209);
    assert_int_equal(runs_find(&runs, 210), 1);
}

static void
a_full_list_takes_what_is_new_into_its_last(void **state)
{
    (void)state;
    struct runs runs = {0};
    for (unsigned i = 0; i < RUNS_MAX; i++) {
        assert_int_equal(runs_add(&runs, i + 1, UINT64_C(100) * i), i);
    }
    assert_int_equal(runs_add(&runs, 1000, 100000), RUNS_MAX - 1);
    assert_int_equal(runs.count, RUNS_MAX);
    assert_int_equal(runs.at[RUNS_MAX - 1].id, RUNS_MAX);
    assert_int_equal(runs_find(&runs, 100000), RUNS_MAX - 1);
}

/* ---------------------------------------------------------------------------------------- bytes */

static void
what_was_encoded_is_decoded(void **state)
{
    (void)state;
    unsigned char bytes[RUNS_BYTES_MAX];
    struct runs runs = {.next = 10};
    struct runs found;
    assert_int_equal(runs_decode((struct store_value){bytes, runs_encode(&runs, bytes)}, &found),
                     0);
    assert_true(found.next == 10 && found.count == 0);
    for (unsigned i = 0; i < RUNS_MAX; i++) {
        add(&runs, i);
    }
    assert_int_equal(runs_encode(&runs, bytes), RUNS_BYTES_MAX);
    assert_int_equal(runs_decode((struct store_value){bytes, RUNS_BYTES_MAX}, &found), 0);
    assert_true(found.next == runs.next && found.count == RUNS_MAX);
    assert_memory_equal(found.at, runs.at, sizeof(runs.at));
}

static void
what_is_no_list_is_refused(void **state)
{
    (void)state;
    unsigned char bytes[RUNS_BYTES_MAX + 1] = {0};
    struct runs runs = {.next = 10};
    struct runs found;
    add(&runs, 1);
    add(&runs, 1);
    size_t count = runs_encode(&runs, bytes);
    for (size_t i = 0; i < count; i++) {
        bool whole = i == 8 || i == 8 + RUNS_ENTRY_BYTES; /* as if there were fewer */
        assert_int_equal(runs_decode((struct store_value){bytes, i}, &found), whole ? 0 : -EBADMSG);
        assert_true(whole || found.count == 0);
    }
    runs.at[1].first = runs.at[0].first;
    count = runs_encode(&runs, bytes);
    assert_int_equal(runs_decode((struct store_value){bytes, count}, &found), -EBADMSG);
    while (runs.count < RUNS_MAX) {
        add(&runs, 1);
    }
    (void)runs_encode(&runs, bytes);
    assert_int_equal(runs_decode((struct store_value){bytes, sizeof(bytes)}, &found), -EBADMSG);
}

/* -------------------------------------------------------------------------------------- merging */

static void
few_runs_stay(void **state)
{
    (void)state;
    struct runs runs = {0};
    struct runs_span span;
    for (unsigned i = 0; i < RUNS_MERGED - 1; i++) {
        assert_false(runs_due(&runs, &span));
        add(&runs, MIB);
    }
    assert_false(runs_due(&runs, &span));
}

static void
eight_that_are_alike(void **state)
{
    (void)state;
    struct runs runs = {0};
    struct runs_span span;
    add(&runs, 10 * MIB);
    for (unsigned i = 0; i < RUNS_MERGED - 1; i++) {
        assert_false(runs_due(&runs, &span));
        add(&runs, 2 * MIB);
    }
    assert_false(runs_due(&runs, &span));
    add(&runs, MIB);
    assert_true(runs_due(&runs, &span));
    assert_true(span.from == 1 && span.count == RUNS_MERGED && span.bytes == 15 * MIB);
    uint64_t first = runs.at[1].first;
    runs_merge(&runs, &span, 999);
    assert_int_equal(runs.count, 2);
    assert_true(runs.at[1].id == 999 && runs.at[1].first == first);
    assert_true(runs.at[1].records == RUNS_MERGED && runs.at[1].bytes == 15 * MIB);
    assert_false(runs_due(&runs, &span));
}

static void
all_that_are_alike(void **state)
{
    (void)state;
    struct runs runs = {0};
    struct runs_span span;
    for (unsigned i = 0; i < RUNS_MERGED - 1; i++) {
        add(&runs, 4 * MIB);
    }
    for (unsigned i = 0; i < RUNS_MERGED; i++) {
        add(&runs, 2 * MIB);
    }
    assert_true(runs_due(&runs, &span));
    assert_true(span.from == 0 && span.count == 2 * RUNS_MERGED - 1);
    runs_merge(&runs, &span, 999);
    assert_int_equal(runs.count, 1);
}

static void
the_smallest_are_all_alike(void **state)
{
    (void)state;
    struct runs runs = {0};
    struct runs_span span;
    add(&runs, RUNS_SMALL_BYTES);
    for (unsigned i = 0; i < RUNS_MERGED - 1; i++) {
        assert_false(runs_due(&runs, &span));
        add(&runs, 1);
    }
    assert_true(runs_due(&runs, &span));
    assert_true(span.from == 0 && span.bytes == RUNS_SMALL_BYTES + RUNS_MERGED - 1);
}

static void
what_takes_too_much_memory_stays(void **state)
{
    (void)state;
    struct runs runs = {0};
    struct runs_span span;
    for (unsigned i = 0; i < RUNS_MANY; i++) {
        assert_false(runs_due(&runs, &span));
        add(&runs, RUNS_MERGE_BYTES_MAX / RUNS_MERGED + 1);
    }
    assert_false(runs_due(&runs, &span));
}

static void
of_many_the_smallest_older_neighbours(void **state)
{
    (void)state;
    struct runs runs = {0};
    struct runs_span span;
    for (unsigned i = 0; i < RUNS_MANY; i++) {
        uint64_t bytes = RUNS_MERGE_BYTES_MAX + i % 5;
        add(&runs, i == 7 ? 100 * bytes : i == 8 ? MIB : bytes);
    }
    assert_false(runs_due(&runs, &span));
    add(&runs, 1);
    assert_true(runs_due(&runs, &span)); /* not the last two, which are smaller */
    assert_true(span.from == 8 && span.count == 2);
    assert_int_equal(span.bytes, runs.at[8].bytes + runs.at[9].bytes);
    runs_merge(&runs, &span, 999);
    assert_false(runs_due(&runs, &span));
    for (unsigned i = 0; i < runs.count; i++) {
        runs.at[i].bytes = RUNS_PAIR_BYTES_MAX / 2 + 1; /* too large even in pairs */
    }
    add(&runs, 1);
    assert_false(runs_due(&runs, &span));
}

/* Folds of these sizes, one after the other, each with the merges that are due behind it, and
 * nothing is ever acknowledged: how many times a byte is merged in the end. */
static double
lived(struct chance *chance, uint64_t least, uint64_t most, unsigned folds)
{
    struct runs runs = {0};
    struct runs_span span;
    uint64_t all = 0;
    uint64_t merged = 0;
    for (unsigned i = 0; i < folds; i++) {
        uint64_t bytes = least + chance_below(chance, most - least + 1);
        all += bytes;
        add(&runs, bytes);
        while (runs_due(&runs, &span)) {
            merged += span.bytes;
            runs_merge(&runs, &span, 1000000 + i);
        }
        assert_true(runs.count <= RUNS_MANY);
    }
    return (double)merged / (double)all;
}

static void
a_byte_is_merged_a_few_times(void **state)
{
    (void)state;
    struct chance chance = {1};
    assert_true(lived(&chance, 2 * MIB, 2 * MIB, 300) < 1.7);
    assert_true(lived(&chance, 1, 4 * MIB, 300) < 2.0);
    assert_true(lived(&chance, 64 << 10, 64 << 10, 10000) < 5.0);
    assert_true(lived(&chance, 2 * MIB, 2 * MIB, 1000) < 4.0); /* 2 GB in one partition */
    assert_true(lived(&chance, 1, MIB, 4000) < 5.0);
    assert_true(lived(&chance, 1, 32 * MIB, 120) < 6.0);
}

static void
where_hardly_anything_comes_its_bytes_stay_few(void **state)
{
    (void)state;
    struct chance chance = {1};
    /* So a fold of a hundred bytes writes some kilobytes beside them. */
    assert_true(lived(&chance, 100, 100, 30000) < 50);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a number belongs to the run with the greatest first not above it",
             the_greatest_first_not_above),
        SPEC("numbers of a run that went belong to the one before it",
             of_a_run_that_went_belong_to_the_one_before),
        SPEC("a full list takes what is new into its last run",
             a_full_list_takes_what_is_new_into_its_last),
        SPEC("what was encoded is decoded", what_was_encoded_is_decoded),
        SPEC("what is no list is refused", what_is_no_list_is_refused),
        SPEC("few runs stay as they are", few_runs_stay),
        SPEC("the newest are merged when there are eight that are alike", eight_that_are_alike),
        SPEC("older ones that are alike are merged with them", all_that_are_alike),
        SPEC("however small they are, the smallest are alike", the_smallest_are_all_alike),
        SPEC("what would take too much memory is not merged", what_takes_too_much_memory_stays),
        SPEC("of many runs two neighbours of the older half are merged, up to a bound",
             of_many_the_smallest_older_neighbours),
        SPEC("a byte is merged a few times, however many folds there are",
             a_byte_is_merged_a_few_times),
        SPEC("where hardly anything comes, hardly anything is merged",
             where_hardly_anything_comes_its_bytes_stay_few),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
