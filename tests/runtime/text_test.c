/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/text.h"
#include "tests/spec.h"

static void
prints_and_appends(void **state)
{
    (void)state;
    char room[32];
    struct ln_text text;
    ln_text_init(&text, room, sizeof room);
    assert_string_equal(room, "");
    ln_text_print(&text, "%d of %s", 3, "five");
    ln_text_print(&text, "%c", '!');
    assert_string_equal(room, "3 of five!");
    assert_int_equal(text.bytes, 10);
    assert_false(text.cut);
}

static void
cuts_and_remembers(void **state)
{
    (void)state;
    char room[8];
    struct ln_text text;
    ln_text_init(&text, room, sizeof room);
    ln_text_print(&text, "1234567");
    assert_false(text.cut);
    ln_text_print(&text, "8");
    assert_true(text.cut);
    assert_string_equal(room, "1234567");
    ln_text_print(&text, "9");
    assert_string_equal(room, "1234567");
    assert_int_equal(text.bytes, 7);
}

static void
one_byte_is_room_for_nothing(void **state)
{
    (void)state;
    char room[1];
    struct ln_text text;
    ln_text_init(&text, room, sizeof room);
    ln_text_print(&text, "a");
    assert_true(text.cut);
    assert_string_equal(room, "");
}

static void
escapes_for_json(void **state)
{
    (void)state;
    char room[64];
    struct ln_text text;
    ln_text_init(&text, room, sizeof room);
    ln_text_json(&text, "a\"b\\c\n\x01\xc3\xa4");
    assert_string_equal(room, "a\\\"b\\\\c\\u000a\\u0001\xc3\xa4");
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("text is appended and counted", prints_and_appends),
        SPEC("what does not fit is cut, and it remembers that", cuts_and_remembers),
        SPEC("a room of one byte holds the end alone", one_byte_is_room_for_nothing),
        SPEC("quotes, backslashes and control characters are escaped for JSON", escapes_for_json),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
