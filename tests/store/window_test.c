/* SPDX-License-Identifier: Apache-2.0 */
#include "store/window.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

#include <errno.h>
#include <string.h>

/* A window as the store has it: bytes, none before the first number. */
struct stored {
    unsigned char bytes[WINDOW_BYTES_MAX];
    size_t count;
};

static struct window
view(const struct stored *stored)
{
    struct window window = {0};
    if (stored->count > 0) {
        struct store_value value = {.bytes = stored->bytes, .count = stored->count};
        assert_int_equal(window_read(value, &window), 0);
    }
    return window;
}

static void
accept(struct stored *stored, uint64_t number)
{
    struct window window = view(stored);
    struct window_entry entry = {
        .number = number, .time_ms = 1000 + number, .chat_number = number * 2};
    struct stored grown;
    grown.count = window_add(&window, &entry, grown.bytes);
    *stored = grown;
}

static enum window_verdict
find(const struct stored *stored, uint64_t number, struct window_entry *out)
{
    struct window window = view(stored);
    return window_find(&window, number, out);
}

static enum window_verdict
verdict(const struct stored *stored, uint64_t number)
{
    struct window_entry entry;
    return find(stored, number, &entry);
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
        struct stored window = {.count = 0};
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
    struct stored window = {.count = 0};
    struct window_entry entry = {0};
    accept(&window, 40);
    accept(&window, 41);
    assert_int_equal(find(&window, 40, &entry), WINDOW_DUPLICATE);
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
        struct stored window = {.count = 0};
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
holds_the_last_64(void **state)
{
    (void)state;
    struct stored window = {.count = 0};
    for (uint64_t number = 1000; number > 936; number--) {
        accept(&window, number);
    }
    assert_int_equal(window.count, WINDOW_BYTES_MAX);
    accept(&window, 1001);
    assert_int_equal(window.count, WINDOW_BYTES_MAX);
    assert_int_equal(verdict(&window, 937), WINDOW_TOO_OLD);
    for (uint64_t number = 938; number <= 1001; number++) {
        struct window_entry entry;
        assert_int_equal(find(&window, number, &entry), WINDOW_DUPLICATE);
        assert_int_equal(entry.number, number);
        assert_int_equal(entry.time_ms, 1000 + number);
        assert_int_equal(entry.chat_number, 2 * number);
    }
}

static void
refuses_nonsense(void **state)
{
    (void)state;
    struct stored window = {.count = 0};
    struct window again;
    accept(&window, 5);
    accept(&window, 9);
    for (size_t cut = 0; cut < window.count; cut++) {
        struct store_value value = {.bytes = window.bytes, .count = cut};
        /* Both entries are there, or it can't be: the last is the highest. */
        assert_int_equal(window_read(value, &again), -EBADMSG);
    }
    struct {
        size_t at;
        unsigned char byte;
    } wrong[] = {
        {0, RECORD_CHAT}, /* another table's */
        {1, 99},          /* another version */
        {2, 10},          /* the last is not the highest */
        {10, 9},          /* not rising */
        {10, 10},         /* above the highest */
        {10, 0},          /* zero is no number */
        {10, 201},        /* below the window */
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct stored spoilt = window;
        spoilt.bytes[wrong[i].at] = wrong[i].byte;
        struct store_value value = {.bytes = spoilt.bytes, .count = spoilt.count};
        assert_int_equal(window_read(value, &again), -EBADMSG);
    }
    unsigned char long_one[WINDOW_BYTES_MAX + WINDOW_ENTRY_BYTES] = {0};
    memcpy(long_one, window.bytes, WINDOW_HEADER_BYTES);
    struct store_value value = {.bytes = long_one, .count = sizeof(long_one)};
    assert_int_equal(window_read(value, &again), -EBADMSG); /* more than fit */
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a number is new, a duplicate or too old by its distance from the highest",
             judges_by_table),
        SPEC("a duplicate is answered as the original was", answers_as_before),
        SPEC("the window agrees with a set that remembers every number", agrees_with_a_set),
        SPEC("a full window holds the last 64 numbers with their answers", holds_the_last_64),
        SPEC("bytes that are no window are refused", refuses_nonsense),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
