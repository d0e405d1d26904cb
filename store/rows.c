/* SPDX-License-Identifier: Apache-2.0 */
#include "store/rows.h"

#include "store/cursor.h"

#include <stdlib.h>

enum {
    ROW_HEAD_BYTES = STORE_KEY_BYTES + 4,
    CAPACITY_FIRST = 4096,
};
#define ROW_ABSENT UINT32_MAX

void
rows_init(struct rows *rows)
{
    *rows = (struct rows){0};
}

void
rows_fini(struct rows *rows)
{
    free(rows->bytes);
    *rows = (struct rows){0};
}

static void
reserve(struct rows *rows, size_t bytes)
{
    size_t capacity = rows->capacity == 0 ? CAPACITY_FIRST : rows->capacity;
    while (capacity - rows->count < bytes) {
        capacity *= 2;
    }
    if (capacity != rows->capacity) {
        rows->bytes = realloc(rows->bytes, capacity);
        ASSERT(rows->bytes != NULL);
        rows->capacity = capacity;
    }
}

void
rows_add(struct rows *rows, const struct store_key *key, const struct store_value *value_or_null)
{
    unsigned char name[STORE_KEY_BYTES];
    struct cursor_out out;
    size_t value_bytes = value_or_null != NULL ? value_or_null->count : 0;
    ASSERT(value_bytes < ROW_ABSENT);
    reserve(rows, ROW_HEAD_BYTES + value_bytes);
    key_encode(key, name);
    cursor_out_init(&out, rows->bytes + rows->count, rows->capacity - rows->count);
    cursor_put_bytes(&out, name, sizeof(name));
    cursor_put_u32(&out, value_or_null != NULL ? (uint32_t)value_bytes : ROW_ABSENT);
    if (value_bytes > 0) {
        cursor_put_bytes(&out, value_or_null->bytes, value_bytes);
    }
    rows->count += cursor_out_end(&out);
}

unsigned char *
rows_room(struct rows *rows, size_t bytes)
{
    reserve(rows, bytes);
    unsigned char *room = rows->bytes + rows->count;
    rows->count += bytes;
    return room;
}

bool
rows_next(const unsigned char *bytes, size_t count, size_t *at, struct store_key *out_key,
          bool *out_present, struct store_value *out_value)
{
    struct cursor_in in;
    if (*at == count) {
        return false;
    }
    cursor_in_init(&in, bytes + *at, count - *at);
    const unsigned char *name = cursor_get_bytes(&in, STORE_KEY_BYTES);
    uint32_t value_bytes = cursor_get_u32(&in);
    ASSERT(name != NULL);
    int error = key_decode(name, STORE_KEY_BYTES, out_key);
    ASSERT(error == 0);
    *out_present = value_bytes != ROW_ABSENT;
    if (!*out_present) {
        value_bytes = 0;
    }
    *out_value =
        (struct store_value){.bytes = cursor_get_bytes(&in, value_bytes), .count = value_bytes};
    ASSERT(!in.failed);
    *at += ROW_HEAD_BYTES + value_bytes;
    return true;
}
