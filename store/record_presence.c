/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_presence.h"

size_t
record_last_seen_encode(const struct record_last_seen *seen, unsigned char out[RECORD_BYTES_MAX])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, RECORD_BYTES_MAX);
    record_begin(&cursor, RECORD_LAST_SEEN);
    cursor_put_u64(&cursor, seen->at_ms);
    return cursor_out_end(&cursor);
}

int
record_last_seen_decode(struct store_value value, struct record_last_seen *out)
{
    struct record_last_seen seen;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_LAST_SEEN);
    seen.at_ms = cursor_get_u64(&in);
    int error = cursor_in_end(&in);
    if (error == 0) {
        *out = seen;
    }
    return error;
}
