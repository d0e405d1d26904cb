/* SPDX-License-Identifier: Apache-2.0 */
/* The state is Table 3-7 of the Unicode standard as it is printed: a lead byte says how many bytes
 * follow and within which bounds the first of them lies; the others lie in 80..BF. ASCII is skipped
 * eight bytes and more at a step; characters that lie whole in the piece are decoded, without
 * touching the state. */
#include "net/utf8.h"

#include <string.h>

enum { CONTINUATION_LOW = 0x80, CONTINUATION_HIGH = 0xbf };

#define HIGH_BITS UINT64_C(0x8080808080808080)

/* The state after a lead byte; pending is 0 when no character begins with it. */
static inline struct utf8
lead_read(unsigned char byte)
{
    struct utf8 next = {0, CONTINUATION_LOW, CONTINUATION_HIGH};
    if (byte < 0xc2 || byte > 0xf4) {
        return next;
    }
    next.pending = (uint8_t)(1 + (byte >= 0xe0) + (byte >= 0xf0));
    switch (byte) {
    case 0xe0: /* below: overlong */
        next.low = 0xa0;
        break;
    case 0xed: /* above: surrogates */
        next.high = 0x9f;
        break;
    case 0xf0: /* below: overlong */
        next.low = 0x90;
        break;
    case 0xf4: /* above: beyond U+10FFFF */
        next.high = 0x8f;
        break;
    default:
        break;
    }
    return next;
}

static inline uint64_t
word_load(const unsigned char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word;
}

static const unsigned char *
ascii_skip(const unsigned char *begin, const unsigned char *end)
{
    const unsigned char *at = begin;
    while (end - at >= 32) {
        uint64_t all = word_load(at) | word_load(at + 8) | word_load(at + 16) | word_load(at + 24);
        if ((all & HIGH_BITS) != 0) {
            break;
        }
        at += 32;
    }
    while (end - at >= 8 && (word_load(at) & HIGH_BITS) == 0) {
        at += 8;
    }
    /* The last word may look back on bytes that are known to be ASCII. */
    if (end - at < 8 && end - begin >= 8 && (word_load(end - 8) & HIGH_BITS) == 0) {
        return end;
    }
    while (at < end && *at < 0x80) {
        at++;
    }
    return at;
}

static inline bool
is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The length of the right character of three or four bytes at `at`, else 0. Four bytes can be
 * read. */
static size_t
long_character_bytes(const unsigned char *at)
{
    if (!is_continuation(at[1]) || !is_continuation(at[2])) {
        return 0;
    }
    uint32_t point = (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
    if (at[0] < 0xf0) {
        point |= (uint32_t)(at[0] & 0x0f) << 12;
        return point >= 0x800 && (point < 0xd800 || point > 0xdfff) ? 3 : 0;
    }
    point = (uint32_t)(at[0] & 0x0f) << 18 | point << 6 | (at[3] & 0x3f);
    return is_continuation(at[3]) && point >= 0x10000 && point <= 0x10ffff ? 4 : 0;
}

/* Skips right characters of two to four bytes, as long as no read goes beyond `end`. */
static const unsigned char *
characters_skip(const unsigned char *at, const unsigned char *end)
{
    while (end - at >= 4 && *at >= 0xc2) {
        size_t bytes = 2;
        if (*at >= 0xe0) {
            bytes = long_character_bytes(at);
        } else if (!is_continuation(at[1])) {
            bytes = 0;
        }
        if (bytes == 0) {
            break;
        }
        at += bytes;
    }
    return at;
}

/* One byte through the state, with nothing skipped. */
static bool
byte_take(struct utf8 *utf8, unsigned char byte)
{
    if (utf8->pending == 0) {
        if (byte < 0x80) {
            return true;
        }
        *utf8 = lead_read(byte);
        if (utf8->pending != 0) {
            return true;
        }
    } else if (byte >= utf8->low && byte <= utf8->high) {
        utf8->pending--;
        utf8->low = CONTINUATION_LOW;
        utf8->high = CONTINUATION_HIGH;
        return true;
    }
    *utf8 = (struct utf8){.pending = 1, .low = 1, .high = 0};
    return false;
}

bool
utf8_feed(struct utf8 *utf8, const unsigned char *bytes, size_t count)
{
    const unsigned char *at = bytes;
    const unsigned char *end = bytes + count;
    while (at < end) {
        if (utf8->pending == 0) {
            at = characters_skip(ascii_skip(at, end), end);
            if (at == end) {
                break;
            }
        }
        if (!byte_take(utf8, *at)) {
            return false;
        }
        at++;
    }
    return utf8->low <= utf8->high;
}

bool
utf8_valid(const unsigned char *bytes, size_t count)
{
    struct utf8 utf8 = {0};
    return utf8_feed(&utf8, bytes, count) && utf8_complete(&utf8);
}
