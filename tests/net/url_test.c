/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"

#include "tests/spec.h"

#include <errno.h>
#include <string.h>

static struct url
parse(const char *text)
{
    struct url url = {0};
    assert_int_equal(url_parse(text, strlen(text), &url), 0);
    return url;
}

static void
takes_apart(void **state)
{
    (void)state;
    struct url url = parse("https://push.example.net:8443/send/a%20b?d=1&e");
    assert_true(url.tls);
    assert_int_equal(url.port, 8443);
    assert_true(http_text_is(url.host, "push.example.net"));
    assert_true(http_text_is(url.authority, "push.example.net:8443"));
    assert_true(http_text_is(url.target, "/send/a%20b?d=1&e"));
}

static void
fills_in(void **state)
{
    (void)state;
    struct url url = parse("HTTP://h");
    assert_false(url.tls);
    assert_int_equal(url.port, 80);
    assert_true(http_text_is(url.target, "/"));
    url = parse("https://h/");
    assert_int_equal(url.port, 443);
}

static void
takes_addresses(void **state)
{
    (void)state;
    struct url url = parse("http://[::1]:4222/x");
    assert_true(http_text_is(url.host, "::1"));
    assert_true(http_text_is(url.authority, "[::1]:4222"));
    assert_int_equal(url.port, 4222);
    assert_true(url_host_is_address(&url));
    url = parse("http://127.0.0.1/");
    assert_true(url_host_is_address(&url));
    url = parse("http://2130706433/");
    assert_true(url_host_is_address(&url));
    url = parse("http://a1/");
    assert_false(url_host_is_address(&url));
    url = parse("http://10.0.0.example/");
    assert_false(url_host_is_address(&url));
}

static void
refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "https://",
        "https:///path",
        "ftp://host/",
        "//host/",
        "host/path",
        "https://user@host/",
        "https://user:pass@host/",
        "https://host:0/",
        "https://host:65536/",
        "https://host:/",
        "https://host:1x/",
        "https://host:000000443/",
        "https://host?query",
        "https://host/#fragment",
        "https://host/a b",
        "https://host/a\r\nX: y",
        "https://host/\x80",
        "https://ho st/",
        "https://h\xc3\xb6st/",
        "https://-host/",
        "https://.host/",
        "https://[::1/",
        "https://[]/",
        "https://[12]/",
        "https://[::1]x/",
        "https://[fe80::1%25eth0]/",
    };
    struct url url;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(url_parse(bad[i], strlen(bad[i]), &url), -EINVAL);
    }
}

static void
is_bounded(void **state)
{
    (void)state;
    struct url url;
    char text[URL_BYTES_MAX + 2];
    memset(text, 'a', sizeof text);
    memcpy(text, "https://h/", 10);
    assert_int_equal(url_parse(text, URL_BYTES_MAX, &url), 0);
    assert_int_equal(url_parse(text, URL_BYTES_MAX + 1, &url), -EMSGSIZE);
    memset(text, 'a', sizeof text);
    memcpy(text, "https://", 8);
    assert_int_equal(url_parse(text, 8 + URL_HOST_BYTES_MAX, &url), 0);
    assert_int_equal(url_parse(text, 8 + URL_HOST_BYTES_MAX + 1, &url), -EINVAL);
}

static void
tells_servers_apart(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"HTTPS://Push.Example.NET/x", "https://push.example.net"},
        {"https://h:443/x", "https://h"},
        {"https://h:80/x", "https://h:80"},
        {"http://h:80", "http://h"},
        {"http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char origin[URL_ORIGIN_BYTES];
        struct url url = parse(pairs[i][0]);
        url_origin(&url, origin);
        assert_string_equal(origin, pairs[i][1]);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a URL is taken apart as it stands", takes_apart),
        SPEC("port and path that are not given are the scheme's own", fills_in),
        SPEC("numeric addresses are told from names", takes_addresses),
        SPEC("what could mean two things, or break a request line, is refused", refuses),
        SPEC("a URL has a longest length, and so has its host", is_bounded),
        SPEC("an origin names a server in one way only", tells_servers_apart),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
