/* SPDX-License-Identifier: Apache-2.0 */
/* A number is its digits without the point, times a power of ten. It is whole if that power isn't
 * negative once the digits' trailing zeros are counted into it. */
#include "net/decimal.h"

#include <errno.h>
#include <stdbool.h>

enum {
    /* Powers beyond any that could meet 64 bits, and far from overflowing an int; texts are shorter
     * than 2^30. */
    EXPONENT_MAX = 1 << 30,
};

/* The parts of a JSON number, as pieces of its text. */
struct decimal {
    bool negative;
    const char *whole, *whole_end;
    const char *fraction, *fraction_end;
    int64_t exponent;
};

static const char *
skip_digits(const char *next, const char *end)
{
    while (next < end && *next >= '0' && *next <= '9') {
        next++;
    }
    return next;
}

static int
exponent_parse(const char *next, const char *end, int64_t *out_exponent)
{
    bool negative = next < end && *next == '-';
    if (next < end && (*next == '-' || *next == '+')) {
        next++;
    }
    if (next == end || skip_digits(next, end) != end) {
        return -EINVAL;
    }
    int64_t exponent = 0;
    for (; next < end; next++) {
        exponent = exponent < EXPONENT_MAX ? exponent * 10 + (*next - '0') : EXPONENT_MAX;
    }
    *out_exponent = negative ? -exponent : exponent;
    return 0;
}

/* Takes the text apart by JSON's grammar. */
static int
decimal_split(const char *next, const char *end, struct decimal *out)
{
    *out = (struct decimal){.negative = next < end && *next == '-'};
    next += out->negative;
    out->whole = next;
    out->whole_end = next = skip_digits(next, end);
    size_t digits = (size_t)(out->whole_end - out->whole);
    if (digits == 0 || (digits > 1 && *out->whole == '0')) {
        return -EINVAL;
    }
    out->fraction = out->fraction_end = next;
    if (next < end && *next == '.') {
        out->fraction = next + 1;
        out->fraction_end = next = skip_digits(next + 1, end);
        if (out->fraction == out->fraction_end) {
            return -EINVAL;
        }
    }
    if (next < end && (*next == 'e' || *next == 'E')) {
        return exponent_parse(next + 1, end, &out->exponent);
    }
    return next == end ? 0 : -EINVAL;
}

static int
push_digit(uint64_t *value, unsigned digit)
{
    if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, digit, value)) {
        return -ERANGE;
    }
    return 0;
}

/* Appends the digits to the value. Zeros wait until another digit follows them, so that those at
 * the end stay out. */
static int
push_digits(const char *next, const char *end, uint64_t *value, int64_t *zeros)
{
    for (; next < end; next++) {
        if (*next == '0') {
            ++*zeros;
            continue;
        }
        for (; *zeros > 0 && *value > 0; --*zeros) {
            if (push_digit(value, 0) < 0) {
                return -ERANGE;
            }
        }
        *zeros = 0;
        if (push_digit(value, (unsigned)(*next - '0')) < 0) {
            return -ERANGE;
        }
    }
    return 0;
}

static int
decimal_value(const struct decimal *decimal, uint64_t *out_value)
{
    uint64_t value = 0;
    int64_t zeros = 0;
    if (push_digits(decimal->whole, decimal->whole_end, &value, &zeros) < 0 ||
        push_digits(decimal->fraction, decimal->fraction_end, &value, &zeros) < 0) {
        return -ERANGE;
    }
    if (value == 0) {
        *out_value = 0;
        return 0;
    }
    int64_t power = decimal->exponent + zeros - (decimal->fraction_end - decimal->fraction);
    if (power < 0 || decimal->negative) {
        return -EINVAL;
    }
    for (; power > 0; power--) {
        if (push_digit(&value, 0) < 0) {
            return -ERANGE;
        }
    }
    *out_value = value;
    return 0;
}

int
decimal_parse(const char *text, size_t bytes, uint64_t *out_value)
{
    /* Nearly all numbers are this: a few digits. Nineteen of them can't overflow. */
    if (bytes > 0 && bytes < DECIMAL_BYTES_MAX && (text[0] != '0' || bytes == 1)) {
        uint64_t value = 0;
        size_t i = 0;
        for (; i < bytes && text[i] >= '0' && text[i] <= '9'; i++) {
            value = value * 10 + (uint64_t)(text[i] - '0');
        }
        if (i == bytes) {
            *out_value = value;
            return 0;
        }
    }
    struct decimal decimal;
    int rc = decimal_split(text, text + bytes, &decimal);
    return rc < 0 ? rc : decimal_value(&decimal, out_value);
}

size_t
decimal_write(uint64_t value, char *out)
{
    char digits[DECIMAL_BYTES_MAX];
    size_t used = 0;
    do {
        digits[used++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < used; i++) {
        out[i] = digits[used - 1 - i];
    }
    return used;
}
