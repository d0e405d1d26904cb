/* SPDX-License-Identifier: Apache-2.0 */
#include "net/base64.h"

#include <errno.h>
#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char alphabet_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Without padding. Returns where the text ends. */
static char *
encode(const char *digits, const void *bytes, size_t count, char *out)
{
    const uint8_t *next = bytes;
    for (; count >= 3; count -= 3, next += 3) {
        uint32_t word = (uint32_t)next[0] << 16 | (uint32_t)next[1] << 8 | next[2];
        *out++ = digits[word >> 18];
        *out++ = digits[word >> 12 & 63];
        *out++ = digits[word >> 6 & 63];
        *out++ = digits[word & 63];
    }
    if (count > 0) {
        uint32_t word = (uint32_t)next[0] << 16 | (count == 2 ? (uint32_t)next[1] << 8 : 0);
        *out++ = digits[word >> 18];
        *out++ = digits[word >> 12 & 63];
        if (count == 2) {
            *out++ = digits[word >> 6 & 63];
        }
    }
    return out;
}

void
base64_encode(const void *bytes, size_t count, char *out)
{
    char *end = out + base64_encoded_bytes(count);
    for (out = encode(alphabet, bytes, count, out); out < end; out++) {
        *out = '=';
    }
}

void
base64url_encode(const void *bytes, size_t count, char *out)
{
    (void)encode(alphabet_url, bytes, count, out);
}

/* What the characters from '+' to 'z' stand for in either alphabet; 64 for those in neither. */
static const uint8_t digits_of['z' - '+' + 1] = {
    62, 64, 62, 64, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64,
    64, 64, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,
    18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 63, 64, 26, 27, 28, 29, 30, 31,
    32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
};

static uint32_t
digit_of(char c)
{
    unsigned index = (unsigned char)c - (unsigned)'+';
    return index < sizeof(digits_of) ? digits_of[index] : 64;
}

/* The last two or three digits, which stand for one or two bytes. */
static int
decode_rest(const char *text, size_t digits, uint8_t *out)
{
    uint32_t word = 0;
    for (size_t i = 0; i < digits; i++) {
        uint32_t digit = digit_of(text[i]);
        if (digit > 63) {
            return -EINVAL;
        }
        word = word << 6 | digit;
    }
    unsigned spare_bits = digits == 2 ? 4 : 2;
    if ((word & ((1U << spare_bits) - 1)) != 0) {
        return -EINVAL;
    }
    word >>= spare_bits;
    if (digits == 3) {
        *out++ = (uint8_t)(word >> 8);
    }
    *out = (uint8_t)word;
    return 0;
}

int
base64_decode(const char *text, size_t text_bytes, void *out, size_t *out_bytes)
{
    if (text_bytes % 4 == 0 && text_bytes > 0 && text[text_bytes - 1] == '=') {
        text_bytes -= text[text_bytes - 2] == '=' ? 2 : 1;
    }
    uint8_t *next = out;
    size_t left = text_bytes;
    for (; left >= 4; left -= 4, text += 4) {
        uint32_t a = digit_of(text[0]);
        uint32_t b = digit_of(text[1]);
        uint32_t c = digit_of(text[2]);
        uint32_t d = digit_of(text[3]);
        if ((a | b | c | d) > 63) {
            return -EINVAL;
        }
        uint32_t word = a << 18 | b << 12 | c << 6 | d;
        *next++ = (uint8_t)(word >> 16);
        *next++ = (uint8_t)(word >> 8);
        *next++ = (uint8_t)word;
    }
    if (left == 1 || (left > 1 && decode_rest(text, left, next) < 0)) {
        return -EINVAL;
    }
    next += left > 0 ? left - 1 : 0;
    *out_bytes = (size_t)(next - (uint8_t *)out);
    return 0;
}
