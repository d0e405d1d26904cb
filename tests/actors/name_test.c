/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/name.h"

#include "tests/spec.h"

#include <string.h>

static const char *
fault(const char *name)
{
    return name_fault(name, strlen(name));
}

static void
takes_names_of_people(void **state)
{
    static const char *const names[] = {
        "alice", "A", "Jürgen Groß", "李小龍", "o'brien", "x_1.y-2", "🦜", "عمر", "+41 79", "1a",
    };
    (void)state;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_null(fault(names[i]));
    }
}

static void
takes_64_bytes_and_no_more(void **state)
{
    char name[65];
    (void)state;
    memset(name, 'a', sizeof name);
    assert_null(name_fault(name, 64));
    assert_string_equal(name_fault(name, 65), "has more than 64 bytes");
    assert_string_equal(name_fault(name, 0), "is empty");
}

static void
refuses_what_can_not_be_told_apart(void **state)
{
    static const struct {
        const char *name, *fault;
    } names[] = {
        {"a\nb", "has a control character or one that can't be seen"},
        {"a\x7f", "has a control character or one that can't be seen"},
        {"a\xc2\x85", "has a control character or one that can't be seen"},     /* NEL */
        {"a\xe2\x80\x8b", "has a control character or one that can't be seen"}, /* zero width */
        {"a\xe2\x80\xae", "has a control character or one that can't be seen"}, /* RLO */
        {"\xef\xbb\xbf"
         "a",
         "has a control character or one that can't be seen"},                      /* BOM */
        {"a\xf3\xa0\x81\x81", "has a control character or one that can't be seen"}, /* tag */
        {" a", "begins or ends with a blank"},
        {"a ", "begins or ends with a blank"},
        {" ", "begins or ends with a blank"},
        {"a\xc2\xa0", "begins or ends with a blank"},
        {"\xe3\x80\x80"
         "a",
         "begins or ends with a blank"},
        {"a\xff", "is not UTF-8"},
        {"a\xc3", "is not UTF-8"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_string_equal(fault(names[i].name), names[i].fault);
    }
}

static void
refuses_what_means_something_else(void **state)
{
    (void)state;
    assert_string_equal(fault("a@b"), "has a '/' or '@', which names don't");
    assert_string_equal(fault("a/b"), "has a '/' or '@', which names don't");
    assert_string_equal(fault("17"), "is a number, which names aren't");
    assert_string_equal(fault("0.12.3"), "is a number, which names aren't");
}

static void
refuses_a_zero_byte(void **state)
{
    (void)state;
    assert_string_equal(name_fault("a\0b", 3), "has a control character or one that can't be seen");
}

static void
blots_out_commands(void **state)
{
    static const struct {
        const char *text, *shown;
    } texts[] = {
        {"", ""},
        {"o'brien 李 / @", "o'brien 李 / @"},
        {"\x1b[2Ja\nb", "?[2Ja?b"},
        {"\xc2\x9b"
         "2J",
         "??2J"},
        {"a\xe2\x80\xaez", "a???z"},
        {"\xf3\xa0\x81\x81", "????"},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[32];
        strcpy(text, texts[i].text);
        name_blot(text);
        assert_string_equal(text, texts[i].shown);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("names of people in any script are names", takes_names_of_people),
        SPEC("a name has 1 to 64 bytes", takes_64_bytes_and_no_more),
        SPEC("names that would look alike or hide something are refused",
             refuses_what_can_not_be_told_apart),
        SPEC("addresses, numbers and pids are no names", refuses_what_means_something_else),
        SPEC("a zero byte is refused", refuses_a_zero_byte),
        SPEC("what is shown to a person commands no terminal", blots_out_commands),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
