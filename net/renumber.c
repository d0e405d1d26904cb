/* SPDX-License-Identifier: Apache-2.0 */
#include "net/renumber.h"

#include <string.h>

#include "net/decimal.h"

enum {
    VARINT_BYTES_MAX = 10,
    VARINT_MORE = 0x80,
    /* The inbox number is field 1 of every event that has one: its tag, a varint's. */
    NUMBER_TAG = 1 << 3,
    NUMBER_BYTES_MAX = DECIMAL_BYTES_MAX > VARINT_BYTES_MAX ? DECIMAL_BYTES_MAX : VARINT_BYTES_MAX,
};

static size_t
varint_write(uint64_t value, unsigned char *out)
{
    size_t bytes = 0;
    for (; value >= VARINT_MORE; value >>= 7) {
        out[bytes++] = (unsigned char)(value | VARINT_MORE);
    }
    out[bytes++] = (unsigned char)value;
    return bytes;
}

static size_t
number_write(enum protocol_form form, uint64_t number, unsigned char out[NUMBER_BYTES_MAX])
{
    return form == PROTOCOL_BINARY ? varint_write(number, out) : decimal_write(number, (char *)out);
}

/* Behind the event's own tag and length, and the number's tag. */
static size_t
find_binary(const unsigned char *frame, size_t bytes)
{
    size_t at = 0;
    for (unsigned varints = 0; varints < 2; at++) {
        if (at == bytes) {
            return 0;
        }
        varints += (frame[at] & VARINT_MORE) == 0;
    }
    return at < bytes && frame[at] == NUMBER_TAG ? at + 1 : 0;
}

/* Behind `{"newMessage":{"inboxNumber":"`, whatever the event's name. */
static size_t
find_json(const unsigned char *frame, size_t bytes)
{
    static const char key[] = ":{\"inboxNumber\":\"";
    const unsigned char *colon = memchr(frame, ':', bytes);
    size_t at = colon != NULL ? (size_t)(colon - frame) : bytes;
    bool found = bytes - at >= sizeof(key) - 1 && memcmp(frame + at, key, sizeof(key) - 1) == 0;
    return found ? at + sizeof(key) - 1 : 0;
}

bool
renumber_find(enum protocol_form form, const void *frame, size_t bytes, uint64_t number,
              size_t *out_at, size_t *out_bytes)
{
    unsigned char written[NUMBER_BYTES_MAX];
    size_t at = form == PROTOCOL_BINARY ? find_binary(frame, bytes) : find_json(frame, bytes);
    size_t count = number_write(form, number, written);
    const unsigned char *there = (const unsigned char *)frame + at;
    if (at == 0 || bytes - at <= count || memcmp(there, written, count) != 0 ||
        (form == PROTOCOL_JSON && there[count] != '"')) {
        return false;
    }
    *out_at = at;
    *out_bytes = count;
    return true;
}

bool
renumber(enum protocol_form form, void *at, size_t bytes, uint64_t number)
{
    unsigned char written[NUMBER_BYTES_MAX];
    if (number_write(form, number, written) != bytes) {
        return false;
    }
    memcpy(at, written, bytes);
    return true;
}
