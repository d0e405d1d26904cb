/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/shell_wire.h"

#include "tests/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 1000 };

static int
whole(const char *text, size_t *out_bytes)
{
    return shell_wire_whole(text, strlen(text), BYTES_MAX, out_bytes);
}

static void
writes_a_request(void **state)
{
    static const char *const words[] = {"linnet.shell.1", "user", "add", "", "Jürgen"};
    static const char written[] = "44:14:linnet.shell.1,4:user,3:add,0:,7:J\xc3\xbcrgen,,";
    char room[128];
    (void)state;
    assert_int_equal(shell_wire_bytes(words, 5), sizeof written - 1);
    memset(room, '#', sizeof room);
    shell_wire_write(words, 5, room);
    assert_memory_equal(room, written, sizeof written - 1);
    assert_int_equal(room[sizeof written - 1], '#');
}

static void
reads_what_it_wrote(void **state)
{
    static const char *const words[] = {"a", "", "with, 3:comma", "0123456789"};
    const char *read[4];
    char room[128];
    unsigned count = 0;
    size_t bytes = shell_wire_bytes(words, 4);
    size_t found = 0;
    (void)state;
    shell_wire_write(words, 4, room);
    assert_int_equal(shell_wire_whole(room, bytes, BYTES_MAX, &found), 0);
    assert_int_equal(found, bytes);
    assert_int_equal(shell_wire_words(room, bytes, read, 4, &count), 0);
    assert_int_equal(count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_string_equal(read[i], words[i]);
    }
}

static void
reads_an_empty_list(void **state)
{
    char room[] = "0:,";
    unsigned count = 7;
    const char *words[1];
    size_t bytes = 0;
    (void)state;
    assert_int_equal(whole(room, &bytes), 0);
    assert_int_equal(bytes, 3);
    assert_int_equal(shell_wire_words(room, 3, words, 1, &count), 0);
    assert_int_equal(count, 0);
}

/* At every cut it asks for more, and what follows is not looked at. */
static void
waits_for_the_rest(void **state)
{
    static const char text[] = "10:1:a,3:bcd,,and what follows";
    size_t bytes = 0;
    (void)state;
    for (size_t cut = 0; cut < 14; cut++) {
        assert_int_equal(shell_wire_whole(text, cut, BYTES_MAX, &bytes), -EAGAIN);
    }
    assert_int_equal(shell_wire_whole(text, sizeof text - 1, BYTES_MAX, &bytes), 0);
    assert_int_equal(bytes, 14);
}

static void
refuses_what_is_no_list(void **state)
{
    static const char *const texts[] = {":", "x", "a:", "01:a,", "1;a,", "1:ab", "12345678", "-1:"};
    size_t bytes = 0;
    (void)state;
    for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(whole(texts[i], &bytes), -EPROTO);
    }
}

static void
refuses_a_list_that_is_too_long_at_its_length(void **state)
{
    size_t bytes = 0;
    (void)state;
    assert_int_equal(whole("996:", &bytes), -EMSGSIZE);
    assert_int_equal(whole("995:", &bytes), -EAGAIN);
    assert_int_equal(whole("9999999:", &bytes), -EMSGSIZE);
}

static void
refuses_words_that_do_not_fill_the_list(void **state)
{
    static const char *const lists[] = {
        "3:1:a,", "2:1:,", "5:9:abc,", "3:a:b,", "4:1:ab,", "4:2:a,,", "1:1,", "5:1:a,1,", "2::a,",
    };
    const char *words[8];
    unsigned count = 0;
    (void)state;
    for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char room[32];
        strcpy(room, lists[i]);
        assert_int_equal(shell_wire_words(room, strlen(room), words, 8, &count), -EPROTO);
    }
}

static void
refuses_a_zero_byte_in_a_word(void **state)
{
    char room[] = "6:3:a\0b,,";
    const char *words[8];
    unsigned count = 0;
    (void)state;
    assert_int_equal(shell_wire_words(room, sizeof room - 1, words, 8, &count), -EPROTO);
}

static void
refuses_more_words_than_there_is_room_for(void **state)
{
    char room[] = "8:1:a,1:b,,";
    const char *words[1];
    unsigned count = 0;
    (void)state;
    assert_int_equal(shell_wire_words(room, sizeof room - 1, words, 1, &count), -E2BIG);
}

/* Lists with one byte changed at a time: whatever they are, every word lies within. */
static void
stays_within_a_damaged_list(void **state)
{
    static const char good[] = "25:3:abc,0:,11:hello world,,";
    (void)state;
    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char *room = malloc(sizeof good - 1); /* its end is guarded under a sanitizer */
            const char *words[8];
            unsigned count = 0;
            assert_non_null(room);
            memcpy(room, good, sizeof good - 1);
            room[at] = (char)byte;
            if (shell_wire_words(room, sizeof good - 1, words, 8, &count) == 0) {
                for (unsigned i = 0; i < count; i++) {
                    assert_true(words[i] + strlen(words[i]) < room + sizeof good - 1);
                }
            }
            free(room);
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a request is a netstring of netstrings", writes_a_request),
        SPEC("what was written is read again", reads_what_it_wrote),
        SPEC("a list may be empty", reads_an_empty_list),
        SPEC("a list that is cut waits for its rest", waits_for_the_rest),
        SPEC("what is no netstring is refused", refuses_what_is_no_list),
        SPEC("a list that is too long is refused at its length",
             refuses_a_list_that_is_too_long_at_its_length),
        SPEC("words that do not fill their list exactly are refused",
             refuses_words_that_do_not_fill_the_list),
        SPEC("a zero byte in a word is refused", refuses_a_zero_byte_in_a_word),
        SPEC("more words than there is room for are refused",
             refuses_more_words_than_there_is_room_for),
        SPEC("a damaged list is never read beyond its end", stays_within_a_damaged_list),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
