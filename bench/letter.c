/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/letter.h"

#include "store/checksum.h"

#include <stdbool.h>
#include <string.h>

/* Where each field stands: behind its mark. */
enum {
    RUN_AT = 1,
    RUN_DIGITS = 8,
    LINE_AT = RUN_AT + RUN_DIGITS + 1,
    LINE_DIGITS = 6,
    SEQUENCE_AT = LINE_AT + LINE_DIGITS + 1,
    SEQUENCE_DIGITS = 10,
    TIME_AT = SEQUENCE_AT + SEQUENCE_DIGITS + 1,
    TIME_DIGITS = 12,
    SUM_AT = TIME_AT + TIME_DIGITS + 1,
    SUM_DIGITS = 16,
    SUM_END = SUM_AT + SUM_DIGITS,
};
_Static_assert(SUM_END + 1 == LETTER_HEAD_BYTES, "a blank follows the checksum");

static const char marks[] = "@>#+=";
static const int marks_at[] = {RUN_AT - 1, LINE_AT - 1, SEQUENCE_AT - 1, TIME_AT - 1, SUM_AT - 1};

/* What people might write; each letter takes it up elsewhere, so that no two are alike in it. */
static const char padding[] =
    "the quick brown fox jumps over the lazy dog, sees the linnet on the garden wall and asks "
    "what it has been singing about all morning; about messages, says the bird, and that none "
    "of them was lost. ";

static void
digits_write(uint64_t value, unsigned digits, char *out)
{
    for (unsigned i = digits; i > 0; i--) {
        out[i - 1] = "0123456789abcdef"[value & 15];
        value >>= 4;
    }
}

static bool
digits_read(const char *text, unsigned digits, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < digits; i++) {
        char digit = text[i];
        if (digit >= '0' && digit <= '9') {
            value = value << 4 | (uint64_t)(digit - '0');
        } else if (digit >= 'a' && digit <= 'f') {
            value = value << 4 | (uint64_t)(digit - 'a' + 10);
        } else {
            return false;
        }
    }
    *out = value;
    return true;
}

static uint64_t
sum_of(const char *text, size_t bytes)
{
    return checksum_bytes(checksum_bytes(0, text, SUM_AT), text + SUM_END, bytes - SUM_END);
}

static void
padding_write(uint64_t sequence, char *out, size_t bytes)
{
    size_t from = sequence % (sizeof padding - 1);
    while (bytes > 0) {
        size_t piece = sizeof padding - 1 - from;
        piece = piece < bytes ? piece : bytes;
        memcpy(out, padding + from, piece);
        out += piece;
        bytes -= piece;
        from = 0;
    }
}

void
letter_write(const struct letter *letter, char *out, size_t bytes)
{
    ASSERT(bytes >= LETTER_BYTES_MIN && letter->line < 1u << (4 * LINE_DIGITS));
    for (unsigned i = 0; i < sizeof marks - 1; i++) {
        out[marks_at[i]] = marks[i];
    }
    digits_write(letter->run, RUN_DIGITS, out + RUN_AT);
    digits_write(letter->line, LINE_DIGITS, out + LINE_AT);
    digits_write(letter->sequence, SEQUENCE_DIGITS, out + SEQUENCE_AT);
    digits_write(letter->at_ns, TIME_DIGITS, out + TIME_AT);
    out[SUM_END] = ' ';
    padding_write(letter->sequence, out + LETTER_HEAD_BYTES, bytes - LETTER_HEAD_BYTES);
    digits_write(sum_of(out, bytes), SUM_DIGITS, out + SUM_AT);
    out[bytes] = '\0';
}

enum letter_verdict
letter_read(const char *text, size_t bytes, uint32_t run, struct letter *out)
{
    uint64_t said_run = 0;
    if (bytes < LETTER_BYTES_MIN || text[0] != marks[0] ||
        !digits_read(text + RUN_AT, RUN_DIGITS, &said_run) || said_run != run) {
        return LETTER_FOREIGN;
    }
    uint64_t line = 0;
    uint64_t sum = 0;
    struct letter letter = {.run = run};
    bool whole = digits_read(text + LINE_AT, LINE_DIGITS, &line) &&
                 digits_read(text + SEQUENCE_AT, SEQUENCE_DIGITS, &letter.sequence) &&
                 digits_read(text + TIME_AT, TIME_DIGITS, &letter.at_ns) &&
                 digits_read(text + SUM_AT, SUM_DIGITS, &sum);
    if (!whole || sum != sum_of(text, bytes)) {
        return LETTER_DAMAGED;
    }
    letter.line = (uint32_t)line;
    *out = letter;
    return LETTER_OK;
}
