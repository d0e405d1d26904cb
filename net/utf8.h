/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.h - is this text UTF-8? Asked of bytes that arrive in pieces, cut anywhere.
 *
 * What RFC 3629 allows: no overlong forms, no surrogates, nothing above U+10FFFF. The answer falls
 * at the first byte that no continuation can mend, so a sender of rubbish is cut off before its
 * message ends.
 *
 *     struct utf8 utf8 = {0};
 *     while (more)
 *         if (!utf8_feed(&utf8, piece, piece_bytes))
 *             ...not UTF-8, whatever follows
 *     if (!utf8_complete(&utf8))
 *         ...ends within a character
 *
 * Three bytes of plain state; any thread.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero is the start. Once a byte was refused, no byte is ever accepted: low > high, and pending
 * stays above 0. */
struct utf8 {
    uint8_t pending;   /* continuation bytes still to come */
    uint8_t low, high; /* what the next of them must lie within; means nothing while pending is 0 */
};

/* False: these bytes, after those before, begin no UTF-8 text; it stays false for every later
 * call. */
MUST_CHECK bool utf8_feed(struct utf8 *utf8, const unsigned char *bytes, size_t count);

/* True between characters: the text may end here. */
static inline bool
utf8_complete(const struct utf8 *utf8)
{
    return utf8->pending == 0;
}

/* A whole text at once. */
MUST_CHECK bool utf8_valid(const unsigned char *bytes, size_t count);
