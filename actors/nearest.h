/* SPDX-License-Identifier: Apache-2.0 */
/* nearest.h - which known word somebody probably meant: "did you mean ...?" behind an error.
 *
 * The measure is Levenshtein's distance: letters to insert, remove or replace. Pure; any thread.
 */
#pragma once

#include <stdbool.h>

/* Words beyond this are compared by their beginning. */
enum { NEAREST_BYTES_MAX = 48 };

/* How many letters lie between them. */
unsigned nearest_distance(const char *a, const char *b);

/* Whether `distance` is small enough for a word of this length to be taken for a slip. */
bool nearest_plausible(unsigned distance, const char *word);
