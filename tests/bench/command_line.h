/* SPDX-License-Identifier: Apache-2.0 */
/* command_line.h - for tests of what reads a command's words: a line of them, and what is told of
 * those that are wrong.
 *
 *     int words_read(int count, char **words, struct ln_text *wrong) { return options_read(...); }
 *     ...
 *     assert_int_equal(reads("bench chat --pairs 3"), 0);
 *     refused("bench chat --pairs 0", "--pairs: '0' is no number from 1 to 100000\n");
 */
#pragma once

#include "runtime/text.h"

enum { TOLD_BYTES = 16 << 10 };
/* What the last reader said. */
extern char told[TOLD_BYTES];

/* Each test has its own: hands the words to the reader that it is about. */
int words_read(int count, char **words, struct ln_text *wrong);

/* Reads a line, its words apart by blanks. They live until the next one. */
int reads(const char *line);
/* The line is wrong, for just these reasons. */
void refused(const char *line, const char *why);
