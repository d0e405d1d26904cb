/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - as much of HTTP/1.1 as a WebSocket server and its client need to read: the heads of
 * requests and responses.
 *
 *     switch (fault = http_request_parse(bytes, count, &request)) {
 *     case HTTP_INCOMPLETE:
 *         ...ask again when more has come, with all bytes from the start
 *     case HTTP_OK:
 *         ...request.path, request.head; what follows begins at bytes + request.head.count
 *     default:
 *         answer = http_fault_answer(fault);      (http_answer.h) and the connection is over
 *     }
 *
 * Only GET and HEAD are served, and no request has a body. Borrowed pieces point into the parsed
 * bytes. No state, no memory; any thread.
 */
#pragma once

#include "net/http_head.h"
#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_request {
    bool head_only;         /* HEAD rather than GET */
    bool keep_alive;        /* what the client wishes */
    uint8_t minor;          /* of the version: 0 or 1 */
    struct http_text path;  /* begins with '/'; as it was sent, nothing is decoded */
    struct http_text query; /* behind the '?', count 0 when there is none */
    struct http_text host;  /* of an absolute target, else of the Host field; count 0: none */
    struct http_head head;
};

/* HTTP_OK, HTTP_INCOMPLETE, or what is wrong; *out is good only after HTTP_OK. The verdict on a
 * prefix is HTTP_INCOMPLETE or the verdict on the whole. A head that does not end within
 * HTTP_HEAD_BYTES_MAX is too large. */
MUST_CHECK enum http_fault http_request_parse(const char *bytes, size_t count,
                                              struct http_request *out);

struct http_response {
    uint16_t status;
    uint8_t minor;
    struct http_head head;
};

/* The same for the head of a response, on the client's side. */
MUST_CHECK enum http_fault http_response_parse(const char *bytes, size_t count,
                                               struct http_response *out);

/* The status to answer with, 400 and up; a sentence that says what was wrong. Not for HTTP_OK and
 * HTTP_INCOMPLETE. */
unsigned http_fault_status(enum http_fault fault);
const char *http_fault_text(enum http_fault fault);
