/* SPDX-License-Identifier: Apache-2.0 */
#include "store/window.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

#include <errno.h>
#include <string.h>

static void
accept(struct window *window, uint64_t number)
{
    struct window_entry entry = {
        .number = number, .time_ms = 1000 + number, .chat_number = number * 2};
    window_add(window, &entry);
}

static enum window_verdict
verdict(const struct window *window, uint64_t number)
{
    struct window_entry entry;
    return window_find(window, number, &entry);
}

static void
judges_by_table(void **state)
{
    (void)state;
    struct {
        uint64_t accepted[4];
        uint64_t number;
        enum window_verdict verdict;
    } cases[] = {
        {{0}, 1, WINDOW_NEW},
        {{0}, UINT64_C(1) << 52, WINDOW_NEW},
        {{7}, 7, WINDOW_DUPLICATE},
        {{7}, 6, WINDOW_NEW},
        {{7}, 8, WINDOW_NEW},
        {{7, 9}, 8, WINDOW_NEW},
        {{7, 9, 8}, 8, WINDOW_DUPLICATE},
        {{64}, 1, WINDOW_NEW},
        {{65}, 1, WINDOW_TOO_OLD},
        {{65}, 2, WINDOW_NEW},
        {{2, 65}, 2, WINDOW_DUPLICATE},
        {{2, 66}, 2, WINDOW_TOO_OLD},
        {{2, 66, 3}, 3, WINDOW_DUPLICATE},
        {{1000000}, 1, WINDOW_TOO_OLD},
        {{1, 1000000}, 999937, WINDOW_NEW},
        {{1, 1000000}, 999936, WINDOW_TOO_OLD},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct window window = {0};
        for (unsigned j = 0; j < 4 && cases[i].accepted[j] != 0; j++) {
            accept(&window, cases[i].accepted[j]);
        }
        assert_int_equal(verdict(&window, cases[i].number), cases[i].verdict);
    }
}

static void
answers_as_before(void **state)
{
    (void)state;
    struct window window = {0};
    struct window_entry entry = {0};
    accept(&window, 40);
    accept(&window, 41);
    assert_int_equal(window_find(&window, 40, &entry), WINDOW_DUPLICATE);
    assert_int_equal(entry.time_ms, 1040);
    assert_int_equal(entry.chat_number, 80);
}

/* Against a set that remembers everything. */
static void
agrees_with_a_set(void **state)
{
    (void)state;
    enum { NUMBERS = 4000 };
    for (uint64_t seed = 1; seed <= 20; seed++) {
        static bool accepted[NUMBERS];
        struct chance chance = {.state = seed};
        struct window window = {0};
        uint64_t highest = 0;
        memset(accepted, 0, sizeof(accepted));
        for (unsigned i = 0; i < 5000; i++) {
            uint64_t reach = highest + 5 < NUMBERS ? highest + 5 : NUMBERS - 1;
            uint64_t number = 1 + chance_below(&chance, reach);
            if (chance_below(&chance, 2) == 0 && highest > 70) {
                number = highest - chance_below(&chance, 70);
            }
            enum window_verdict expected = accepted[number] ? WINDOW_DUPLICATE : WINDOW_NEW;
            if (highest >= STORE_WINDOW && number <= highest - STORE_WINDOW) {
                expected = WINDOW_TOO_OLD;
            }
            assert_int_equal(verdict(&window, number), expected);
            if (expected == WINDOW_NEW) {
                accept(&window, number);
                accepted[number] = true;
                highest = number > highest ? number : highest;
            }
        }
    }
}

static void
survives_encoding(void **state)
{
    (void)state;
    struct window window = {0};
    struct window again;
    unsigned char bytes[WINDOW_BYTES_MAX];
    for (uint64_t number = 100; number > 36; number--) {
        accept(&window, number);
    }
    size_t count = window_encode(&window, bytes);
    assert_int_equal(count, WINDOW_BYTES_MAX);
    struct store_value value = {.bytes = bytes, .count = count};
    assert_int_equal(window_decode(value, &again), 0);
    assert_int_equal(again.count, window.count);
    assert_memory_equal(again.entries, window.entries, sizeof(window.entries));
}

static void
refuses_nonsense(void **state)
{
    (void)state;
    struct window window = {0};
    struct window again;
    unsigned char bytes[WINDOW_BYTES_MAX];
    accept(&window, 5);
    accept(&window, 9);
    size_t count = window_encode(&window, bytes);
    for (size_t cut = 0; cut < count; cut++) {
        struct store_value value = {.bytes = bytes, .count = cut};
        assert_int_equal(window_decode(value, &again), -EBADMSG);
    }
    struct {
        size_t at;
        unsigned char byte;
    } wrong[] = {
        {0, RECORD_CHAT}, /* another table's */
        {1, 99},          /* another version */
        {10, 0},          /* nothing accepted */
        {10, 65},         /* more than fit */
        {11, 1},          /* the first is not the highest */
        {28, 0},          /* not falling */
        {28, 64},         /* below the window */
        {28, 10},         /* below zero */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        unsigned char spoilt[WINDOW_BYTES_MAX];
        memcpy(spoilt, bytes, count);
        spoilt[wrong[i].at] = wrong[i].byte;
        struct store_value value = {.bytes = spoilt, .count = count};
        assert_int_equal(window_decode(value, &again), -EBADMSG);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a number is new, a duplicate or too old by its distance from the highest",
             judges_by_table),
        SPEC("a duplicate is answered as the original was", answers_as_before),
        SPEC("the window agrees with a set that remembers every number", agrees_with_a_set),
        SPEC("a full window survives its encoding", survives_encoding),
        SPEC("bytes that are no window are refused", refuses_nonsense),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
