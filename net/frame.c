/* SPDX-License-Identifier: Apache-2.0 */
/* The mask is applied sixteen bytes at a step with the compilers' portable vectors, four of them in
 * a row, so that a chat message takes a few nanoseconds; the key is turned to the piece's offset
 * once, before the loop. */
#include "net/frame.h"

#include <string.h>

enum {
    BIT_FIN = 0x80,
    BITS_RESERVED = 0x70,
    BITS_OPCODE = 0x0f,
    BIT_MASKED = 0x80,
    BITS_LENGTH = 0x7f,
    LENGTH_16 = 126, /* the length follows in 16 bits */
    LENGTH_64 = 127, /* the length follows in 64 bits */
};

static uint64_t
big_endian_read(const unsigned char *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static inline size_t
length_bytes(unsigned short_length)
{
    return short_length < LENGTH_16 ? 0 : short_length == LENGTH_16 ? 2 : 8;
}

size_t
frame_header_bytes(const unsigned char first[2])
{
    size_t key_bytes = (first[1] & BIT_MASKED) != 0 ? FRAME_KEY_BYTES : 0;
    return 2 + length_bytes(first[1] & BITS_LENGTH) + key_bytes;
}

static bool
opcode_known(unsigned opcode)
{
    const unsigned known = 1U << FRAME_CONTINUATION | 1U << FRAME_TEXT | 1U << FRAME_BINARY |
                           1U << FRAME_CLOSE | 1U << FRAME_PING | 1U << FRAME_PONG;
    return (known >> opcode & 1) != 0;
}

static enum frame_verdict
first_bytes_judge(const unsigned char *bytes)
{
    if ((bytes[0] & BITS_RESERVED) != 0) {
        return FRAME_RESERVED_BITS;
    }
    unsigned opcode = bytes[0] & BITS_OPCODE;
    if (!opcode_known(opcode)) {
        return FRAME_RESERVED_OPCODE;
    }
    if (frame_is_control((enum frame_opcode)opcode)) {
        if ((bytes[0] & BIT_FIN) == 0) {
            return FRAME_CONTROL_FRAGMENTED;
        }
        if ((bytes[1] & BITS_LENGTH) > FRAME_CONTROL_PAYLOAD_MAX) {
            return FRAME_CONTROL_TOO_LONG;
        }
    }
    return FRAME_OK;
}

static enum frame_verdict
length_decode(const unsigned char *bytes, uint64_t *out_bytes)
{
    unsigned short_length = bytes[1] & BITS_LENGTH;
    if (short_length < LENGTH_16) {
        *out_bytes = short_length;
        return FRAME_OK;
    }
    uint64_t length = big_endian_read(bytes + 2, length_bytes(short_length));
    uint64_t least = short_length == LENGTH_16 ? LENGTH_16 : UINT64_C(0x10000);
    if (length < least) {
        return FRAME_LENGTH_NOT_MINIMAL;
    }
    if (length > INT64_MAX) {
        return FRAME_LENGTH_TOO_LARGE;
    }
    *out_bytes = length;
    return FRAME_OK;
}

enum frame_verdict
frame_header_decode(const unsigned char *bytes, struct frame_header *out)
{
    enum frame_verdict verdict = first_bytes_judge(bytes);
    if (verdict != FRAME_OK) {
        return verdict;
    }
    uint64_t payload_bytes;
    verdict = length_decode(bytes, &payload_bytes);
    if (verdict != FRAME_OK) {
        return verdict;
    }
    out->payload_bytes = payload_bytes;
    out->opcode = (enum frame_opcode)(bytes[0] & BITS_OPCODE);
    out->fin = (bytes[0] & BIT_FIN) != 0;
    out->masked = (bytes[1] & BIT_MASKED) != 0;
    memset(out->key, 0, FRAME_KEY_BYTES);
    if (out->masked) {
        memcpy(out->key, bytes + 2 + length_bytes(bytes[1] & BITS_LENGTH), FRAME_KEY_BYTES);
    }
    return FRAME_OK;
}

/* The length in its shortest form, without the bit beside it; the number of bytes written. */
static size_t
length_encode(uint64_t length, unsigned char *out)
{
    if (length < LENGTH_16) {
        out[0] = (unsigned char)length;
        return 1;
    }
    if (length <= 0xffff) {
        out[0] = LENGTH_16;
        out[1] = (unsigned char)(length >> 8);
        out[2] = (unsigned char)length;
        return 3;
    }
    out[0] = LENGTH_64;
    for (unsigned i = 0; i < 8; i++) {
        out[1 + i] = (unsigned char)(length >> (56 - 8 * i));
    }
    return 9;
}

size_t
frame_header_encode(const struct frame_header *header, unsigned char out[FRAME_HEADER_BYTES_MAX])
{
    out[0] = (unsigned char)((header->fin ? BIT_FIN : 0) | header->opcode);
    size_t bytes = 1 + length_encode(header->payload_bytes, out + 1);
    if (header->masked) {
        out[1] |= BIT_MASKED;
        memcpy(out + bytes, header->key, FRAME_KEY_BYTES);
        bytes += FRAME_KEY_BYTES;
    }
    return bytes;
}

typedef uint64_t vector __attribute__((vector_size(16)));

static inline void
vector_mask(unsigned char *out, const unsigned char *in, vector pattern)
{
    vector piece;
    memcpy(&piece, in, sizeof(piece));
    piece ^= pattern;
    memcpy(out, &piece, sizeof(piece));
}

/* The key as it lies in memory from `offset` on, twice over. */
static uint64_t
pattern_make(const unsigned char *key, size_t offset)
{
    uint32_t word;
    memcpy(&word, key, sizeof(word));
    unsigned turn = (unsigned)(offset % FRAME_KEY_BYTES) * 8;
    if (turn != 0) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        word = word >> turn | word << (32 - turn);
#else
        word = word << turn | word >> (32 - turn);
#endif
    }
    return (uint64_t)word << 32 | word;
}

void
frame_mask(unsigned char *out, const unsigned char *in, size_t count,
           const unsigned char key[FRAME_KEY_BYTES], size_t offset)
{
    const uint64_t pattern = pattern_make(key, offset);
    const vector wide = {pattern, pattern};
    size_t i = 0;
    for (; count - i >= 64; i += 64) {
        vector_mask(out + i, in + i, wide);
        vector_mask(out + i + 16, in + i + 16, wide);
        vector_mask(out + i + 32, in + i + 32, wide);
        vector_mask(out + i + 48, in + i + 48, wide);
    }
    for (; count - i >= 16; i += 16) {
        vector_mask(out + i, in + i, wide);
    }
    for (; count - i >= 4; i += 4) {
        uint32_t word;
        memcpy(&word, in + i, sizeof(word));
        word ^= (uint32_t)pattern;
        memcpy(out + i, &word, sizeof(word));
    }
    /* Whole words were taken so far, so the key stands where it stood at the beginning. */
    unsigned char turned[sizeof(pattern)];
    memcpy(turned, &pattern, sizeof(pattern));
    for (size_t k = 0; i < count; i++, k++) {
        out[i] = in[i] ^ turned[k];
    }
}
