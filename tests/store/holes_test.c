/* SPDX-License-Identifier: Apache-2.0 */
/* Holes in a row of numbers, compared with what a list of all numbers says. */
#include "store/holes.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

enum { NUMBERS = 200 };

static void
expect(const struct holes *holes, unsigned at, uint64_t after, uint64_t to)
{
    assert_true(at < holes->count);
    assert_int_equal(holes->at[at].after, after);
    assert_int_equal(holes->at[at].to, to);
}

static void
joins_what_touches(void **state)
{
    (void)state;
    struct holes holes = {0};
    assert_int_equal(holes_add(&holes, 4, 6), 0);
    assert_int_equal(holes_add(&holes, 9, 10), 0);
    assert_int_equal(holes_add(&holes, 1, 2), 0);
    assert_int_equal(holes.count, 3);
    assert_int_equal(holes_add(&holes, 6, 7), 0); /* right behind one */
    assert_int_equal(holes_add(&holes, 3, 4), 0); /* right before it */
    expect(&holes, 0, 1, 2);
    expect(&holes, 1, 3, 7);
    expect(&holes, 2, 9, 10);
    assert_true(holes_have(&holes, 4) && holes_have(&holes, 7) && holes_have(&holes, 10));
    assert_false(holes_have(&holes, 3) || holes_have(&holes, 8) || holes_have(&holes, 11));
    assert_int_equal(holes_add(&holes, 2, 12), 0); /* over all of them */
    assert_int_equal(holes.count, 1);
    expect(&holes, 0, 1, 12);
}

static void
lets_the_lowest_go(void **state)
{
    (void)state;
    struct holes holes = {0};
    for (uint64_t i = 1; i <= HOLES_MAX; i++) {
        assert_int_equal(holes_add(&holes, 10 * i, 10 * i + 2), 0);
    }
    assert_int_equal(holes_add(&holes, 10 * HOLES_MAX + 2, 10 * HOLES_MAX + 3), 0);
    assert_int_equal(holes_add(&holes, 500, 501), 12);
    assert_int_equal(holes.count, HOLES_MAX);
    expect(&holes, 0, 20, 22);
    expect(&holes, HOLES_MAX - 1, 500, 501);
    assert_int_equal(holes_add(&holes, 3, 4), 4); /* itself the lowest */
    expect(&holes, 0, 20, 22);
    assert_false(holes_have(&holes, 12) || holes_have(&holes, 4));
}

/* Above the end of what went it knows each number. */
static void
knows_each_number(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct chance chance = {.state = seed};
        bool in[NUMBERS + 1] = {false};
        struct holes holes = {0};
        uint64_t known = 0;
        for (unsigned step = 0; step < 60; step++) {
            uint64_t after = chance_below(&chance, NUMBERS - 8);
            uint64_t to = after + 1 + chance_below(&chance, 6);
            uint64_t gone = holes_add(&holes, after, to);
            known = gone > known ? gone : known;
            for (uint64_t number = after + 1; number <= to; number++) {
                in[number] = true;
            }
            for (uint64_t number = known + 1; number <= NUMBERS; number++) {
                assert_true(holes_have(&holes, number) == in[number]);
            }
        }
    }
}

static void
is_written_and_read(void **state)
{
    (void)state;
    unsigned char bytes[HOLES_BYTES_MAX];
    struct holes holes = {0};
    struct holes out;
    (void)holes_add(&holes, 1, 2);
    (void)holes_add(&holes, 5, 9);
    struct cursor_out writing;
    struct cursor_in reading;
    cursor_out_init(&writing, bytes, sizeof(bytes));
    holes_put(&writing, &holes);
    cursor_in_init(&reading, bytes, cursor_out_bytes(&writing));
    holes_get(&reading, &out);
    assert_int_equal(cursor_in_end(&reading), 0);
    assert_int_equal(out.count, 2);
    expect(&out, 1, 5, 9);
    bytes[17] = 2; /* the second begins where the first ends */
    cursor_in_init(&reading, bytes, cursor_out_bytes(&writing));
    holes_get(&reading, &out);
    assert_int_not_equal(cursor_in_end(&reading), 0);
    bytes[0] = HOLES_MAX + 1;
    cursor_in_init(&reading, bytes, sizeof(bytes));
    holes_get(&reading, &out);
    assert_int_not_equal(cursor_in_end(&reading), 0);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("holes that touch or overlap are one", joins_what_touches),
        SPEC("of too many the lowest goes, and its end is told", lets_the_lowest_go),
        SPEC("above that each number is known", knows_each_number),
        SPEC("they are read as they were written, and refused where they don't rise",
             is_written_and_read),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
