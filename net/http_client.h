/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.h - asking an HTTP/1.1 server for something: a request as bytes, and what its
 * response says.
 *
 * One request at a time, over a stream of bytes that is the caller's: a socket, or what stands on
 * one (tls_client.h). The body of a response is read past; its first bytes are kept for a person.
 *
 *     error = http_client_write(&request, out, sizeof out, &count);      send these
 *     http_client_begin(&client);
 *     while ((verdict = http_client_input(&client, bytes, count)) == HTTP_CLIENT_MORE) ...
 *     if (verdict == HTTP_CLIENT_DONE)                  client.status, client.retry_after_s
 *         if (client.keeps)                             the stream takes another request
 *
 * Plain state without memory of its own; one thread. RFC 9112.
 */
#pragma once

#include "net/http.h"
#include "net/url.h"

enum {
    HTTP_CLIENT_BODY_BYTES_MAX = 64 << 10,
    HTTP_CLIENT_EXCERPT_BYTES = 96,
    HTTP_CLIENT_INTERIM_MAX = 8, /* of 1xx responses before the one that counts */
};

struct http_client_request {
    const char *method;
    const struct url *url;
    const char *fields; /* each "Name: value\r\n"; Host and Content-Length are written here */
    const void *body;
    size_t body_bytes;
};

/* The whole request. 0; -EINVAL: the method is no token; -ENOBUFS. */
MUST_CHECK int http_client_write(const struct http_client_request *request, char *out,
                                 size_t out_max, size_t *out_count);

enum http_client_verdict {
    HTTP_CLIENT_MORE,
    HTTP_CLIENT_DONE,
    HTTP_CLIENT_MALFORMED, /* this is no HTTP/1.1, or could be read in two ways */
    HTTP_CLIENT_TOO_LARGE, /* the body goes beyond HTTP_CLIENT_BODY_BYTES_MAX */
    HTTP_CLIENT_CUT,       /* the stream ended before the response did */
};

enum http_client_phase {
    HTTP_CLIENT_HEAD,
    HTTP_CLIENT_BODY,       /* `left` bytes of it */
    HTTP_CLIENT_UNTIL_END,  /* what comes until the stream ends */
    HTTP_CLIENT_CHUNK_SIZE, /* a line of a chunked body, likewise the others */
    HTTP_CLIENT_CHUNK,
    HTTP_CLIENT_CHUNK_END,
    HTTP_CLIENT_TRAILER,
    HTTP_CLIENT_OVER,
};

/* Embedded. The first five may be read, once it is DONE. */
struct http_client {
    uint16_t status;
    bool keeps;                              /* the stream may carry another request */
    uint64_t retry_after_s;                  /* Retry-After in seconds; 0: the field says none */
    uint64_t retry_at_s;                     /* Retry-After as a date, since 1970; 0: likewise */
    char excerpt[HTTP_CLIENT_EXCERPT_BYTES]; /* terminated; of the body, what is visible ASCII */
    uint8_t excerpt_bytes;
    uint8_t phase;
    uint8_t verdict;
    uint8_t interim; /* 1xx responses so far */
    uint16_t head_bytes;
    uint16_t line_bytes; /* of the line, while the body is chunked */
    uint64_t left;       /* bytes of the body or the chunk */
    uint64_t body_bytes; /* read so far */
    char head[HTTP_HEAD_BYTES_MAX];
};

/* A response is to come. */
void http_client_begin(struct http_client *client);

/* The next bytes of it. Once it is anything else than MORE it stays so; bytes behind the response,
 * for which nobody has asked, take `keeps` away. */
MUST_CHECK enum http_client_verdict http_client_input(struct http_client *client, const void *bytes,
                                                      size_t count);
/* The stream has ended. DONE or CUT, or what it was before. */
MUST_CHECK enum http_client_verdict http_client_end(struct http_client *client);

/* How long the server wants to be left alone, in milliseconds; 0: it does not say. `wall_ms` is
 * now, since 1970. */
uint64_t http_client_retry_after_ms(const struct http_client *client, uint64_t wall_ms);
