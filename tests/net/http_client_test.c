/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_client.h"
#include "net/http_date.h"

#include "tests/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct http_client client;

/* A response that comes in pieces of so many bytes. */
static enum http_client_verdict
hear_in(const char *text, size_t piece)
{
    enum http_client_verdict verdict = HTTP_CLIENT_MORE;
    size_t count = strlen(text);
    http_client_begin(&client);
    for (size_t at = 0; at < count; at += piece) {
        size_t now = count - at < piece ? count - at : piece;
        verdict = http_client_input(&client, text + at, now);
    }
    return verdict;
}

static enum http_client_verdict
hear(const char *text)
{
    return hear_in(text, strlen(text));
}

/* -------------------------------------------------------------------------------------- request */

static void
writes_request(void **state)
{
    (void)state;
    struct url url;
    static const char text[] = "https://push.example.net:8443/send?x";
    struct http_client_request request = {
        .method = "POST", .url = &url, .fields = "TTL: 60\r\n", .body = "hello", .body_bytes = 5};
    char out[256];
    size_t count = 0;
    assert_int_equal(url_parse(text, sizeof text - 1, &url), 0);
    assert_int_equal(http_client_write(&request, out, sizeof out, &count), 0);
    static const char expected[] = "POST /send?x HTTP/1.1\r\n"
                                   "Host: push.example.net:8443\r\n"
                                   "TTL: 60\r\n"
                                   "Content-Length: 5\r\n"
                                   "\r\n"
                                   "hello";
    assert_int_equal(count, sizeof expected - 1);
    assert_memory_equal(out, expected, count);
    for (size_t room = 0; room < sizeof expected - 1; room++) {
        assert_int_equal(http_client_write(&request, out, room, &count), -ENOBUFS);
    }
    request.method = "PO ST";
    assert_int_equal(http_client_write(&request, out, sizeof out, &count), -EINVAL);
}

/* ------------------------------------------------------------------------------------- response */

static void
reads_lengths(void **state)
{
    (void)state;
    static const char text[] = "HTTP/1.1 201 Created\r\n"
                               "Location: https://push.example.net/m/1\r\n"
                               "Content-Length: 5\r\n"
                               "\r\n"
                               "he\nlo";
    for (size_t piece = 1; piece < sizeof text; piece++) {
        assert_int_equal(hear_in(text, piece), HTTP_CLIENT_DONE);
        assert_int_equal(client.status, 201);
        assert_true(client.keeps);
        assert_string_equal(client.excerpt, "he lo");
    }
    for (size_t count = 1; count < sizeof text - 1; count++) {
        http_client_begin(&client);
        assert_int_equal(http_client_input(&client, text, count), HTTP_CLIENT_MORE);
        assert_int_equal(http_client_end(&client), HTTP_CLIENT_CUT);
    }
}

static void
reads_chunks(void **state)
{
    (void)state;
    static const char text[] = "HTTP/1.1 400 Bad Request\r\n"
                               "Transfer-Encoding: chunked\r\n"
                               "\r\n"
                               "5\r\nhello\r\n"
                               "00B;name=\"v\"\r\n to you all\r\n"
                               "0\r\n"
                               "Digest: none\r\n"
                               "\r\n";
    for (size_t piece = 1; piece < sizeof text; piece++) {
        assert_int_equal(hear_in(text, piece), HTTP_CLIENT_DONE);
        assert_int_equal(client.status, 400);
        assert_true(client.keeps);
        assert_string_equal(client.excerpt, "hello to you all");
    }
}

static void
reads_until_end(void **state)
{
    (void)state;
    assert_int_equal(hear("HTTP/1.1 200 OK\r\n\r\nhel"), HTTP_CLIENT_MORE);
    assert_int_equal(http_client_input(&client, "lo", 2), HTTP_CLIENT_MORE);
    assert_int_equal(http_client_end(&client), HTTP_CLIENT_DONE);
    assert_false(client.keeps);
    assert_string_equal(client.excerpt, "hello");
}

static void
has_no_body(void **state)
{
    (void)state;
    assert_int_equal(hear("HTTP/1.1 204 No Content\r\n\r\n"), HTTP_CLIENT_DONE);
    assert_true(client.keeps);
    assert_int_equal(hear("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"),
                     HTTP_CLIENT_DONE);
    assert_int_equal(hear("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"), HTTP_CLIENT_DONE);
}

static void
passes_over_interim(void **state)
{
    (void)state;
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n"
                               "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                               "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n";
    for (size_t piece = 1; piece < sizeof text; piece++) {
        assert_int_equal(hear_in(text, piece), HTTP_CLIENT_DONE);
        assert_int_equal(client.status, 410);
    }
    http_client_begin(&client);
    for (int i = 0; i < HTTP_CLIENT_INTERIM_MAX; i++) {
        assert_int_equal(http_client_input(&client, text, 25), HTTP_CLIENT_MORE);
    }
    assert_int_equal(http_client_input(&client, text, 25), HTTP_CLIENT_MALFORMED);
    assert_int_equal(hear("HTTP/1.1 101 Switching Protocols\r\n\r\n"), HTTP_CLIENT_MALFORMED);
}

static void
knows_when_to_close(void **state)
{
    (void)state;
    assert_int_equal(hear("HTTP/1.1 204 x\r\nConnection: close\r\n\r\n"), HTTP_CLIENT_DONE);
    assert_false(client.keeps);
    assert_int_equal(hear("HTTP/1.0 204 x\r\n\r\n"), HTTP_CLIENT_DONE);
    assert_false(client.keeps);
    assert_int_equal(hear("HTTP/1.0 204 x\r\nConnection: Keep-Alive\r\n\r\n"), HTTP_CLIENT_DONE);
    assert_true(client.keeps);
    assert_int_equal(hear("HTTP/1.1 204 x\r\n\r\nHTTP/1.1 200 unasked"), HTTP_CLIENT_DONE);
    assert_int_equal(client.status, 204);
    assert_false(client.keeps);
}

static void
refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "SMTP ready\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\nx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0000000001\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(hear(bad[i]), HTTP_CLIENT_MALFORMED);
        assert_int_equal(hear_in(bad[i], 1), HTTP_CLIENT_MALFORMED);
        assert_int_equal(http_client_end(&client), HTTP_CLIENT_MALFORMED);
    }
}

static void
is_bounded(void **state)
{
    (void)state;
    static char text[HTTP_CLIENT_BODY_BYTES_MAX + 64];
    memset(text, 'x', sizeof text);
    assert_int_equal(hear("HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n"),
                     HTTP_CLIENT_TOO_LARGE);
    assert_int_equal(hear("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10001\r\n"),
                     HTTP_CLIENT_TOO_LARGE);
    assert_int_equal(hear("HTTP/1.1 200 OK\r\n\r\n"), HTTP_CLIENT_MORE);
    assert_int_equal(http_client_input(&client, text, HTTP_CLIENT_BODY_BYTES_MAX),
                     HTTP_CLIENT_MORE);
    assert_int_equal(http_client_input(&client, text, 1), HTTP_CLIENT_TOO_LARGE);
    assert_int_equal(strlen(client.excerpt), HTTP_CLIENT_EXCERPT_BYTES - 1);
    assert_int_equal(hear("HTTP/1.1 200 OK\r\n"), HTTP_CLIENT_MORE);
    assert_int_equal(http_client_input(&client, text, HTTP_HEAD_BYTES_MAX), HTTP_CLIENT_MALFORMED);
    assert_int_equal(hear("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"),
                     HTTP_CLIENT_MORE);
    assert_int_equal(http_client_input(&client, text, 2000), HTTP_CLIENT_MALFORMED);
}

/* ---------------------------------------------------------------------------------- Retry-After */

static uint64_t
wait_of(const char *value, uint64_t wall_ms)
{
    char text[160];
    (void)snprintf(text, sizeof text,
                   "HTTP/1.1 503 x\r\nContent-Length: 0\r\nRetry-After: %s\r\n\r\n", value);
    assert_int_equal(hear(text), HTTP_CLIENT_DONE);
    return http_client_retry_after_ms(&client, wall_ms);
}

static void
reads_retry_after(void **state)
{
    (void)state;
    assert_int_equal(wait_of("120", 0), 120000);
    assert_int_equal(wait_of("0", 0), 0);
    assert_int_equal(wait_of("Sun, 06 Nov 1994 08:49:37 GMT", UINT64_C(784111770000)), 7000);
    assert_int_equal(wait_of("Sun, 06 Nov 1994 08:49:37 GMT", UINT64_C(784111778000)), 0);
    assert_int_equal(wait_of("soon", 5), 0);
    assert_int_equal(wait_of("-1", 5), 0);
    assert_int_equal(wait_of("1000000000000000", 5), 0);
}

static void
reads_dates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t seconds;
    } good[] = {
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Tue, 29 Feb 2000 12:00:00 GMT", 951825600},
        {"Thu, 31 Dec 2026 23:59:59 GMT", 1798761599},
        {"Mon, 01 Mar 2100 00:00:00 GMT", UINT64_C(4107542400)},
    };
    static const char *const bad[] = {
        "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 CET",  "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 2100 08:49:37 GMT",  "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",  "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",  "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",  "Sun, 06 Nov 1994 08.49.37 GMT",
        "Sun, 06 Nov 19x4 08:49:37 GMT",  "",
    };
    uint64_t seconds = 7;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct http_text text = {good[i].text, strlen(good[i].text)};
        assert_int_equal(http_date_parse(text, &seconds), 0);
        assert_int_equal(seconds, good[i].seconds);
    }
    seconds = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct http_text text = {bad[i], strlen(bad[i])};
        assert_int_equal(http_date_parse(text, &seconds), -EINVAL);
        assert_int_equal(seconds, 7);
    }
}

int
main(void)
{
    static const struct CMUnitTest specs[] = {
        SPEC("a request has its host, its length and the caller's fields", writes_request),
        SPEC("a body of a known length ends there, however it is cut", reads_lengths),
        SPEC("a chunked body ends with its trailer, however it is cut", reads_chunks),
        SPEC("a body without a length ends with the stream", reads_until_end),
        SPEC("204, 304 and a length of 0 have no body", has_no_body),
        SPEC("interim responses are passed over, up to a number; no switch", passes_over_interim),
        SPEC("a stream is used again only when both sides know where it stands",
             knows_when_to_close),
        SPEC("what could be read in two ways is malformed, and stays so", refuses),
        SPEC("heads, lines and bodies have longest lengths", is_bounded),
        SPEC("Retry-After is seconds or a date, or is not there", reads_retry_after),
        SPEC("dates are RFC 9110's, and exist", reads_dates),
    };
    return cmocka_run_group_tests(specs, NULL, NULL);
}
