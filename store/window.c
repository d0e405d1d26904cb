/* SPDX-License-Identifier: Apache-2.0 */
#include "store/window.h"

#include <errno.h>
#include <string.h>

enum window_verdict
window_find(const struct window *window, uint64_t number, struct window_entry *out_entry)
{
    if (window->count == 0 || number > window->entries[0].number) {
        return WINDOW_NEW;
    }
    if (window->entries[0].number - number >= STORE_WINDOW) {
        return WINDOW_TOO_OLD;
    }
    for (uint32_t i = 0; i < window->count && window->entries[i].number >= number; i++) {
        if (window->entries[i].number == number) {
            *out_entry = window->entries[i];
            return WINDOW_DUPLICATE;
        }
    }
    return WINDOW_NEW;
}

/* The numbers differ and lie within STORE_WINDOW of the highest, so they never are more than
 * fit. */
static void
forget_below(struct window *window, uint64_t highest)
{
    while (window->count > 0 &&
           highest - window->entries[window->count - 1].number >= STORE_WINDOW) {
        window->count--;
    }
}

void
window_add(struct window *window, const struct window_entry *entry)
{
    struct window_entry found;
    ASSERT(window_find(window, entry->number, &found) == WINDOW_NEW);
    if (window->count > 0 && entry->number > window->entries[0].number) {
        forget_below(window, entry->number);
    }
    uint32_t at = 0;
    while (at < window->count && window->entries[at].number > entry->number) {
        at++;
    }
    ASSERT(window->count < STORE_WINDOW);
    memmove(&window->entries[at + 1], &window->entries[at],
            (window->count - at) * sizeof(window->entries[0]));
    window->entries[at] = *entry;
    window->count++;
}

size_t
window_encode(const struct window *window, unsigned char out[WINDOW_BYTES_MAX])
{
    struct cursor_out cursor;
    ASSERT(window->count > 0 && window->count <= STORE_WINDOW);
    uint64_t highest = window->entries[0].number;
    cursor_out_init(&cursor, out, WINDOW_BYTES_MAX);
    record_begin(&cursor, RECORD_WINDOW);
    cursor_put_u64(&cursor, highest);
    cursor_put_u8(&cursor, (uint8_t)window->count);
    for (uint32_t i = 0; i < window->count; i++) {
        cursor_put_u8(&cursor, (uint8_t)(highest - window->entries[i].number));
        cursor_put_u64(&cursor, window->entries[i].time_ms);
        cursor_put_u64(&cursor, window->entries[i].chat_number);
    }
    ASSERT(!cursor.failed);
    return cursor_out_bytes(&cursor);
}

int
window_decode(struct store_value value, struct window *out)
{
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    record_expect(&in, RECORD_WINDOW);
    uint64_t highest = cursor_get_u64(&in);
    uint8_t count = cursor_get_u8(&in);
    if (count == 0 || count > STORE_WINDOW) {
        return -EBADMSG;
    }
    out->count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t below = cursor_get_u8(&in);
        bool rising = i > 0 && highest - below >= out->entries[i - 1].number;
        if (below >= STORE_WINDOW || below > highest || rising || (i == 0 && below != 0)) {
            return -EBADMSG;
        }
        out->entries[i].number = highest - below;
        out->entries[i].time_ms = cursor_get_u64(&in);
        out->entries[i].chat_number = cursor_get_u64(&in);
    }
    return cursor_in_end(&in);
}
