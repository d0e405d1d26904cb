/* SPDX-License-Identifier: Apache-2.0 */
#include "store/window.h"

#include <errno.h>

static const unsigned char *
entry_at(const struct window *window, uint32_t index)
{
    return &window->entries[(size_t)index * WINDOW_ENTRY_BYTES];
}

/* How far the entry's number lies below the highest. */
static uint8_t
distance(const struct window *window, uint32_t index)
{
    return (uint8_t)((uint8_t)window->highest - *entry_at(window, index));
}

/* Numbers rise up to the highest, within the window and above zero. */
static bool
entries_valid(const struct window *window)
{
    uint32_t last = STORE_WINDOW;
    for (uint32_t i = 0; i < window->count; i++) {
        uint32_t below = distance(window, i);
        if (below >= last || below >= window->highest) {
            return false;
        }
        last = below;
    }
    return last == 0;
}

int
window_read(struct store_value value, struct window *out)
{
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_WINDOW);
    out->highest = cursor_get_u64(&in);
    size_t left = cursor_in_left(&in);
    if (in.failed || left % WINDOW_ENTRY_BYTES != 0 ||
        left > WINDOW_BYTES_MAX - WINDOW_HEADER_BYTES) {
        return -EBADMSG;
    }
    out->count = (uint32_t)(left / WINDOW_ENTRY_BYTES);
    out->entries = in.at;
    return entries_valid(out) ? 0 : -EBADMSG;
}

/* The first index whose number is at least this one, which lies within the window. Looked for from
 * the end: retries are of what was sent last. */
static uint32_t
place_of(const struct window *window, uint64_t number)
{
    uint64_t below = window->highest - number;
    uint32_t at = window->count;
    while (at > 0 && distance(window, at - 1) <= below) {
        at--;
    }
    return at;
}

enum window_verdict
window_find(const struct window *window, uint64_t number, struct window_entry *out_entry)
{
    if (number > window->highest) {
        return WINDOW_NEW;
    }
    if (window->highest - number >= STORE_WINDOW) {
        return WINDOW_TOO_OLD;
    }
    uint32_t at = place_of(window, number);
    if (at == window->count || window->highest - distance(window, at) != number) {
        return WINDOW_NEW;
    }
    struct cursor_in in;
    cursor_in_init(&in, entry_at(window, at) + 1, WINDOW_ENTRY_BYTES - 1);
    out_entry->number = number;
    out_entry->time_ms = cursor_get_u64(&in);
    out_entry->chat_number = cursor_get_u64(&in);
    return WINDOW_DUPLICATE;
}

static void
put_entries(struct cursor_out *out, const struct window *window, uint32_t first, uint32_t end)
{
    if (end > first) {
        cursor_put_bytes(out, entry_at(window, first), (size_t)(end - first) * WINDOW_ENTRY_BYTES);
    }
}

size_t
window_add(const struct window *window, const struct window_entry *entry,
           unsigned char out[WINDOW_BYTES_MAX])
{
    bool higher = entry->number > window->highest;
    uint64_t highest = higher ? entry->number : window->highest;
    uint64_t lowest = highest < STORE_WINDOW ? 1 : highest - STORE_WINDOW + 1;
    ASSERT(entry->number >= lowest);
    uint32_t first = 0;
    while (first < window->count && window->highest - distance(window, first) < lowest) {
        first++;
    }
    uint32_t at = higher ? window->count : place_of(window, entry->number);
    ASSERT(at == window->count || window->highest - distance(window, at) != entry->number);
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, WINDOW_BYTES_MAX);
    record_begin(&cursor, RECORD_WINDOW);
    cursor_put_u64(&cursor, highest);
    put_entries(&cursor, window, first, at);
    cursor_put_u8(&cursor, (uint8_t)entry->number);
    cursor_put_u64(&cursor, entry->time_ms);
    cursor_put_u64(&cursor, entry->chat_number);
    put_entries(&cursor, window, at, window->count);
    return cursor_out_end(&cursor);
}
