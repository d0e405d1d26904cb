/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/io.h"
#include "tests/spec.h"

#include <errno.h>
#include <string.h>

static void
same_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "127.0.0.1:4222",
        "0.0.0.0:0",
        "255.255.255.255:65535",
        "[::1]:4222",
        "[::]:0",
        "[2001:db8::8:800:200c:417a]:80",
        "unix:/run/linnet/shell",
        "unix:shell",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct io_address address;
        char text[IO_ADDRESS_TEXT_MAX];
        assert_int_equal(io_address_parse(texts[i], &address), 0);
        io_address_print(&address, text);
        assert_string_equal(text, texts[i]);
    }
}

static void
shortest_ipv6(void **state)
{
    (void)state;
    struct io_address address;
    char text[IO_ADDRESS_TEXT_MAX];
    assert_int_equal(io_address_parse("[2001:0DB8:0:0:0:0:0:1]:1", &address), 0);
    io_address_print(&address, text);
    assert_string_equal(text, "[2001:db8::1]:1");
}

static void
refuses(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        ":",
        ":80",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:99999999999999999999",
        "127.0.0.1:-1",
        "127.0.0.1:+1",
        "127.0.0.1: 1",
        "127.0.0.1:1 ",
        "127.0.0.1:080",
        "127.0.0.1:0x50",
        "127.0.0:80",
        "127.0.0.256:80",
        "localhost:80",
        "*:80",
        "::1:80",
        "[::1]",
        "[::1]80",
        "[::1]:",
        "[::1",
        "[]:80",
        "[127.0.0.1]:80",
        "[fe80::1%lo]:80",
        "[1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111]:80",
        "unix:",
        "Unix:/x",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct io_address address;
        struct io_address untouched;
        memset(&address, 0xa5, sizeof(address));
        untouched = address;
        if (io_address_parse(texts[i], &address) != -EINVAL) {
            fail_msg("'%s' was taken", texts[i]);
        }
        assert_memory_equal(&address, &untouched, sizeof(address));
    }
}

static void
unix_length(void **state)
{
    (void)state;
    enum { PATH_MAX_BYTES = 107 };
    struct io_address address;
    char text[IO_ADDRESS_TEXT_MAX];
    char longest[sizeof("unix:") + PATH_MAX_BYTES + 1] = "unix:";
    memset(longest + strlen("unix:"), 'x', PATH_MAX_BYTES);
    assert_int_equal(io_address_parse(longest, &address), 0);
    io_address_print(&address, text);
    assert_string_equal(text, longest);
    longest[strlen("unix:") + PATH_MAX_BYTES] = 'x';
    assert_int_equal(io_address_parse(longest, &address), -EINVAL);
}

static void
prints_anything(void **state)
{
    (void)state;
    struct io_address address;
    char text[IO_ADDRESS_TEXT_MAX];
    memset(&address, 0xff, sizeof(address));
    io_address_print(&address, text);
    assert_string_equal(text, "unknown");
    memset(&address, 0, sizeof(address));
    io_address_print(&address, text);
    assert_string_equal(text, "unknown");
    assert_int_equal(io_address_parse("127.0.0.1:80", &address), 0);
    address.bytes = 3;
    io_address_print(&address, text);
    assert_string_equal(text, "unknown");
    /* A Unix peer that never bound its end: a family and nothing else. */
    assert_int_equal(io_address_parse("unix:/x", &address), 0);
    address.bytes = 2;
    io_address_print(&address, text);
    assert_string_equal(text, "unix:");
}

static bool
is_public(const char *text)
{
    struct io_address address;
    assert_int_equal(io_address_parse(text, &address), 0);
    return io_address_is_public(&address);
}

static void
tells_public(void **state)
{
    (void)state;
    static const char *const everybodys[] = {
        "1.1.1.1:1",    "100.63.255.255:1",   "100.128.0.0:1",        "172.15.255.255:1",
        "172.32.0.0:1", "192.167.255.255:1",  "192.169.0.0:1",        "198.17.255.255:1",
        "198.20.0.0:1", "223.255.255.255:1",  "[2606:4700::1]:1",     "[2001:200::1]:1",
        "[2a00::1]:1",  "[::ffff:1.1.1.1]:1", "[64:ff9b::101:101]:1", "[2002:101:101::]:1",
    };
    static const char *const ones_own[] = {
        "0.0.0.0:1",
        "0.1.2.3:1",
        "10.0.0.1:1",
        "100.64.0.0:1",
        "100.127.255.255:1",
        "127.0.0.1:1",
        "127.255.255.255:1",
        "169.254.169.254:1",
        "172.16.0.0:1",
        "172.31.255.255:1",
        "192.0.0.1:1",
        "192.0.2.1:1",
        "192.168.0.1:1",
        "198.18.0.1:1",
        "198.19.255.255:1",
        "198.51.100.1:1",
        "203.0.113.1:1",
        "224.0.0.1:1",
        "239.255.255.255:1",
        "240.0.0.1:1",
        "255.255.255.255:1",
        "[::]:1",
        "[::1]:1",
        "[::127.0.0.1]:1",
        "[fc00::1]:1",
        "[fdff::1]:1",
        "[fe80::1]:1",
        "[fec0::1]:1",
        "[ff02::1]:1",
        "[2001:db8::1]:1",
        "[2001::1]:1",
        "[100::1]:1",
        "[3fff::1]:1",
        "[4000::1]:1",
        "[::ffff:127.0.0.1]:1",
        "[::ffff:10.0.0.1]:1",
        "[64:ff9b::a00:1]:1",
        "[2002:7f00:1::]:1",
        "unix:/run/x",
    };
    for (size_t i = 0; i < sizeof everybodys / sizeof everybodys[0]; i++) {
        if (!is_public(everybodys[i])) {
            fail_msg("%s is everybody's", everybodys[i]);
        }
    }
    for (size_t i = 0; i < sizeof ones_own / sizeof ones_own[0]; i++) {
        if (is_public(ones_own[i])) {
            fail_msg("%s is not everybody's", ones_own[i]);
        }
    }
    struct io_address none = {0};
    assert_false(io_address_is_public(&none));
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an address prints as it was written", same_text),
        SPEC("an IPv6 address prints in its shortest form", shortest_ipv6),
        SPEC("what is no address is refused and leaves the result untouched", refuses),
        SPEC("a unix path may have 107 bytes and no more", unix_length),
        SPEC("an address that is none still prints", prints_anything),
        SPEC("addresses that everybody can reach are told from all others", tells_public),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
