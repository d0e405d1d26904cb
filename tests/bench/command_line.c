/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/command_line.h"

#include "tests/spec.h"

#include <errno.h>
#include <string.h>

enum { WORDS_MAX = 32, LINE_BYTES = 2000 };

char told[TOLD_BYTES];

int
reads(const char *line)
{
    static char copy[LINE_BYTES];
    char *words[WORDS_MAX];
    int count = 0;
    char *rest = copy;
    struct ln_text wrong;
    ln_text_init(&wrong, told, sizeof told);
    size_t bytes = strlen(line) + 1;
    assert_true(bytes <= sizeof copy);
    memcpy(copy, line, bytes);
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        assert_true(count < WORDS_MAX);
        words[count++] = word;
    }
    return words_read(count, words, &wrong);
}

void
refused(const char *line, const char *why)
{
    assert_int_equal(reads(line), -EINVAL);
    assert_string_equal(told, why);
}
