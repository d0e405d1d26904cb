/* SPDX-License-Identifier: Apache-2.0 */
/* frame.h - the envelope of RFC 6455, section 5.2: a header of 2 to 14 bytes before each payload,
 * and the mask.
 *
 *      0               1               2 ... 9                     then
 *     +-+---+-------+ +-+-------------+ +-----------------------+ +-----------+ +------------ -
 *     |F|RSV|opcode | |M| length      | | length when 126: 16,  | | mask key  | | payload
 *     | |   |       | | | 0..125      | | when 127: 64 bits     | | when M: 4 | |
 *     +-+---+-------+ +-+-------------+ +-----------------------+ +-----------+ +------------ -
 *
 *     if (count < 2 || count < frame_header_bytes(bytes))
 *         ...not yet all of it
 *     switch (frame_header_decode(bytes, &header)) ...
 *
 * What can be judged without knowing the conversation is judged here: reserved bits, opcodes, the
 * shortest form of the length, the bounds of control frames. Who must mask, and what may follow
 * what, is for websocket.h. Plain functions on plain bytes; any thread.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_opcode {
    FRAME_CONTINUATION = 0,
    FRAME_TEXT = 1,
    FRAME_BINARY = 2,
    FRAME_CLOSE = 8,
    FRAME_PING = 9,
    FRAME_PONG = 10,
};

enum {
    FRAME_HEADER_BYTES_MAX = 14,
    FRAME_KEY_BYTES = 4,
    FRAME_CONTROL_PAYLOAD_MAX = 125, /* RFC 6455, 5.5: so that control frames are never cut */
};

struct frame_header {
    uint64_t payload_bytes;
    enum frame_opcode opcode;
    bool fin; /* the last frame of its message */
    bool masked;
    unsigned char key[FRAME_KEY_BYTES]; /* zero unless masked */
};

enum frame_verdict {
    FRAME_OK,
    FRAME_RESERVED_BITS,   /* RSV1..3 set: they belong to extensions, and none is ever agreed on */
    FRAME_RESERVED_OPCODE, /* 3..7, 11..15 */
    FRAME_CONTROL_FRAGMENTED, /* close, ping and pong come in one piece */
    FRAME_CONTROL_TOO_LONG,   /* over FRAME_CONTROL_PAYLOAD_MAX */
    FRAME_LENGTH_NOT_MINIMAL, /* 126 or 127 where a shorter form would do */
    FRAME_LENGTH_TOO_LARGE,   /* the 64th bit is set */
};

static inline bool
frame_is_control(enum frame_opcode opcode)
{
    return (opcode & 8) != 0;
}

/* How long the header is that begins with these two bytes, whatever else is wrong with it:
 * 2..14. */
size_t frame_header_bytes(const unsigned char first[2]);

/* Reads a header of which all frame_header_bytes() are there. *out is untouched unless FRAME_OK. */
MUST_CHECK enum frame_verdict frame_header_decode(const unsigned char *bytes,
                                                  struct frame_header *out);

/* Writes the header in its shortest form; the number of bytes written, 2..14. The key is written
 * when masked. */
size_t frame_header_encode(const struct frame_header *header,
                           unsigned char out[FRAME_HEADER_BYTES_MAX]);

/* Masks or unmasks: out[i] = in[i] ^ key[(offset + i) % 4]. `offset` is where in its payload the
 * piece begins. `in` and `out` are the same place or do not overlap. */
void frame_mask(unsigned char *out, const unsigned char *in, size_t count,
                const unsigned char key[FRAME_KEY_BYTES], size_t offset);
