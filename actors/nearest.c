/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/nearest.h"

#include <string.h>

static unsigned
least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* One row of the classic table at a time: row[j] is the distance from a's first i letters to b's
 * first j. */
unsigned
nearest_distance(const char *a, const char *b)
{
    size_t a_bytes = strnlen(a, NEAREST_BYTES_MAX);
    size_t b_bytes = strnlen(b, NEAREST_BYTES_MAX);
    unsigned row[NEAREST_BYTES_MAX + 1];
    for (unsigned j = 0; j <= b_bytes; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; i <= a_bytes; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b_bytes; j++) {
            unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_bytes];
}

bool
nearest_plausible(unsigned distance, const char *word)
{
    return distance <= 1 + strnlen(word, NEAREST_BYTES_MAX) / 4;
}
