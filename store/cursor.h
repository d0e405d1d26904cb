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
 *     ... out.start, cursor_out_end(&out) ...          the buffer is made for what goes in
 *
 * Cursors own nothing. One thread at a time. Everything is inline, so that a record of a few fields
 * is a few moves.
 */
#pragma once

#include "runtime/check.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are copied as they lie");

/* -------------------------------------------------------------------------------------- reading */

/* Embedded; `at` and `end` may be read. */
struct cursor_in {
    const unsigned char *at;
    const unsigned char *end;
    bool failed;
};

/* Borrows the bytes for as long as the cursor, and what cursor_get_bytes gave out, are used. */
static inline void
cursor_in_init(struct cursor_in *in, const void *bytes, size_t count)
{
    static const unsigned char nothing[1];
    ASSERT(bytes != NULL || count == 0);
    in->at = bytes != NULL ? bytes : nothing; /* so that an empty value may come without a place */
    in->end = in->at + count;
    in->failed = false;
}

/* Marks the cursor as failed: for a field that was there but can't be right. */
static inline void
cursor_in_fail(struct cursor_in *in)
{
    in->failed = true;
    in->at = in->end;
}

/* The bytes not yet read; 0 after a failure. */
static inline size_t
cursor_in_left(const struct cursor_in *in)
{
    return (size_t)(in->end - in->at);
}

/* The next `count` bytes where they lie; NULL when there are fewer (the cursor has failed then). */
static inline const unsigned char *
cursor_get_bytes(struct cursor_in *in, size_t count)
{
    if (__builtin_expect(in->failed || cursor_in_left(in) < count, 0)) {
        cursor_in_fail(in);
        return NULL;
    }
    const unsigned char *bytes = in->at;
    in->at += count;
    return bytes;
}

/* Copies the next `count` bytes; when there are fewer, out is filled with zeros. */
static inline void
cursor_get_copy(struct cursor_in *in, void *out, size_t count)
{
    const unsigned char *bytes = cursor_get_bytes(in, count);
    if (count == 0) {
        return;
    }
    if (bytes == NULL) {
        memset(out, 0, count);
    } else {
        memcpy(out, bytes, count);
    }
}

/* The next `count` bytes as a cursor of their own; false when there are fewer. Of a count that the
 * compiler knows it settles the checks of what is read from there. */
MUST_CHECK static inline bool
cursor_get_part(struct cursor_in *in, size_t count, struct cursor_in *out)
{
    const unsigned char *bytes = cursor_get_bytes(in, count);
    if (bytes == NULL) {
        return false;
    }
    *out = (struct cursor_in){.at = bytes, .end = bytes + count};
    return true;
}

static inline uint8_t
cursor_get_u8(struct cursor_in *in)
{
    uint8_t value;
    cursor_get_copy(in, &value, sizeof(value));
    return value;
}

static inline uint16_t
cursor_get_u16(struct cursor_in *in)
{
    uint16_t value;
    cursor_get_copy(in, &value, sizeof(value));
    return value;
}

static inline uint32_t
cursor_get_u32(struct cursor_in *in)
{
    uint32_t value;
    cursor_get_copy(in, &value, sizeof(value));
    return value;
}

static inline uint64_t
cursor_get_u64(struct cursor_in *in)
{
    uint64_t value;
    cursor_get_copy(in, &value, sizeof(value));
    return value;
}

/* 0 when everything was read and nothing more; else -EBADMSG. */
MUST_CHECK static inline int
cursor_in_end(const struct cursor_in *in)
{
    return in->failed || in->at != in->end ? -EBADMSG : 0;
}

/* -------------------------------------------------------------------------------------- writing */

/* Embedded; `start` and `failed` may be read. */
struct cursor_out {
    unsigned char *start;
    unsigned char *at;
    unsigned char *end;
    bool failed;
};

/* Borrows the buffer for as long as the cursor is used. */
static inline void
cursor_out_init(struct cursor_out *out, void *buffer, size_t bytes_max)
{
    out->start = buffer;
    out->at = out->start;
    out->end = out->start + bytes_max;
    out->failed = false;
}

static inline void
cursor_put_bytes(struct cursor_out *out, const void *bytes, size_t count)
{
    if (__builtin_expect(out->failed || (size_t)(out->end - out->at) < count, 0)) {
        out->failed = true;
        return;
    }
    if (count > 0) {
        memcpy(out->at, bytes, count);
        out->at += count;
    }
}

/* Room for the next `count` bytes, to be filled by a cursor of their own; false when there is none.
 * As cursor_get_part. */
MUST_CHECK static inline bool
cursor_put_part(struct cursor_out *out, size_t count, struct cursor_out *part)
{
    if (__builtin_expect(out->failed || (size_t)(out->end - out->at) < count, 0)) {
        out->failed = true;
        return false;
    }
    *part = (struct cursor_out){.start = out->at, .at = out->at, .end = out->at + count};
    out->at += count;
    return true;
}

static inline void
cursor_put_u8(struct cursor_out *out, uint8_t value)
{
    cursor_put_bytes(out, &value, sizeof(value));
}

static inline void
cursor_put_u16(struct cursor_out *out, uint16_t value)
{
    cursor_put_bytes(out, &value, sizeof(value));
}

static inline void
cursor_put_u32(struct cursor_out *out, uint32_t value)
{
    cursor_put_bytes(out, &value, sizeof(value));
}

static inline void
cursor_put_u64(struct cursor_out *out, uint64_t value)
{
    cursor_put_bytes(out, &value, sizeof(value));
}

/* What has been written; after a failure, what fitted before it. */
static inline size_t
cursor_out_bytes(const struct cursor_out *out)
{
    return (size_t)(out->at - out->start);
}

/* The same, where everything fits. */
static inline size_t
cursor_out_end(const struct cursor_out *out)
{
    ASSERT(!out->failed);
    return cursor_out_bytes(out);
}
