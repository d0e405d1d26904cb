/* SPDX-License-Identifier: Apache-2.0 */
/* What has expired in a chat of two, compared with what is known of each message. */
#include "store/expired.h"
#include "tests/spec.h"
#include "tests/store/chance.h"

enum { NUMBERS = 120 };

static void
is_told_of_each_number(void **state)
{
    (void)state;
    struct expired expired = {0};
    assert_true(expired_is_none(&expired));
    assert_true(expired_add(&expired, 0, 1, 3));
    assert_true(expired_add(&expired, 4, 2, 6)); /* 4 came to a device */
    assert_false(expired_add(&expired, 6, 4, 6));
    assert_false(expired_add(&expired, 0, 4, 5)); /* known */
    assert_int_equal(expired_of(&expired, 1), EXPIRED_NOT);
    assert_int_equal(expired_of(&expired, 3), EXPIRED_GONE);
    assert_int_equal(expired_of(&expired, 4), EXPIRED_NOT);
    assert_int_equal(expired_of(&expired, 5), EXPIRED_GONE);
    assert_int_equal(expired_of(&expired, 7), EXPIRED_NOT);
    assert_false(expired_is_none(&expired));
}

/* A reader takes in most messages in their order; whatever is not there any more by then expires.
 * Nothing false is ever said, and all that is not said is at the bottom. */
static void
is_never_false(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct chance chance = {.state = seed};
        bool gone[NUMBERS + 1] = {false};
        struct expired expired = {0};
        uint64_t delivered = 0;
        uint64_t number = 1;
        while (number <= NUMBERS) {
            uint64_t to = number + chance_below(&chance, 4);
            to = to > NUMBERS ? NUMBERS : to;
            bool expires = chance_below(&chance, 2) == 0;
            for (uint64_t i = number; expires && i <= to; i++) {
                gone[i] = true;
            }
            if (expires) {
                assert_true(expired_add(&expired, delivered, number - 1, to));
            } else {
                delivered = to;
            }
            number = to + 1;
        }
        for (uint64_t i = 1; i <= NUMBERS; i++) {
            enum expired_verdict verdict = expired_of(&expired, i);
            assert_true(verdict == (gone[i] ? EXPIRED_GONE : EXPIRED_NOT) ||
                        (verdict == EXPIRED_UNKNOWN && i <= expired.unknown));
        }
        assert_true(expired.unknown == 0 || expired.unknown < expired.holes.at[0].after);
        assert_true(expired.unknown == 0 || expired.holes.count == HOLES_MAX);
    }
}

static void
is_written_and_read(void **state)
{
    (void)state;
    unsigned char bytes[EXPIRED_BYTES_MAX];
    struct expired expired = {0};
    struct expired out;
    for (uint64_t i = 1; i <= HOLES_MAX + 1; i++) {
        struct cursor_out writing;
        struct cursor_in reading;
        (void)expired_add(&expired, 0, 2 * i, 2 * i + 1);
        cursor_out_init(&writing, bytes, sizeof(bytes));
        expired_put(&writing, &expired);
        assert_int_equal(cursor_out_bytes(&writing), expired_bytes(&expired));
        cursor_in_init(&reading, bytes, expired_bytes(&expired));
        expired_get(&reading, &out);
        assert_int_equal(cursor_in_end(&reading), 0);
        assert_true(expired_equal(&out, &expired));
    }
    assert_int_equal(out.unknown, 3);
    out.unknown = 2;
    assert_false(expired_equal(&out, &expired));
    out = expired;
    out.holes.at[3].to++;
    assert_false(expired_equal(&out, &expired));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("of each number it is told whether it expired", is_told_of_each_number),
        SPEC("when there are too many holes nothing is said at the bottom, and nothing false",
             is_never_false),
        SPEC("it is read as it was written", is_written_and_read),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
