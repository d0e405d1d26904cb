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
    struct store_range range = {.low = key(1), .high = key(9)};
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
    struct delta *delta = delta_new();
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
    struct delta *delta = delta_new();
    struct rows rows;
    rows_init(&rows);
    row(&rows, 2, "b");
    row(&rows, 4, "d");
    struct page_rows read = {.bytes = rows.bytes, .count = rows.count, .more = true};
    put(delta, 3, "C");
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

/* However a range was read, wherever a fold stood, the page is what the newest writes say. */
static void
agrees_with_an_array(void **state)
{
    (void)state;
    enum { KEYS = 12 };
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct chance chance = {.state = seed};
        struct delta *delta = delta_new();
        char truth[KEYS] = {0};
        char lmdb[KEYS] = {0};
        char frozen[KEYS];
        for (unsigned i = 0; i < 60; i++) {
            uint64_t a = 1 + chance_below(&chance, KEYS - 1);
            struct store_key k = key(a);
            char letter[2] = {(char)('a' + chance_below(&chance, 26)), 0};
            switch (chance_below(&chance, 6)) {
            case 0:
                delta_delete(delta, &k);
                truth[a] = 0;
                break;
            case 1:
                if (delta_folding(delta) == NULL && delta_freezable(delta)) {
                    (void)delta_freeze(delta, 0);
                    memcpy(frozen, truth, KEYS);
                }
                break;
            case 2:
                if (delta_folding(delta) != NULL) {
                    memcpy(lmdb, frozen, KEYS);
                    delta_folded(delta);
                    struct table *retired = delta_retire(delta);
                    table_free(&retired);
                }
                break;
            default:
                put(delta, a, letter);
                truth[a] = letter[0];
                break;
            }
            struct rows rows;
            rows_init(&rows);
            char expected[128] = "";
            for (unsigned j = 1; j < 10; j++) {
                char one[2] = {lmdb[j], 0};
                if (lmdb[j] != 0) {
                    row(&rows, j, one);
                }
                if (truth[j] != 0) {
                    size_t length = strlen(expected);
                    (void)snprintf(expected + length, sizeof(expected) - length, "%s%u=%c",
                                   length > 0 ? " " : "", j, truth[j]);
                }
            }
            struct page_rows read = {.bytes = rows.bytes, .count = rows.count};
            expect(delta, &read, expected);
            rows_fini(&rows);
        }
        delta_free(&delta);
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
