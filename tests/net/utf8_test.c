/* SPDX-License-Identifier: Apache-2.0 */
#include "net/utf8.h"

#include "tests/spec.h"

#include <string.h>

/* The same question, answered the slow way: by decoding to code points. */
static size_t
continuations_of(unsigned lead)
{
    if (lead < 0x80) {
        return 0;
    }
    return (lead >> 5) == 0x6 ? 1 : (lead >> 4) == 0xe ? 2 : (lead >> 3) == 0x1e ? 3 : SIZE_MAX;
}

static bool
decodes(const unsigned char *bytes, size_t count)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    size_t at = 0;
    while (at < count) {
        unsigned lead = bytes[at++];
        size_t more = continuations_of(lead);
        if (more > count - at) {
            return false;
        }
        uint32_t point = more == 0 ? lead : lead & (0x3fU >> more);
        for (size_t i = 0; i < more; i++) {
            if (bytes[at] >> 6 != 2) {
                return false;
            }
            point = point << 6 | (bytes[at++] & 0x3f);
        }
        if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
            return false;
        }
    }
    return true;
}

static bool
valid(const char *text)
{
    return utf8_valid((const unsigned char *)text, strlen(text));
}

static void
accepts_edges(void **state)
{
    (void)state;
    assert_true(valid(""));
    assert_true(valid("plain"));
    assert_true(valid("\x7f"));
    assert_true(valid("\xc2\x80 \xdf\xbf"));
    assert_true(valid("\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf"));
    assert_true(valid("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"));
    assert_true(utf8_valid((const unsigned char *)"\0", 1));
}

static void
refuses_overlong(void **state)
{
    (void)state;
    assert_false(valid("\xc0\xaf"));
    assert_false(valid("\xc1\xbf"));
    assert_false(valid("\xe0\x9f\xbf"));
    assert_false(valid("\xf0\x8f\xbf\xbf"));
}

static void
refuses_surrogates(void **state)
{
    (void)state;
    assert_false(valid("\xed\xa0\x80"));
    assert_false(valid("\xed\xbf\xbf"));
}

static void
refuses_beyond(void **state)
{
    (void)state;
    assert_false(valid("\xf4\x90\x80\x80"));
    assert_false(valid("\xf5\x80\x80\x80"));
    assert_false(valid("\xf8\x88\x80\x80\x80"));
    assert_false(valid("\xff"));
}

static void
refuses_lone(void **state)
{
    (void)state;
    assert_false(valid("\x80"));
    assert_false(valid("abcdefgh\xbf"));
    assert_false(valid("\xc2 "));
    assert_false(valid("\xe2\x82 "));
    assert_false(valid("\xf0\x9f\x98 "));
}

static void
refuses_cut(void **state)
{
    (void)state;
    assert_false(valid("\xc2"));
    assert_false(valid("\xe2\x82"));
    assert_false(valid("long enough for words \xf0\x9f\x98"));
}

static void
agrees_with_decoder(void **state)
{
    (void)state;
    /* All of four bytes where only the edges of Table 3-7 matter. */
    static const unsigned char edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                          0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
                                          0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
    enum { EDGES = sizeof(edges) };
    for (unsigned n = 0; n < EDGES * EDGES * EDGES * EDGES; n++) {
        unsigned char bytes[] = {edges[n % EDGES], edges[n / EDGES % EDGES],
                                 edges[n / EDGES / EDGES % EDGES],
                                 edges[n / EDGES / EDGES / EDGES]};
        for (size_t count = 1; count <= sizeof(bytes); count++) {
            unsigned char among[16] = "ASCII before";
            memcpy(among + 8, bytes, count);
            if (utf8_valid(bytes, count) != decodes(bytes, count) ||
                utf8_valid(among, sizeof(among)) != decodes(among, sizeof(among))) {
                fail_msg("%02x %02x %02x %02x, the first %zu", bytes[0], bytes[1], bytes[2],
                         bytes[3], count);
            }
        }
    }
}

static void
finds_any_byte(void **state)
{
    (void)state;
    unsigned char text[100];
    for (size_t count = 1; count <= sizeof(text); count++) {
        memset(text, 'a', sizeof(text));
        assert_true(utf8_valid(text, count));
        for (size_t at = 0; at < count; at++) {
            text[at] = 0xff;
            assert_false(utf8_valid(text, count));
            text[at] = 'a';
        }
    }
}

static void
cuts_do_not_matter(void **state)
{
    (void)state;
    static const char text[] =
        "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, "
        "τὸν δὲ μέγα προσέφη, 日本語のテキスト, \xf0\x9f\x98\x80\xf0\x9f\x91\x8d, end";
    const unsigned char *bytes = (const unsigned char *)text;
    const size_t count = sizeof(text) - 1;
    for (size_t first = 0; first <= count; first++) {
        for (size_t second = first; second <= count; second++) {
            struct utf8 utf8 = {0};
            assert_true(utf8_feed(&utf8, bytes, first));
            assert_true(utf8_feed(&utf8, bytes + first, second - first));
            assert_true(utf8_feed(&utf8, bytes + second, count - second));
            assert_true(utf8_complete(&utf8));
        }
    }
}

static void
refuses_at_once(void **state)
{
    (void)state;
    struct utf8 utf8 = {0};
    assert_true(utf8_feed(&utf8, (const unsigned char *)"\xf4", 1));
    assert_false(utf8_complete(&utf8));
    assert_false(utf8_feed(&utf8, (const unsigned char *)"\x90", 1));
}

static void
stays_refused(void **state)
{
    (void)state;
    struct utf8 utf8 = {0};
    assert_false(utf8_feed(&utf8, (const unsigned char *)"\xff", 1));
    assert_false(utf8_feed(&utf8, (const unsigned char *)"fine", 4));
    assert_false(utf8_feed(&utf8, (const unsigned char *)"", 0));
    for (unsigned byte = 0; byte <= 0xff; byte++) {
        unsigned char one = (unsigned char)byte;
        assert_false(utf8_feed(&utf8, &one, 1));
    }
    assert_false(utf8_complete(&utf8));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("the first and last character of each length are UTF-8", accepts_edges),
        SPEC("overlong forms are refused", refuses_overlong),
        SPEC("surrogates are refused", refuses_surrogates),
        SPEC("what lies beyond U+10FFFF is refused", refuses_beyond),
        SPEC("a continuation without its lead, and a lead without it, are refused", refuses_lone),
        SPEC("a text that ends within a character is not UTF-8", refuses_cut),
        SPEC("four bytes are UTF-8 exactly when they decode to code points", agrees_with_decoder),
        SPEC("one bad byte is found anywhere in a text of any length", finds_any_byte),
        SPEC("a text may be fed in pieces cut anywhere", cuts_do_not_matter),
        SPEC("bad text is refused at the first byte that nothing can mend", refuses_at_once),
        SPEC("once refused, a text stays refused", stays_refused),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
