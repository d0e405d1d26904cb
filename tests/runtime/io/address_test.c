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

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("an address prints as it was written", same_text),
        SPEC("an IPv6 address prints in its shortest form", shortest_ipv6),
        SPEC("what is no address is refused and leaves the result untouched", refuses),
        SPEC("a unix path may have 107 bytes and no more", unix_length),
        SPEC("an address that is none still prints", prints_anything),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
