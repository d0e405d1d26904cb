/* SPDX-License-Identifier: Apache-2.0 */
#include "net/frame.h"

#include "tests/spec.h"

#include <string.h>

static const unsigned char key[FRAME_KEY_BYTES] = {0x37, 0xfa, 0x21, 0x3d};

static enum frame_verdict
verdict(const char *bytes)
{
    struct frame_header header;
    return frame_header_decode((const unsigned char *)bytes, &header);
}

static void
decodes_examples(void **state)
{
    (void)state;
    struct frame_header header;
    /* RFC 6455, 5.7: "Hello" plain and masked, a ping, 256 bytes and 64 KiB of binary. */
    assert_int_equal(frame_header_decode((const unsigned char *)"\x81\x05", &header), FRAME_OK);
    assert_true(header.fin && !header.masked && header.opcode == FRAME_TEXT);
    assert_int_equal(header.payload_bytes, 5);
    assert_int_equal(
        frame_header_decode((const unsigned char *)"\x81\x85\x37\xfa\x21\x3d", &header), FRAME_OK);
    assert_true(header.masked);
    assert_memory_equal(header.key, key, sizeof(key));
    assert_int_equal(frame_header_decode((const unsigned char *)"\x89\x05", &header), FRAME_OK);
    assert_int_equal(header.opcode, FRAME_PING);
    assert_int_equal(frame_header_decode((const unsigned char *)"\x82\x7e\x01\x00", &header),
                     FRAME_OK);
    assert_int_equal(header.payload_bytes, 256);
    assert_int_equal(
        frame_header_decode((const unsigned char *)"\x02\x7f\0\0\0\0\0\1\0\0", &header), FRAME_OK);
    assert_true(!header.fin && header.opcode == FRAME_BINARY);
    assert_int_equal(header.payload_bytes, 65536);
}

static void
refuses_reserved_bits(void **state)
{
    (void)state;
    assert_int_equal(verdict("\xc1\x05"), FRAME_RESERVED_BITS);
    assert_int_equal(verdict("\xa1\x05"), FRAME_RESERVED_BITS);
    assert_int_equal(verdict("\x91\x05"), FRAME_RESERVED_BITS);
    assert_int_equal(verdict("\x81\x05"), FRAME_OK);
}

static void
refuses_reserved_opcodes(void **state)
{
    (void)state;
    for (unsigned opcode = 0; opcode < 16; opcode++) {
        char bytes[] = {(char)(0x80 | opcode), 0};
        bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
        assert_int_equal(verdict(bytes), known ? FRAME_OK : FRAME_RESERVED_OPCODE);
    }
}

static void
refuses_bad_controls(void **state)
{
    (void)state;
    assert_int_equal(verdict("\x09\x05"), FRAME_CONTROL_FRAGMENTED);
    assert_int_equal(verdict("\x08\x05"), FRAME_CONTROL_FRAGMENTED);
    assert_int_equal(verdict("\x89\x7d"), FRAME_OK);
    assert_int_equal(verdict("\x89\x7e\x00\x7e"), FRAME_CONTROL_TOO_LONG);
    assert_int_equal(verdict("\x8a\x7f\0\0\0\0\0\1\0\0"), FRAME_CONTROL_TOO_LONG);
}

static void
refuses_long_forms(void **state)
{
    (void)state;
    assert_int_equal(verdict("\x82\x7e\x00\x7d"), FRAME_LENGTH_NOT_MINIMAL);
    assert_int_equal(verdict("\x82\x7e\x00\x7e"), FRAME_OK);
    assert_int_equal(verdict("\x82\x7f\0\0\0\0\0\0\xff\xff"), FRAME_LENGTH_NOT_MINIMAL);
    assert_int_equal(verdict("\x82\x7f\0\0\0\0\0\1\0\0"), FRAME_OK);
}

static void
refuses_the_64th_bit(void **state)
{
    (void)state;
    assert_int_equal(verdict("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"), FRAME_OK);
    assert_int_equal(verdict("\x82\x7f\x80\0\0\0\0\0\0\0"), FRAME_LENGTH_TOO_LARGE);
}

static void
leaves_out_untouched(void **state)
{
    (void)state;
    struct frame_header header = {.payload_bytes = 77};
    assert_int_equal(
        frame_header_decode((const unsigned char *)"\x82\x7f\x80\0\0\0\0\0\0\0", &header),
        FRAME_LENGTH_TOO_LARGE);
    assert_int_equal(header.payload_bytes, 77);
}

static void
encodes_what_it_decodes(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {0,     1,     125,     126,        127,      65535,
                                       65536, 65537, 1 << 20, UINT32_MAX, INT64_MAX};
    static const size_t bytes[] = {2, 2, 2, 4, 4, 4, 10, 10, 10, 10, 10};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (unsigned form = 0; form < 4; form++) {
            struct frame_header header = {.payload_bytes = lengths[i], .opcode = FRAME_BINARY};
            header.fin = (form & 1) != 0;
            header.masked = (form & 2) != 0;
            memcpy(header.key, key, header.masked ? sizeof(key) : 0);
            unsigned char encoded[FRAME_HEADER_BYTES_MAX];
            size_t used = frame_header_encode(&header, encoded);
            assert_int_equal(used, bytes[i] + (header.masked ? FRAME_KEY_BYTES : 0));
            assert_int_equal(frame_header_bytes(encoded), used);
            struct frame_header decoded;
            assert_int_equal(frame_header_decode(encoded, &decoded), FRAME_OK);
            assert_int_equal(decoded.payload_bytes, header.payload_bytes);
            assert_int_equal(decoded.opcode, header.opcode);
            assert_int_equal(decoded.fin, header.fin);
            assert_int_equal(decoded.masked, header.masked);
            assert_memory_equal(decoded.key, header.key, sizeof(key));
        }
    }
}

static void
masks_example(void **state)
{
    (void)state;
    unsigned char text[] = "Hello";
    frame_mask(text, text, 5, key, 0);
    assert_memory_equal(text, "\x7f\x9f\x4d\x51\x58", 5);
    frame_mask(text, text, 5, key, 0);
    assert_memory_equal(text, "Hello", 5);
}

static void
masks_any_piece(void **state)
{
    (void)state;
    unsigned char in[300];
    for (size_t i = 0; i < sizeof(in); i++) {
        in[i] = (unsigned char)(i * 7 + 3);
    }
    for (size_t offset = 0; offset < 9; offset++) {
        for (size_t count = 0; count + 8 < sizeof(in); count++) {
            unsigned char out[sizeof(in)];
            memset(out, 0xee, sizeof(out));
            const size_t shift = count % 8;
            frame_mask(out + shift, in, count, key, offset);
            for (size_t i = 0; i < count; i++) {
                if (out[shift + i] != (in[i] ^ key[(offset + i) % 4])) {
                    fail_msg("offset %zu, count %zu, byte %zu", offset, count, i);
                }
            }
            assert_int_equal(out[shift + count], 0xee);
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the headers of RFC 6455's examples are read", decodes_examples),
        SPEC("a reserved bit is refused", refuses_reserved_bits),
        SPEC("the ten reserved opcodes are refused, the six known are read",
             refuses_reserved_opcodes),
        SPEC("a control frame that is fragmented or over 125 bytes is refused",
             refuses_bad_controls),
        SPEC("a length not in its shortest form is refused", refuses_long_forms),
        SPEC("a length with the 64th bit is refused", refuses_the_64th_bit),
        SPEC("a refused header leaves the result untouched", leaves_out_untouched),
        SPEC("a header is written in the shortest form and read back the same",
             encodes_what_it_decodes),
        SPEC("RFC 6455's masked Hello is unmasked", masks_example),
        SPEC("a piece of any length at any offset is masked as byte by byte, and nothing beyond it",
             masks_any_piece),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
