/* SPDX-License-Identifier: Apache-2.0 */
#include "store/cursor.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are copied as they lie");

/* -------------------------------------------------------------------------------------- reading */

void
cursor_in_init(struct cursor_in *in, const void *bytes, size_t count)
{
    static const unsigned char nothing[1];
    ASSERT(bytes != NULL || count == 0);
    in->at = bytes != NULL ? bytes : nothing; /* so that an empty value may come without a place */
    in->end = in->at + count;
    in->failed = false;
}

void
cursor_in_fail(struct cursor_in *in)
{
    in->failed = true;
    in->at = in->end;
}

size_t
cursor_in_left(const struct cursor_in *in)
{
    return (size_t)(in->end - in->at);
}

const unsigned char *
cursor_get_bytes(struct cursor_in *in, size_t count)
{
    if (in->failed || cursor_in_left(in) < count) {
        cursor_in_fail(in);
        return NULL;
    }
    const unsigned char *bytes = in->at;
    in->at += count;
    return bytes;
}

void
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

uint8_t
cursor_get_u8(struct cursor_in *in)
{
    uint8_t value;
    cursor_get_copy(in, &value, sizeof(value));
    return value;
}

uint16_t
cursor_get_u16(struct cursor_in *in)
{
    uint16_t value;
    cursor_get_copy(in, &value, sizeof(value));
    return value;
}

uint32_t
cursor_get_u32(struct cursor_in *in)
{
    uint32_t value;
    cursor_get_copy(in, &value, sizeof(value));
    return value;
}

uint64_t
cursor_get_u64(struct cursor_in *in)
{
    uint64_t value;
    cursor_get_copy(in, &value, sizeof(value));
    return value;
}

int
cursor_in_end(const struct cursor_in *in)
{
    return in->failed || in->at != in->end ? -EBADMSG : 0;
}

/* -------------------------------------------------------------------------------------- writing */

void
cursor_out_init(struct cursor_out *out, void *buffer, size_t bytes_max)
{
    out->start = buffer;
    out->at = out->start;
    out->end = out->start + bytes_max;
    out->failed = false;
}

void
cursor_put_bytes(struct cursor_out *out, const void *bytes, size_t count)
{
    if (out->failed || (size_t)(out->end - out->at) < count) {
        out->failed = true;
        return;
    }
    if (count > 0) {
        memcpy(out->at, bytes, count);
        out->at += count;
    }
}

void
cursor_put_u8(struct cursor_out *out, uint8_t value)
{
    cursor_put_bytes(out, &value, sizeof(value));
}

void
cursor_put_u16(struct cursor_out *out, uint16_t value)
{
    cursor_put_bytes(out, &value, sizeof(value));
}

void
cursor_put_u32(struct cursor_out *out, uint32_t value)
{
    cursor_put_bytes(out, &value, sizeof(value));
}

void
cursor_put_u64(struct cursor_out *out, uint64_t value)
{
    cursor_put_bytes(out, &value, sizeof(value));
}

size_t
cursor_out_bytes(const struct cursor_out *out)
{
    return (size_t)(out->at - out->start);
}
