/* SPDX-License-Identifier: Apache-2.0 */
/* http_answer.h - writes the responses of a server that says little: a status, some fields, a short
 * body.
 *
 *     struct http_answer answer = http_text_answer(404, "there is no such page\n");
 *     answer.head_only = request.head_only;
 *     answer.keep_alive = request.keep_alive;
 *     rc = http_answer_write(&answer, out, out_bytes, &used);
 *
 * All texts are borrowed until it is written. No state, no memory; any thread.
 */
#pragma once

#include "net/http_head.h"
#include "runtime/check.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero means: empty body of no type, no further fields, no date, and the connection ends. */
struct http_answer {
    unsigned status;
    const char *type;   /* Content-Type, NULL when the body is empty */
    const char *fields; /* further field lines, each with its CRLF; NULL: none */
    const char *body;
    size_t body_bytes;
    int64_t date_s; /* seconds since 1970, for the Date field; 0: none */
    bool head_only; /* to HEAD: all but the body */
    bool keep_alive;
    bool chunked; /* the body is none of this: it follows, as http_chunk_head_write has it */
};

/* What stands before each chunk of a body, whose bytes follow and then CRLF; a chunk of no bytes
 * ends it, likewise (RFC 9112, 7.1). Returns its length. */
enum { HTTP_CHUNK_HEAD_BYTES = 2 * sizeof(size_t) + 2 + 1 };
size_t http_chunk_head_write(size_t bytes, char out[HTTP_CHUNK_HEAD_BYTES]);

/* The answer to a broken request: its status and sentence, as plain text. */
struct http_answer http_fault_answer(enum http_fault fault);
/* A plain text answer; `text` is borrowed and ends with a newline. */
struct http_answer http_text_answer(unsigned status, const char *text);

/* Writes the head, and the body unless head_only. 0, or -ENOBUFS with nothing promised about
 * `out`. */
MUST_CHECK int http_answer_write(const struct http_answer *answer, char *out, size_t out_bytes,
                                 size_t *out_count);
/* Writes the head alone, for a body that is sent by reference. */
MUST_CHECK int http_answer_head_write(const struct http_answer *answer, char *out, size_t out_bytes,
                                      size_t *out_count);

/* "Not Found"; "Unknown" for a status that is not used here. */
const char *http_status_name(unsigned status);
