/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/nearest.h"

#include "tests/spec.h"

#include <string.h>

static void
counts_letters(void **state)
{
    (void)state;
    assert_int_equal(nearest_distance("", ""), 0);
    assert_int_equal(nearest_distance("", "abc"), 3);
    assert_int_equal(nearest_distance("kitten", "sitting"), 3);
    assert_int_equal(nearest_distance("sitting", "kitten"), 3);
    assert_int_equal(nearest_distance("user ad", "user add"), 1);
    assert_int_equal(nearest_distance("same", "same"), 0);
}

static void
compares_long_words_by_their_beginning(void **state)
{
    char a[200];
    char b[200];
    (void)state;
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    a[199] = '\0';
    b[150] = '\0';
    assert_int_equal(nearest_distance(a, b), 0);
    b[NEAREST_BYTES_MAX - 1] = 'b';
    assert_int_equal(nearest_distance(a, b), 1);
}

static void
takes_slips_only(void **state)
{
    (void)state;
    assert_true(nearest_plausible(1, "ps"));
    assert_false(nearest_plausible(2, "ps"));
    assert_true(nearest_plausible(3, "registration"));
    assert_false(nearest_plausible(5, "registration"));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the distance is the letters to insert, remove or replace", counts_letters),
        SPEC("of long words only the beginning is compared",
             compares_long_words_by_their_beginning),
        SPEC("the longer a word the more slips are believed", takes_slips_only),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
