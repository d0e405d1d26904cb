/* SPDX-License-Identifier: Apache-2.0 */
/* http_head.h - the header fields of an HTTP/1.1 message: their grammar, kept strictly, and how to
 * ask for them.
 *
 * Requests and responses (http.h) share this half. Nothing is copied: a head is a table of places
 * in the bytes it was read from, which are borrowed for as long as it is used, and must stay where
 * they are.
 *
 *     struct http_text key;
 *     if (http_field(&request.head, "sec-websocket-key", &key)) ...
 *     if (http_field_lists(&request.head, "connection", "upgrade")) ...
 *
 * RFC 9112 lets a server be lenient with line ends, folded lines and spaces; leniency is how
 * requests are smuggled past proxies, so each is refused here. Plain functions on plain bytes; any
 * thread.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_HEAD_BYTES_MAX = 8192, /* browsers with cookies stay below; places fit 16 bits */
    HTTP_FIELDS_MAX = 64,       /* a browser sends about 20, proxies add some */
};

/* What is wrong with a message. Each has a status to answer with and a sentence that names it
 * (http.h). */
enum http_fault {
    HTTP_OK,
    HTTP_INCOMPLETE, /* nothing is wrong so far: more bytes are needed */
    HTTP_LINE_MALFORMED,
    HTTP_METHOD_UNKNOWN,
    HTTP_METHOD_REFUSED,
    HTTP_TARGET_MALFORMED,
    HTTP_TARGET_TOO_LONG,
    HTTP_VERSION_MALFORMED,
    HTTP_VERSION_UNSUPPORTED,
    HTTP_STATUS_MALFORMED,
    HTTP_BARE_CR,
    HTTP_BARE_LF,
    HTTP_LINE_FOLDED,
    HTTP_NAME_MALFORMED,
    HTTP_VALUE_MALFORMED,
    HTTP_HEAD_TOO_LARGE,
    HTTP_FIELDS_TOO_MANY,
    HTTP_FIELD_REPEATED,
    HTTP_HOST_MISSING,
    HTTP_HOST_MALFORMED,
    HTTP_LENGTH_MALFORMED,
    HTTP_BODY_REFUSED,
    HTTP_FAULTS,
};

/* A piece of the message; not terminated. */
struct http_text {
    const char *bytes;
    size_t count;
};

/* Places in the head. */
struct http_field {
    uint16_t name_at, name_bytes, value_at, value_bytes;
};

struct http_head {
    const char *bytes; /* borrowed */
    uint16_t count;    /* of the head, with the empty line that ends it */
    uint16_t field_count;
    struct http_field fields[HTTP_FIELDS_MAX];
};

/* Reads the field lines and the empty line from `at` on; head->bytes is set. The verdict on a
 * prefix of the bytes is HTTP_INCOMPLETE or the verdict on all of them. */
MUST_CHECK enum http_fault http_head_parse(struct http_head *head, size_t at, size_t count);

/* The value of the first field of that name, without the spaces around it; names are compared as
 * ASCII without regard to case. False: there is none, and *out is untouched. */
bool http_field(const struct http_head *head, const char *name, struct http_text *out);

/* How many fields have that name. */
unsigned http_field_count(const struct http_head *head, const char *name);

/* Walks the comma-separated elements of all fields of that name, as if they were one; empty ones
 * are skipped.
 *
 *     struct http_list list = {.head = &head, .name = "sec-websocket-protocol"};
 *     while (http_list_next(&list, &element)) ... */
struct http_list {
    const struct http_head *head;
    const char *name;
    uint16_t field, at; /* where to go on: zero is the beginning */
};
bool http_list_next(struct http_list *list, struct http_text *out);

/* True when such a list has this element, without regard to case. */
bool http_field_lists(const struct http_head *head, const char *name, const char *element);

/* RFC 9110, 5.6.2: what names, methods and subprotocols are made of; one character at least. */
bool http_token_valid(struct http_text text);
/* Compares with a terminated text: exactly, and as ASCII without regard to case. */
bool http_text_is(struct http_text text, const char *other);
bool http_text_is_nocase(struct http_text text, const char *other);
