/* SPDX-License-Identifier: Apache-2.0 */
#include "net/base64.h"

#include <errno.h>
#include <string.h>

#include "tests/spec.h"

static void
writes_rfc_4648(void **state)
{
    (void)state;
    static const char *const vectors[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xFB\xFF\xFE", "+//+"},
    };
    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
        char text[16] = "";
        size_t count = strlen(vectors[i][0]);
        base64_encode(vectors[i][0], count, text);
        assert_string_equal(text, vectors[i][1]);
        assert_int_equal(base64_encoded_bytes(count), strlen(vectors[i][1]));
    }
}

static void
writes_url_safe(void **state)
{
    (void)state;
    static const char *const vectors[][2] = {
        {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"\xFB\xFF\xFE\xFB", "-__--w"},
    };
    for (size_t i = 0; i < sizeof(vectors) / sizeof(*vectors); i++) {
        char text[16] = "";
        size_t count = strlen(vectors[i][0]);
        base64url_encode(vectors[i][0], count, text);
        assert_string_equal(text, vectors[i][1]);
        assert_int_equal(base64url_encoded_bytes(count), strlen(vectors[i][1]));
    }
}

static void
reads_both_alphabets(void **state)
{
    (void)state;
    static const char *const texts[] = {"+//+Zg==", "+//+Zg", "-__-Zg==", "-__-Zg", "-//+Zg"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        char bytes[16];
        size_t count;
        assert_true(base64_decoded_bytes_max(strlen(texts[i])) <= sizeof(bytes));
        assert_int_equal(base64_decode(texts[i], strlen(texts[i]), bytes, &count), 0);
        assert_int_equal(count, 4);
        assert_memory_equal(bytes, "\xFB\xFF\xFE\x66", 4);
    }
}

static void
reads_nothing_else(void **state)
{
    (void)state;
    static const char *const texts[] = {"A",     "=",    "==",    "===",      "====",
                                        "A===",  "AA=",  "AAA==", "AA==AA==", "AB",
                                        "AB==",  "AAB",  "AAB=",  "AA A",     " AAA",
                                        "AAA\n", "AA.A", "AAAAA", "Zg==x",    "\xC3\xA4\xC3\xA4",
                                        "AAA{",  "AAA*", "AA,A"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        char bytes[16];
        size_t count = 77;
        assert_int_equal(base64_decode(texts[i], strlen(texts[i]), bytes, &count), -EINVAL);
        assert_int_equal(count, 77);
    }
}

static void
reads_what_it_wrote(void **state)
{
    (void)state;
    unsigned char bytes[100];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char)(i * 89 + 7);
    }
    for (size_t count = 0; count <= sizeof(bytes); count++) {
        char text[136];
        unsigned char again[105];
        size_t again_count;
        base64_encode(bytes, count, text);
        assert_int_equal(base64_decode(text, base64_encoded_bytes(count), again, &again_count), 0);
        assert_int_equal(again_count, count);
        assert_memory_equal(again, bytes, count);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the vectors of RFC 4648 are written to the letter", writes_rfc_4648),
        SPEC("the URL-safe alphabet is written without padding", writes_url_safe),
        SPEC("both alphabets are read, with and without padding", reads_both_alphabets),
        SPEC("bits left over, wrong padding, blanks and other characters are refused",
             reads_nothing_else),
        SPEC("what was written is read back, at every length", reads_what_it_wrote),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
