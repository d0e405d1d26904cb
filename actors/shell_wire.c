/* SPDX-License-Identifier: Apache-2.0 */
#include "actors/shell_wire.h"

#include <errno.h>
#include <string.h>

/* "123:" at the beginning of `bytes`: its number and how many bytes it takes. */
static int
length_read(const char *bytes, size_t count, size_t *out_length, size_t *out_bytes)
{
    size_t length = 0;
    size_t at = 0;
    while (at < count && at < SHELL_LENGTH_BYTES_MAX - 1 && bytes[at] >= '0' && bytes[at] <= '9') {
        length = length * 10 + (size_t)(bytes[at] - '0');
        at++;
    }
    if (at == count && at < SHELL_LENGTH_BYTES_MAX) {
        return -EAGAIN;
    }
    /* One way to write a number, so that one list has one form. */
    if (bytes[at] != ':' || at == 0 || (bytes[0] == '0' && at > 1)) {
        return -EPROTO;
    }
    *out_length = length;
    *out_bytes = at + 1;
    return 0;
}

int
shell_wire_whole(const char *bytes, size_t count, size_t bytes_max, size_t *out_bytes)
{
    size_t length = 0;
    size_t prefix = 0;
    int error = length_read(bytes, count, &length, &prefix);
    if (error < 0) {
        return error;
    }
    size_t whole = prefix + length + 1;
    if (whole > bytes_max) {
        return -EMSGSIZE;
    }
    if (count < whole) {
        return -EAGAIN;
    }
    if (bytes[whole - 1] != ',') {
        return -EPROTO;
    }
    *out_bytes = whole;
    return 0;
}

int
shell_wire_words(char *bytes, size_t count, const char **words, unsigned words_max,
                 unsigned *out_count)
{
    size_t length = 0;
    size_t prefix = 0;
    unsigned found = 0;
    if (length_read(bytes, count, &length, &prefix) < 0 || prefix + length + 1 != count) {
        return -EPROTO;
    }
    char *at = bytes + prefix;
    char *end = at + length;
    while (at < end) {
        if (found == words_max) {
            return -E2BIG;
        }
        int error = length_read(at, (size_t)(end - at), &length, &prefix);
        if (error < 0 || prefix + length + 1 > (size_t)(end - at)) {
            return -EPROTO;
        }
        char *word = at + prefix;
        at = word + length;
        if (*at != ',' || memchr(word, '\0', length) != NULL) {
            return -EPROTO;
        }
        *at++ = '\0';
        words[found++] = word;
    }
    *out_count = found;
    return 0;
}

static size_t
digits(size_t number)
{
    size_t count = 1;
    for (; number >= 10; number /= 10) {
        count++;
    }
    return count;
}

static size_t
netstring_bytes(size_t length)
{
    return digits(length) + 1 + length + 1;
}

static size_t
payload_bytes(const char *const *words, unsigned count)
{
    size_t bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        bytes += netstring_bytes(strlen(words[i]));
    }
    return bytes;
}

size_t
shell_wire_bytes(const char *const *words, unsigned count)
{
    return netstring_bytes(payload_bytes(words, count));
}

/* Returns where it ended. */
static char *
length_write(size_t length, char *out)
{
    size_t count = digits(length);
    for (size_t i = count; i > 0; i--) {
        out[i - 1] = (char)('0' + length % 10);
        length /= 10;
    }
    out[count] = ':';
    return out + count + 1;
}

void
shell_wire_write(const char *const *words, unsigned count, char *out)
{
    out = length_write(payload_bytes(words, count), out);
    for (unsigned i = 0; i < count; i++) {
        size_t length = strlen(words[i]);
        out = length_write(length, out);
        memcpy(out, words[i], length);
        out += length;
        *out++ = ',';
    }
    *out = ',';
}
