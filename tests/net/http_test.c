/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include "net/http_answer.h"
#include "tests/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST "Host: h\r\n"

/* Overwrites the beginning of `at`, without a terminator. */
static void
put(char *at, const char *what)
{
    while (*what != '\0') {
        *at++ = *what++;
    }
}

/* Parses all prefixes, each in memory of exactly its size: they must be incomplete, or say what the
 * whole says. */
static enum http_fault
parse_prefixes(const char *text, size_t count)
{
    struct http_request request;
    enum http_fault whole = http_request_parse(text, count, &request);
    for (size_t prefix = 0; prefix < count; prefix++) {
        char *copy = malloc(prefix + 1);
        assert_non_null(copy);
        memmove(copy + 1, text, prefix);
        enum http_fault fault = http_request_parse(copy + 1, prefix, &request);
        if (fault != HTTP_INCOMPLETE && fault != whole) {
            fail_msg("the first %zu bytes: %d, all: %d, of \"%s\"", prefix, (int)fault, (int)whole,
                     text);
        }
        free(copy);
    }
    return whole;
}

static enum http_fault
parse(const char *text, struct http_request *out)
{
    enum http_fault whole = parse_prefixes(text, strlen(text));
    assert_int_equal(http_request_parse(text, strlen(text), out), whole);
    return whole;
}

static enum http_fault
verdict(const char *text)
{
    struct http_request request;
    return parse(text, &request);
}

static void
reads_requests(void **state)
{
    (void)state;
    static const char text[] = "GET /chat?token=a?b HTTP/1.1\r\n"
                               "Host: example.org:4222\r\n"
                               "Accept:\r\n"
                               "X-Spaces: \t two words \t \r\n"
                               "X-Opaque: gr\xc3\xbc\xc3\x9f\r\n"
                               "\r\nrest";
    struct http_request request;
    struct http_text value;
    assert_int_equal(parse(text, &request), HTTP_OK);
    assert_false(request.head_only);
    assert_true(request.keep_alive);
    assert_int_equal(request.minor, 1);
    assert_true(http_text_is(request.path, "/chat"));
    assert_true(http_text_is(request.query, "token=a?b"));
    assert_true(http_text_is(request.host, "example.org:4222"));
    assert_string_equal(text + request.head.count, "rest");
    assert_int_equal(request.head.field_count, 4);
    assert_true(http_field(&request.head, "ACCEPT", &value) && value.count == 0);
    assert_true(http_field(&request.head, "x-spaces", &value));
    assert_true(http_text_is(value, "two words"));
    assert_true(http_field(&request.head, "x-opaque", &value));
    assert_true(http_text_is(value, "gr\xc3\xbc\xc3\x9f"));
    assert_false(http_field(&request.head, "x-spac", &value));
}

static void
reads_head_and_old(void **state)
{
    (void)state;
    struct http_request request;
    assert_int_equal(parse("HEAD / HTTP/1.0\r\n\r\n", &request), HTTP_OK);
    assert_true(request.head_only);
    assert_int_equal(request.minor, 0);
    assert_int_equal(request.host.count, 0);
    assert_int_equal(request.query.count, 0);
    assert_int_equal(parse("GET / HTTP/1.7\r\n" HOST "\r\n", &request), HTTP_OK);
    assert_int_equal(request.minor, 1);
    assert_int_equal(parse("\r\nGET / HTTP/1.1\r\n" HOST "\r\n", &request), HTTP_OK);
    assert_int_equal(verdict("\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"), HTTP_LINE_MALFORMED);
    assert_int_equal(verdict("\rGET / HTTP/1.1\r\n" HOST "\r\n"), HTTP_BARE_CR);
}

static void
waits_for_more(void **state)
{
    (void)state;
    assert_int_equal(verdict(""), HTTP_INCOMPLETE);
    assert_int_equal(verdict("\r"), HTTP_INCOMPLETE);
    assert_int_equal(verdict("GE"), HTTP_INCOMPLETE);
    assert_int_equal(verdict("GET /chat"), HTTP_INCOMPLETE);
    assert_int_equal(verdict("GET / HTTP/1.1\r"), HTTP_INCOMPLETE);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: h"), HTTP_INCOMPLETE);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: h\r\n\r"), HTTP_INCOMPLETE);
}

static void
reads_absolute_targets(void **state)
{
    (void)state;
    struct http_request request;
    assert_int_equal(parse("GET http://a.example:80/p?q HTTP/1.1\r\nHost: b\r\n\r\n", &request),
                     HTTP_OK);
    assert_true(http_text_is(request.host, "a.example:80"));
    assert_true(http_text_is(request.path, "/p"));
    assert_true(http_text_is(request.query, "q"));
    assert_int_equal(parse("GET HTTPS://[::1]?q HTTP/1.1\r\n" HOST "\r\n", &request), HTTP_OK);
    assert_true(http_text_is(request.path, "/"));
    assert_true(http_text_is(request.query, "q"));
    assert_int_equal(verdict("GET http:// HTTP/1.1\r\n" HOST "\r\n"), HTTP_HOST_MALFORMED);
    assert_int_equal(verdict("GET http:/// HTTP/1.1\r\n" HOST "\r\n"), HTTP_HOST_MALFORMED);
    assert_int_equal(verdict("GET http://u@h/ HTTP/1.1\r\n" HOST "\r\n"), HTTP_HOST_MALFORMED);
    assert_int_equal(verdict("GET ftp://h/ HTTP/1.1\r\n" HOST "\r\n"), HTTP_TARGET_MALFORMED);
}

static void
refuses_lines(void **state)
{
    (void)state;
    assert_int_equal(verdict(" GET / HTTP/1.1\r\n" HOST "\r\n"), HTTP_LINE_MALFORMED);
    assert_int_equal(verdict("GET\t/ HTTP/1.1\r\n" HOST "\r\n"), HTTP_LINE_MALFORMED);
    assert_int_equal(verdict("GET  / HTTP/1.1\r\n" HOST "\r\n"), HTTP_LINE_MALFORMED);
    assert_int_equal(verdict("GET /\r\n\r\n"), HTTP_LINE_MALFORMED);
    assert_int_equal(verdict("\x16\x03\x01\x02"), HTTP_LINE_MALFORMED); /* a TLS client */
    assert_int_equal(verdict("GET /a#b HTTP/1.1\r\n" HOST "\r\n"), HTTP_TARGET_MALFORMED);
    assert_int_equal(verdict("GET /\x80 HTTP/1.1\r\n" HOST "\r\n"), HTTP_TARGET_MALFORMED);
    assert_int_equal(verdict("GET /\x7f HTTP/1.1\r\n" HOST "\r\n"), HTTP_TARGET_MALFORMED);
    assert_int_equal(verdict("GET * HTTP/1.1\r\n" HOST "\r\n"), HTTP_TARGET_MALFORMED);
    assert_int_equal(verdict("GET chat HTTP/1.1\r\n" HOST "\r\n"), HTTP_TARGET_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.1 \r\n" HOST "\r\n"), HTTP_VERSION_MALFORMED);
    assert_int_equal(verdict("GET / http/1.1\r\n" HOST "\r\n"), HTTP_VERSION_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/x.1\r\n" HOST "\r\n"), HTTP_VERSION_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.x\r\n" HOST "\r\n"), HTTP_VERSION_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/11\r\n" HOST "\r\n"), HTTP_VERSION_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/2.0\r\n" HOST "\r\n"), HTTP_VERSION_UNSUPPORTED);
    assert_int_equal(verdict("GET / HTTP/0.9\r\n" HOST "\r\n"), HTTP_VERSION_UNSUPPORTED);
}

static void
refuses_methods(void **state)
{
    (void)state;
    assert_int_equal(verdict("POST / HTTP/1.1\r\n" HOST "\r\n"), HTTP_METHOD_REFUSED);
    assert_int_equal(verdict("CONNECT h:1 HTTP/1.1\r\n" HOST "\r\n"), HTTP_METHOD_REFUSED);
    assert_int_equal(verdict("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), HTTP_METHOD_REFUSED);
    assert_int_equal(verdict("get / HTTP/1.1\r\n" HOST "\r\n"), HTTP_METHOD_UNKNOWN);
    assert_int_equal(verdict("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), HTTP_METHOD_UNKNOWN);
    assert_int_equal(verdict("AAAAAAAAAAAAAAAAAAAAAAAA"), HTTP_METHOD_UNKNOWN);
}

static void
refuses_line_ends(void **state)
{
    (void)state;
    assert_int_equal(verdict("GET / HTTP/1.1\n" HOST "\r\n"), HTTP_BARE_LF);
    assert_int_equal(verdict("GET / HTTP/1.1\rHost: h\r\n\r\n"), HTTP_BARE_CR);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: h\n\r\n"), HTTP_BARE_LF);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: h\r\r\n\r\n"), HTTP_BARE_CR);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n"), HTTP_BARE_CR);
    assert_int_equal(verdict("GET / HTTP/1.1\r\n" HOST "\n"), HTTP_BARE_LF);
    assert_int_equal(verdict("GET / HTTP/1.1\r\n" HOST "\rX"), HTTP_BARE_CR);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost\n: h\r\n\r\n"), HTTP_BARE_LF);
}

static void
refuses_fields(void **state)
{
    (void)state;
    assert_int_equal(verdict("GET / HTTP/1.1\r\n Host: h\r\n\r\n"), HTTP_LINE_FOLDED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: h\r\n\tX: y\r\n\r\n"), HTTP_LINE_FOLDED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost : h\r\n\r\n"), HTTP_NAME_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\n: h\r\n\r\n"), HTTP_NAME_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost\r\n\r\n"), HTTP_NAME_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nH\xc3\xb6st: h\r\n\r\n"), HTTP_NAME_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nX: a\x01"
                             "b\r\n\r\n"),
                     HTTP_VALUE_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nX: a\x7f\r\n\r\n"), HTTP_VALUE_MALFORMED);
    static const char nul[] = "GET / HTTP/1.1\r\nX: a\0b\r\n\r\n";
    assert_int_equal(parse_prefixes(nul, sizeof(nul) - 1), HTTP_VALUE_MALFORMED);
    static const char nul_name[] = "GET / HTTP/1.1\r\nX\0: a\r\n\r\n";
    assert_int_equal(parse_prefixes(nul_name, sizeof(nul_name) - 1), HTTP_NAME_MALFORMED);
    static const char nul_target[] = "GET /\0 HTTP/1.1\r\n\r\n";
    assert_int_equal(parse_prefixes(nul_target, sizeof(nul_target) - 1), HTTP_TARGET_MALFORMED);
}

static void
refuses_repetitions(void **state)
{
    (void)state;
    static const char *const once[] = {
        "Host: h",         "Content-Length: 0",    "Authorization: Bearer a",
        "Origin: http://", "Sec-WebSocket-Key: k", "Sec-WebSocket-Version: 13",
    };
    for (size_t i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
        char text[200];
        const char *host = i == 0 ? "" : HOST;
        (void)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s%s\r\n\r\n", host, once[i]);
        assert_int_equal(verdict(text), HTTP_OK);
        (void)snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n%s%s\r\nx: y\r\n%s\r\n\r\n", host,
                       once[i], once[i]);
        assert_int_equal(verdict(text), HTTP_FIELD_REPEATED);
    }
    assert_int_equal(verdict("GET / HTTP/1.1\r\n" HOST "Cookie: a\r\ncookie: b\r\n\r\n"), HTTP_OK);
}

static void
refuses_hosts(void **state)
{
    (void)state;
    assert_int_equal(verdict("GET / HTTP/1.1\r\n\r\n"), HTTP_HOST_MISSING);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: \r\n\r\n"), HTTP_HOST_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), HTTP_HOST_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), HTTP_HOST_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.0\r\nHost: a\"\r\n\r\n"), HTTP_HOST_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: [::1]:4222\r\n\r\n"), HTTP_OK);
    assert_int_equal(verdict("GET / HTTP/1.1\r\nHost: 09azAZ-._~!$&'()*+,;=%\r\n\r\n"), HTTP_OK);
}

static void
refuses_bodies(void **state)
{
    (void)state;
    assert_int_equal(verdict("GET / HTTP/1.1\r\n" HOST "Content-Length: 00\r\n\r\n"), HTTP_OK);
    assert_int_equal(verdict("GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n"),
                     HTTP_BODY_REFUSED);
    assert_int_equal(
        verdict("GET / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n"),
        HTTP_BODY_REFUSED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\n" HOST "Content-Length: 0, 0\r\n\r\n"),
                     HTTP_LENGTH_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n"),
                     HTTP_LENGTH_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"),
                     HTTP_LENGTH_MALFORMED);
    assert_int_equal(verdict("GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"),
                     HTTP_BODY_REFUSED);
}

static void
bounds_fields(void **state)
{
    (void)state;
    char text[1024] = "GET / HTTP/1.1\r\n" HOST;
    for (unsigned i = 1; i < HTTP_FIELDS_MAX; i++) {
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "x%u: y\r\n", i);
    }
    size_t count = strlen(text);
    put(text + count, "\r\n");
    struct http_request request;
    struct http_text value;
    assert_int_equal(parse(text, &request), HTTP_OK);
    assert_int_equal(request.head.field_count, HTTP_FIELDS_MAX);
    assert_true(http_field(&request.head, "x63", &value));
    assert_false(http_field(&request.head, "x64", &value));
    assert_int_equal(http_field_count(&request.head, "x64"), 0);
    put(text + count, "one: more\r\n\r\n");
    assert_int_equal(verdict(text), HTTP_FIELDS_TOO_MANY);
}

static void
bounds_bytes(void **state)
{
    (void)state;
    static char text[HTTP_HEAD_BYTES_MAX + 100];
    struct http_request request;
    static const char begin[] = "GET / HTTP/1.1\r\n" HOST "x: ";
    memset(text, 'a', sizeof(text));
    put(text, begin);
    assert_int_equal(http_request_parse(text, HTTP_HEAD_BYTES_MAX - 1, &request), HTTP_INCOMPLETE);
    assert_int_equal(http_request_parse(text, HTTP_HEAD_BYTES_MAX, &request), HTTP_HEAD_TOO_LARGE);
    assert_int_equal(http_request_parse(text, sizeof(text), &request), HTTP_HEAD_TOO_LARGE);
    put(text + HTTP_HEAD_BYTES_MAX - 4, "\r\n\r\n");
    assert_int_equal(http_request_parse(text, sizeof(text), &request), HTTP_OK);
    assert_int_equal(request.head.count, HTTP_HEAD_BYTES_MAX);
    memset(text, 'a', sizeof(text));
    put(text, "GET /");
    assert_int_equal(http_request_parse(text, HTTP_HEAD_BYTES_MAX - 1, &request), HTTP_INCOMPLETE);
    assert_int_equal(http_request_parse(text, sizeof(text), &request), HTTP_TARGET_TOO_LONG);
}

static void
tells_keep_alive(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool keep_alive;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: x, Close\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_request request;
        assert_int_equal(parse(cases[i].text, &request), HTTP_OK);
        assert_int_equal(request.keep_alive, cases[i].keep_alive);
    }
}

static void
walks_lists(void **state)
{
    (void)state;
    struct http_request request;
    assert_int_equal(
        parse("GET / HTTP/1.1\r\n" HOST "L: a ,, \tb c,\r\nM: no\r\nl:\r\nL: ,d\r\n\r\n", &request),
        HTTP_OK);
    static const char *const expected[] = {"a", "b c", "d"};
    struct http_list list = {.head = &request.head, .name = "l"};
    struct http_text element;
    for (size_t i = 0; i < 3; i++) {
        assert_true(http_list_next(&list, &element));
        assert_true(http_text_is(element, expected[i]));
    }
    assert_false(http_list_next(&list, &element));
    assert_false(http_list_next(&list, &element));
    assert_true(http_field_lists(&request.head, "L", "D"));
    assert_false(http_field_lists(&request.head, "L", "no"));
    assert_false(http_field_lists(&request.head, "L", "b"));
    assert_int_equal(http_field_count(&request.head, "l"), 3);
}

static void
compares_names(void **state)
{
    (void)state;
    struct http_text text = {"AZaz09^", 7};
    assert_true(http_text_is(text, "AZaz09^"));
    assert_false(http_text_is(text, "azaz09^"));
    assert_true(http_text_is_nocase(text, "azAZ09^"));
    assert_false(http_text_is_nocase(text, "azAZ09~")); /* what bit 5 makes of '^' */
    assert_false(http_text_is_nocase(text, "azAZ09"));
    assert_true(http_token_valid((struct http_text){"!#$%&'*+-.^_`|~0189AZaz", 23}));
    assert_false(http_token_valid((struct http_text){"", 0}));
    static const char separators[] = "()<>@,;:\\\"/[]?={} \t\x7f\x80";
    for (size_t i = 0; i < sizeof(separators); i++) {
        assert_false(http_token_valid((struct http_text){&separators[i], 1}));
    }
}

static void
reads_responses(void **state)
{
    (void)state;
    struct http_response response;
    struct http_text value;
    static const char text[] = "HTTP/1.1 404 Not Found at all\r\nA: b\r\n\r\nbody";
    assert_int_equal(http_response_parse(text, sizeof(text) - 1, &response), HTTP_OK);
    assert_int_equal(response.status, 404);
    assert_string_equal(text + response.head.count, "body");
    assert_true(http_field(&response.head, "a", &value) && http_text_is(value, "b"));
    for (size_t i = 0; i + 4 < sizeof(text) - 1; i++) {
        assert_int_equal(http_response_parse(text, i, &response), HTTP_INCOMPLETE);
    }
    static const struct {
        const char *text;
        enum http_fault fault;
    } cases[] = {
        {"HTTP/1.1 200\r\n\r\n", HTTP_OK},
        {"HTTP/1.0 200 \r\n\r\n", HTTP_OK},
        {"HTTP/2.0 200 OK\r\n\r\n", HTTP_VERSION_UNSUPPORTED},
        {"SSH-2.0-OpenSSH\r\n", HTTP_STATUS_MALFORMED},
        {"HTTP/1.1 100 \r\n\r\n", HTTP_OK},
        {"HTTP/1.1 999 \r\n\r\n", HTTP_OK},
        {"HTTP/1.1 2x0 OK\r\n\r\n", HTTP_STATUS_MALFORMED},
        {"HTTP/1.1 20 OK\r\n\r\n", HTTP_STATUS_MALFORMED},
        {"HTTP/1.1 2000 OK\r\n\r\n", HTTP_STATUS_MALFORMED},
        {"HTTP/1.1 099 No\r\n\r\n", HTTP_STATUS_MALFORMED},
        {"HTTP/1.1 200 O\x01K\r\n\r\n", HTTP_STATUS_MALFORMED},
        {"HTTP/1.1 200 OK\n\r\n", HTTP_BARE_LF},
        {"HTTP/1.1 200 OK\rX", HTTP_BARE_CR},
        {"HTTP/1.1 200 OK\r\n a: b\r\n\r\n", HTTP_LINE_FOLDED},
        {"HTTP/1.1 200 OK\r\nSec-WebSocket-Accept: a\r\nSec-WebSocket-Accept: a\r\n\r\n",
         HTTP_FIELD_REPEATED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(http_response_parse(cases[i].text, strlen(cases[i].text), &response),
                         cases[i].fault);
    }
    static char large[HTTP_HEAD_BYTES_MAX];
    memset(large, 'a', sizeof(large));
    put(large, "HTTP/1.1 200 OK\r\n");
    assert_int_equal(http_response_parse(large, sizeof(large), &response), HTTP_HEAD_TOO_LARGE);
}

static void
writes_answers(void **state)
{
    (void)state;
    char out[512];
    size_t count;
    struct http_answer answer = http_text_answer(200, "ready\n");
    assert_int_equal(http_answer_write(&answer, out, sizeof(out), &count), 0);
    static const char closing[] = "HTTP/1.1 200 OK\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "Content-Length: 6\r\n"
                                  "Connection: close\r\n"
                                  "\r\n"
                                  "ready\n";
    assert_int_equal(count, sizeof(closing) - 1);
    assert_memory_equal(out, closing, count);
    answer.keep_alive = true;
    answer.head_only = true;
    answer.date_s = 784111777;
    answer.fields = "Retry-After: 5\r\n";
    assert_int_equal(http_answer_write(&answer, out, sizeof(out), &count), 0);
    static const char keeping[] = "HTTP/1.1 200 OK\r\n"
                                  "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "Content-Length: 6\r\n"
                                  "Connection: keep-alive\r\n"
                                  "Retry-After: 5\r\n"
                                  "\r\n";
    assert_int_equal(count, sizeof(keeping) - 1);
    assert_memory_equal(out, keeping, count);
    struct http_answer empty = {.status = 204};
    assert_int_equal(http_answer_write(&empty, out, sizeof(out), &count), 0);
    static const char nothing[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    assert_int_equal(count, sizeof(nothing) - 1);
    assert_memory_equal(out, nothing, count);
}

static void
writes_chunks(void **state)
{
    (void)state;
    char out[512];
    size_t count;
    struct http_answer answer = {.status = 200, .type = "text/plain", .chunked = true};
    assert_int_equal(http_answer_write(&answer, out, sizeof(out), &count), 0);
    static const char head[] = "HTTP/1.1 200 OK\r\n"
                               "Content-Type: text/plain\r\n"
                               "Transfer-Encoding: chunked\r\n"
                               "Connection: close\r\n"
                               "\r\n";
    assert_int_equal(count, sizeof(head) - 1);
    assert_memory_equal(out, head, count);
    static const struct {
        size_t bytes;
        const char *head;
    } chunks[] = {
        {0, "0\r\n"}, {15, "f\r\n"}, {65536, "10000\r\n"}, {SIZE_MAX, "ffffffffffffffff\r\n"}};
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        char text[HTTP_CHUNK_HEAD_BYTES];
        assert_int_equal(http_chunk_head_write(chunks[i].bytes, text), strlen(chunks[i].head));
        assert_string_equal(text, chunks[i].head);
    }
}

static void
tells_dates(void **state)
{
    (void)state;
    static const struct {
        int64_t date_s;
        const char *date;
    } cases[] = {
        {1, "Thu, 01 Jan 1970 00:00:01 GMT"},
        {951782399, "Mon, 28 Feb 2000 23:59:59 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {1767225599, "Wed, 31 Dec 2025 23:59:59 GMT"},
        {1767225600, "Thu, 01 Jan 2026 00:00:00 GMT"},
        {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    char out[512];
    size_t count;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_answer answer = {.status = 204, .date_s = cases[i].date_s};
        assert_int_equal(http_answer_write(&answer, out, sizeof(out), &count), 0);
        char expected[128];
        (void)snprintf(expected, sizeof(expected), "\r\nDate: %s\r\n", cases[i].date);
        assert_non_null(strstr(out, expected));
    }
    static const int64_t untold[] = {0, -1, 253402300800, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof(untold) / sizeof(untold[0]); i++) {
        struct http_answer answer = {.status = 204, .date_s = untold[i]};
        assert_int_equal(http_answer_write(&answer, out, sizeof(out), &count), 0);
        assert_null(strstr(out, "Date"));
    }
}

static void
answers_fit_or_fail(void **state)
{
    (void)state;
    char out[512];
    size_t whole;
    size_t count = 77;
    struct http_answer answer = http_text_answer(200, "ready\n");
    assert_int_equal(http_answer_write(&answer, out, sizeof(out), &whole), 0);
    for (size_t bytes = 0; bytes < whole; bytes++) {
        char *small = malloc(bytes + 1);
        assert_non_null(small);
        assert_int_equal(http_answer_write(&answer, small, bytes, &count), -ENOBUFS);
        assert_int_equal(count, 77);
        free(small);
    }
    answer.head_only = true;
    size_t head;
    assert_int_equal(http_answer_write(&answer, out, sizeof(out), &head), 0);
    assert_int_equal(http_answer_write(&answer, out, head + 1, &count), 0);
    assert_int_equal(http_answer_write(&answer, out, head, &count), -ENOBUFS);
    answer.head_only = false;
    /* snprintf's terminator needs a place only while the head is written */
    assert_int_equal(http_answer_write(&answer, out, whole, &count), 0);
    assert_int_equal(count, whole);
}

static void
answers_faults(void **state)
{
    (void)state;
    static const unsigned statuses[] = {400, 405, 413, 414, 431, 501, 502, 505};
    for (unsigned fault = HTTP_INCOMPLETE + 1; fault < HTTP_FAULTS; fault++) {
        struct http_answer answer = http_fault_answer((enum http_fault)fault);
        bool known = false;
        for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
            known = known || statuses[i] == answer.status;
        }
        assert_true(known);
        assert_false(answer.keep_alive);
        assert_string_not_equal(http_status_name(answer.status), "Unknown");
        assert_true(answer.body_bytes > 0 && answer.body[answer.body_bytes - 1] == '\n');
    }
    assert_non_null(strstr(http_fault_answer(HTTP_METHOD_REFUSED).fields, "Allow: GET, HEAD"));
    assert_string_equal(http_status_name(299), "Unknown");
    assert_int_equal(http_fault_status(HTTP_BODY_REFUSED), 413);
    assert_int_equal(http_fault_status(HTTP_METHOD_UNKNOWN), 501);
    assert_int_equal(http_fault_status(HTTP_VERSION_UNSUPPORTED), 505);
    assert_int_equal(http_fault_status(HTTP_HEAD_TOO_LARGE), 431);
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a request's path, query, host and fields are read", reads_requests),
        SPEC("HEAD, HTTP/1.0, a later HTTP/1.x and one empty line in front are understood",
             reads_head_and_old),
        SPEC("a request that is not all there is incomplete", waits_for_more),
        SPEC("an absolute target's host replaces the Host field", reads_absolute_targets),
        SPEC("a malformed request line is refused by its part", refuses_lines),
        SPEC("known methods but GET and HEAD are refused, others unknown", refuses_methods),
        SPEC("a carriage return or line feed alone is refused everywhere", refuses_line_ends),
        SPEC("folded lines, spaces before colons and bad characters are refused", refuses_fields),
        SPEC("fields that may come once are refused twice", refuses_repetitions),
        SPEC("HTTP/1.1 needs a host, and a host has no odd characters", refuses_hosts),
        SPEC("a body is refused however it is announced", refuses_bodies),
        SPEC("64 fields are read, 65 refused", bounds_fields),
        SPEC("a head of 8 KiB is read, a larger one refused", bounds_bytes),
        SPEC("the client's wish to keep the connection is told", tells_keep_alive),
        SPEC("a list goes over all fields of its name and skips empty elements", walks_lists),
        SPEC("names are compared without regard to the case of letters alone", compares_names),
        SPEC("a response's status and fields are read, malformed ones refused", reads_responses),
        SPEC("an answer is written for GET, HEAD, to close and to keep alive", writes_answers),
        SPEC("an answer whose length is not known comes in chunks", writes_chunks),
        SPEC("the date is told in the form of RFC 9110, leap years included", tells_dates),
        SPEC("an answer that does not fit is not written", answers_fit_or_fail),
        SPEC("each fault is answered with its status, a sentence and the end", answers_faults),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
