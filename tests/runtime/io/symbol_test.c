/* SPDX-License-Identifier: Apache-2.0 */
/* Run with any argument it takes itself for a program that was stripped. */
#include "runtime/crash.h"
#include "runtime/io/symbol.h"
#include "runtime/text.h"
#include "tests/spec.h"

#include <stdio.h>
#include <string.h>

static __attribute__((noinline)) uintptr_t
quiet_corner(void)
{
    return (uintptr_t)__builtin_return_address(0);
}

/* Its own place, a little behind its beginning. */
static __attribute__((noinline)) uintptr_t
busy_corner(void)
{
    uintptr_t place = quiet_corner();
    __asm__ volatile("" : : : "memory"); /* no tail call */
    return place - 1;
}

static void
finds_static_functions(void **state)
{
    (void)state;
    symbols_load();
    assert_string_equal(symbol_find(busy_corner()), "busy_corner");
    assert_string_equal(symbol_find((uintptr_t)quiet_corner), "quiet_corner");
    assert_string_equal(symbol_find((uintptr_t)symbol_find), "symbol_find");
}

static void
finds_nothing_elsewhere(void **state)
{
    int local = 0;
    symbols_load();
    assert_null(symbol_find(0));
    assert_null(symbol_find(UINTPTR_MAX));
    assert_null(symbol_find((uintptr_t)&local));
    assert_null(symbol_find((uintptr_t)state));
    assert_null(symbol_find((uintptr_t)&_cmocka_run_group_tests + 1));
}

static void
frame_text(uintptr_t place, char out[256])
{
    struct ln_text text;
    ln_text_init(&text, out, 256);
    ln_frame_print(place, &text);
}

static void
frames_have_names(void **state)
{
    char text[256];
    (void)state;
    symbols_load();
    frame_text(busy_corner(), text);
    assert_non_null(strstr(text, "symbol_test(+0x"));
    assert_non_null(strstr(text, " in busy_corner)"));
    frame_text((uintptr_t)&_cmocka_run_group_tests, text); /* a library's, which exports it */
    assert_non_null(strstr(text, " in _cmocka_run_group_tests)"));
    frame_text(1, text);
    assert_string_equal(text, "0x1");
}

static void
stripped_has_places(void **state)
{
    char text[256];
    (void)state;
    symbols_load();
    assert_null(symbol_find(busy_corner()));
    frame_text(busy_corner(), text);
    assert_non_null(strstr(text, "(+0x"));
    assert_null(strstr(text, " in "));
}

int
main(int count, char **arguments)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a static function of the program is found by its instructions",
             finds_static_functions),
        SPEC("what is no function of the program has no name", finds_nothing_elsewhere),
        SPEC("a frame is printed with its object, its place and its function", frames_have_names),
    };
    static const struct CMUnitTest stripped[] = {
        SPEC("a frame of a stripped program is printed with its object and place",
             stripped_has_places),
    };
    (void)arguments;
    return count > 1 ? cmocka_run_group_tests(stripped, NULL, NULL)
                     : cmocka_run_group_tests(specs, NULL, NULL);
}
