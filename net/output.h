/* SPDX-License-Identifier: Apache-2.0 */
/* output.h - bytes that wait to be written to a stream: appended at the end, taken from the front.
 *
 *     room = output_reserve(&output, header_bytes + payload_bytes);      ... write there ...
 *     output_commit(&output, bytes);
 *     count = output_peek(&output, &bytes);   ... write(socket, bytes, count) took n of them ...
 *     output_pop(&output, n);
 *
 * One heap buffer, which exists only while something waits. One thread at a time.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "runtime/check.h"

enum {
    /* Who writes more than this without ever taking something out has lost the other end. */
    OUTPUT_BYTES_MAX = 16 << 20,
};

/* Embedded, zero is empty; the fields are for output.c alone. */
struct output {
    unsigned char *bytes;
    uint32_t start; /* of what waits */
    uint32_t end;
    uint32_t capacity;
};

/* Room for `bytes` behind what waits, until the next call; NULL at OUTPUT_BYTES_MAX or without
 * memory. */
unsigned char *output_reserve(struct output *output, size_t bytes) MUST_CHECK;

/* The first `bytes` of the room are filled. */
void output_commit(struct output *output, size_t bytes);

/* How much waits, and where; borrowed until the next call. */
size_t output_peek(const struct output *output, const unsigned char **out_bytes);

/* The first `bytes` of it are written. */
void output_pop(struct output *output, size_t bytes);

/* Drops all. */
void output_clear(struct output *output);
