/* SPDX-License-Identifier: Apache-2.0 */
/* cursor.h - the one way in which the store reads and writes fields of records: little-endian and
 * bounds-checked.
 *
 * Both cursors remember that they failed and go on harmlessly: past the end one reads zeros and
 * writes nothing. So a decoder reads like the layout of its record and asks once, at the end,
 * whether all of it was there.
 *
 *     struct cursor_in in;
 *     cursor_in_init(&in, bytes, count);
 *     user->id = cursor_get_u64(&in);
 *     user->flags = cursor_get_u16(&in);
 *     return cursor_in_end(&in);            -EBADMSG: it was too short, or something is left
 *
 *     cursor_out_init(&out, buffer, sizeof(buffer));
 *     cursor_put_u64(&out, user->id);
 *     cursor_put_u16(&out, user->flags);
 *     ASSERT(!out.failed);
 *     ... out.start, cursor_out_bytes(&out) ...
 *
 * Cursors own nothing. One thread at a time.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/check.h"

/* Embedded; `at` and `end` may be read. */
struct cursor_in {
    const unsigned char *at;
    const unsigned char *end;
    bool failed;
};

/* Borrows the bytes for as long as the cursor, and what cursor_get_bytes gave out, are used. */
void cursor_in_init(struct cursor_in *in, const void *bytes, size_t count);

uint8_t cursor_get_u8(struct cursor_in *in);
uint16_t cursor_get_u16(struct cursor_in *in);
uint32_t cursor_get_u32(struct cursor_in *in);
uint64_t cursor_get_u64(struct cursor_in *in);

/* The next `count` bytes where they lie; NULL when there are fewer (the cursor has failed then). */
const unsigned char *cursor_get_bytes(struct cursor_in *in, size_t count);

/* Copies the next `count` bytes; when there are fewer, out is filled with zeros. */
void cursor_get_copy(struct cursor_in *in, void *out, size_t count);

/* The bytes not yet read; 0 after a failure. */
size_t cursor_in_left(const struct cursor_in *in);

/* Marks the cursor as failed: for a field that was there but can't be right. */
void cursor_in_fail(struct cursor_in *in);

/* 0 when everything was read and nothing more; else -EBADMSG. */
MUST_CHECK int cursor_in_end(const struct cursor_in *in);

/* Embedded; `start` and `failed` may be read. */
struct cursor_out {
    unsigned char *start;
    unsigned char *at;
    unsigned char *end;
    bool failed;
};

/* Borrows the buffer for as long as the cursor is used. */
void cursor_out_init(struct cursor_out *out, void *buffer, size_t bytes_max);

void cursor_put_u8(struct cursor_out *out, uint8_t value);
void cursor_put_u16(struct cursor_out *out, uint16_t value);
void cursor_put_u32(struct cursor_out *out, uint32_t value);
void cursor_put_u64(struct cursor_out *out, uint64_t value);
void cursor_put_bytes(struct cursor_out *out, const void *bytes, size_t count);

/* What has been written; after a failure, what fitted before it. */
size_t cursor_out_bytes(const struct cursor_out *out);
