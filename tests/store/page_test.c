/* SPDX-License-Identifier: Apache-2.0 */
#include "store/page.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

#include <stdio.h>
#include <string.h>

static struct store_key
key(uint64_t a)
{
    return (struct store_key){.partition = 1, .table = 2, .owner = 3, .a = a};
}

static struct store_value
text(const char *value)
{
    return (struct store_value){.bytes = (const unsigned char *)value, .count = strlen(value)};
}

static void
row(struct rows *rows, uint64_t a, const char *value)
{
    struct store_key k = key(a);
    struct store_value v = text(value);
    rows_add(rows, &k, &v);
}

static void
put(struct delta *delta, uint64_t a, const char *value)
{
    struct store_key k = key(a);
    delta_put(delta, &k, text(value));
}

/* What a page gives out, as "1=a 3=c", and a | where it was cut. */
static void
expect(const struct delta *delta, const struct page_rows *rows, const char *expected)
{
    char seen[256] = "";
    struct page page;
    struct store_key k;
    struct store_value v;
    struct store_range range = {.low = key(1), .high = key(9)}; /* FIRST, LAST */
    page_start(&page, delta, &range, rows);
    while (page_next(&page, &k, &v)) {
        size_t length = strlen(seen);
        (void)snprintf(seen + length, sizeof(seen) - length, "%s%u=%.*s", length > 0 ? " " : "",
                       (unsigned)k.a, (int)v.count, (const char *)v.bytes);
    }
    if (page.cut) {
        strcat(seen, "|");
    }
    assert_string_equal(seen, expected);
}

static void
merges(void **state)
{
    (void)state;
    struct delta *delta = delta_new(1);
    struct rows rows;
    rows_init(&rows);
    expect(delta, NULL, "");
    row(&rows, 2, "b");
    row(&rows, 4, "d");
    row(&rows, 6, "f");
    struct page_rows read = {.bytes = rows.bytes, .count = rows.count};
    expect(delta, &read, "2=b 4=d 6=f");

    put(delta, 1, "A");
    put(delta, 4, "D");
    put(delta, 9, "I");
    struct store_key gone = key(6);
    delta_delete(delta, &gone);
    gone = key(7);
    delta_delete(delta, &gone);
    expect(delta, &read, "1=A 2=b 4=D 9=I");
    expect(delta, NULL, "1=A 4=D 9=I");
    rows_fini(&rows);
    delta_free(&delta);
}

static void
cuts(void **state)
{
    (void)state;
    struct delta *delta = delta_new(1);
    struct rows rows;
    rows_init(&rows);
    row(&rows, 2, "b");
    row(&rows, 4, "d");
    struct page_rows read = {.bytes = rows.bytes, .count = rows.count, .more = true};
    expect(delta, &read, "2=b 4=d|");
    put(delta, 3, "C");
    expect(delta, &read, "2=b 3=C 4=d|");
    put(delta, 5, "E");
    expect(delta, &read, "2=b 3=C 4=d|");
    struct store_key gone = key(4);
    delta_delete(delta, &gone);
    expect(delta, &read, "2=b 3=C|");
    rows_fini(&rows);
    delta_free(&delta);
}

static void
rows_tell_absence(void **state)
{
    (void)state;
    struct rows rows;
    struct store_key k = key(5);
    struct store_key found;
    struct store_value v;
    bool present = true;
    size_t at = 0;
    rows_init(&rows);
    rows_add(&rows, &k, NULL);
    row(&rows, 6, "");
    assert_true(rows_next(rows.bytes, rows.count, &at, &found, &present, &v));
    assert_true(key_equal(&found, &k));
    assert_false(present);
    assert_true(rows_next(rows.bytes, rows.count, &at, &found, &present, &v));
    assert_true(present);
    assert_int_equal(v.count, 0);
    assert_false(rows_next(rows.bytes, rows.count, &at, &found, &present, &v));
    rows_fini(&rows);
}

/* The same in an array: what the newest writes say, what LMDB has, and what a fold is carrying
 * there. */
enum { KEYS = 12, FIRST = 1, LAST = 9 };

struct truth {
    struct delta *delta;
    char now[KEYS];
    char lmdb[KEYS];
    char frozen[KEYS];
    /* Rows that were read some time ago, under a ticket that has been handed on since. */
    bool has_rows;
    char rows[KEYS];
    uint64_t ticket;
};

static void
read_rows(struct truth *truth)
{
    if (truth->has_rows) {
        delta_leave(truth->delta, truth->ticket);
    } else {
        truth->ticket = delta_enter(truth->delta);
        memcpy(truth->rows, truth->lmdb, KEYS);
    }
    truth->has_rows = !truth->has_rows;
}

static void
hand_on(struct truth *truth)
{
    if (truth->has_rows) {
        uint64_t ticket = delta_enter_with(truth->delta, truth->ticket);
        delta_leave(truth->delta, truth->ticket);
        truth->ticket = ticket;
    }
}

static void
change(struct truth *truth, struct chance *chance)
{
    uint64_t a = 1 + chance_below(chance, KEYS - 1);
    struct store_key k = key(a);
    char letter[2] = {(char)('a' + chance_below(chance, 26)), 0};
    uint64_t what = chance_below(chance, 8);
    bool folding = delta_folding(truth->delta) != NULL;
    if (what == 0) {
        delta_delete(truth->delta, &k);
        truth->now[a] = 0;
    } else if (what == 1 && !folding && delta_freezable(truth->delta)) {
        (void)delta_freeze(truth->delta, 0);
        memcpy(truth->frozen, truth->now, KEYS);
    } else if (what == 2 && folding) {
        memcpy(truth->lmdb, truth->frozen, KEYS);
        /* All of it stays as a cache, or nothing. */
        delta_folded(truth->delta, chance_below(chance, 2) > 0 ? table_new(1) : NULL);
    } else if (what == 3) {
        read_rows(truth);
    } else if (what == 4) {
        hand_on(truth);
    } else if (what > 4) {
        put(truth->delta, a, letter);
        truth->now[a] = letter[0];
    }
}

static void
expect_truth(const struct truth *truth)
{
    const char *read_then = truth->has_rows ? truth->rows : truth->lmdb;
    struct rows rows;
    char expected[128] = "";
    rows_init(&rows);
    for (unsigned a = FIRST; a <= LAST; a++) {
        char value[2] = {read_then[a], 0};
        if (read_then[a] != 0) {
            row(&rows, a, value);
        }
        if (truth->now[a] != 0) {
            size_t length = strlen(expected);
            (void)snprintf(expected + length, sizeof(expected) - length, "%s%u=%c",
                           length > 0 ? " " : "", a, truth->now[a]);
        }
    }
    struct page_rows read = {.bytes = rows.bytes, .count = rows.count};
    expect(truth->delta, &read, expected);
    rows_fini(&rows);
}

/* However a range was read, wherever a fold stood. */
static void
agrees_with_an_array(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct chance chance = {.state = seed};
        struct truth truth = {.delta = delta_new(1)};
        for (unsigned i = 0; i < 120; i++) {
            change(&truth, &chance);
            struct table *retired = delta_retire(truth.delta);
            table_free(&retired);
            expect_truth(&truth);
        }
        delta_free(&truth.delta);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("what the delta knows wins over what LMDB had", merges),
        SPEC("beyond the last row of a bounded read nothing is given out", cuts),
        SPEC("rows tell what was asked for and not found", rows_tell_absence),
        SPEC("a page agrees with an array, wherever folds stand", agrees_with_an_array),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
