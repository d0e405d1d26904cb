/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_frame.c - bytes from a hostile peer: must be heard the same however they are cut, within the
 * limits (talk.c checks them), and never crash. The first byte of the input chooses role, rules and
 * state; the second seeds the cuts. When the third bit of the first is set the rest is taken as a
 * script of frames, so that the deeper states are met although nobody guesses masks. */
#include "net/frame.h"
#include "net/utf8.h"
#include "tests/net/talk.h"

#include <stdlib.h>
#include <string.h>

enum { CUTS = 4 };

static const struct websocket_rules rules[] = {
    {.frame_bytes_max = 300, .message_bytes_max = 500},
    {.frame_bytes_max = 70000, .message_bytes_max = 70000},
    {.frame_bytes_max = 1000, .message_bytes_max = 1000, .text_refused = true},
    {.frame_bytes_max = 0, .message_bytes_max = 0, .binary_refused = true},
};

/* Each step: a byte of FIN, RSV and opcode as on the wire, one of length in units, then the payload
 * as far as it goes. */
static void
script_say(struct talk *talk, const uint8_t *data, size_t size)
{
    while (size >= 2 && talk->count < TALK_BYTES_MAX / 4) {
        struct frame_header header = {
            .opcode = (enum frame_opcode)(data[0] & 0x7f),
            .fin = (data[0] & 0x80) != 0,
            .masked = talk->from == WEBSOCKET_CLIENT,
            .key = {data[0], data[1], 7, 9},
        };
        size_t count = data[1];
        data += 2;
        size -= 2;
        header.payload_bytes = count < size ? count : size;
        say_frame(talk, &header, data);
        data += header.payload_bytes;
        size -= (size_t)header.payload_bytes;
    }
}

static void
cuts_compare(struct hearing *hearing, const unsigned char *bytes, size_t count, uint8_t seed)
{
    hearing->cuts = 0;
    char *whole = heard(hearing, bytes, count);
    for (uint64_t i = 1; i <= CUTS; i++) {
        hearing->cuts = i == 1 ? 1 : i + (uint64_t)seed * CUTS;
        char *cut = heard(hearing, bytes, count);
        ASSERT(strcmp(whole, cut) == 0);
        free(cut);
    }
    free(whole);
}

/* A header that is read must be what is written, but for the reserved bits of its opcode byte. */
static void
header_compare(const uint8_t *data, size_t size)
{
    struct frame_header header;
    if (size < 2 || size < frame_header_bytes(data) ||
        frame_header_decode(data, &header) != FRAME_OK) {
        return;
    }
    unsigned char encoded[FRAME_HEADER_BYTES_MAX];
    size_t bytes = frame_header_encode(&header, encoded);
    ASSERT(bytes == frame_header_bytes(data));
    ASSERT(memcmp(encoded, data, bytes) == 0);
}

/* Whole and cut in two the answer is the same, and a mask put on twice is none. */
static void
text_compare(const uint8_t *data, size_t size, uint8_t seed)
{
    size_t cut = size * seed / 256;
    struct utf8 utf8 = {0};
    bool first = utf8_feed(&utf8, data, cut);
    bool second = utf8_feed(&utf8, data + cut, size - cut);
    ASSERT(first || !second);
    ASSERT(utf8_valid(data, size) == (second && utf8_complete(&utf8)));

    unsigned char *copy = malloc(size + 1);
    ASSERT(copy != NULL);
    const unsigned char key[FRAME_KEY_BYTES] = {seed, 1, 2, 3};
    frame_mask(copy, data, cut, key, 0);
    frame_mask(copy + cut, data + cut, size - cut, key, cut);
    frame_mask(copy, copy, size, key, 0);
    ASSERT(size == 0 || memcmp(copy, data, size) == 0);
    free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct hearing hearing = {
        .rules = &rules[data[0] >> 4 & 3],
        .role = data[0] & 1 ? WEBSOCKET_CLIENT : WEBSOCKET_SERVER,
        .closing = (data[0] & 2) != 0,
    };
    uint8_t seed = data[1];
    if ((data[0] & 4) != 0) {
        struct talk talk = {.from = data[0] & 1 ? WEBSOCKET_SERVER : WEBSOCKET_CLIENT};
        script_say(&talk, data + 2, size - 2);
        cuts_compare(&hearing, talk.bytes, talk.count, seed);
        talk_fini(&talk);
    } else {
        cuts_compare(&hearing, data + 2, size - 2, seed);
    }
    header_compare(data + 2, size - 2);
    text_compare(data + 2, size - 2, seed);
    return 0;
}
