/* SPDX-License-Identifier: Apache-2.0 */
#include "store/record_inbox.h"

#include <assert.h>
#include <string.h>

enum {
    CURSOR_BYTES = 2 + 1 + 3 * 8 + 8,
    HEAD_BYTES = RECORD_HEADER_BYTES + 1 + 2 + 2 + 6 * 8 + 8 + 1 + 1 + 8 + 8 + 2,
    /* In the byte that else tells whether the user was removed. */
    HEAD_UNBORN = 2,
    /* What few heads have, at the end. */
    HEAD_RECEIPTS_OFF = 1,
    HEAD_HOLDS = 2,
    HEAD_WITHDRAWN = 4,
    HEAD_MISSED = 8,
    HEAD_MISSED_OF = 16, /* beside that */
    HEAD_COPIED = 32,
    HEAD_PARTS = HEAD_RECEIPTS_OFF | HEAD_HOLDS | HEAD_WITHDRAWN | HEAD_MISSED | HEAD_MISSED_OF |
                 HEAD_COPIED,
    /* Beside a cursor's state. Only what wakes has more than that. */
    CURSOR_WAKES = 0x40,
    CURSOR_DUE = 0x80,
};
static_assert(HEAD_BYTES + STORE_DEVICES_LIMIT * CURSOR_BYTES <= RECORD_BYTES_MAX,
              "a head with all devices fits");

static void
put_place(struct cursor_out *out, const struct record_place *place)
{
    cursor_put_u64(out, place->number);
    cursor_put_u64(out, place->entries);
    cursor_put_u64(out, place->bytes);
}

static void
get_place(struct cursor_in *in, struct record_place *place)
{
    place->number = cursor_get_u64(in);
    place->entries = cursor_get_u64(in);
    place->bytes = cursor_get_u64(in);
}

static void
put_cursor(struct cursor_out *out, const struct record_cursor *cursor)
{
    unsigned flags = (cursor->wakes ? CURSOR_WAKES : 0U) | (cursor->due ? CURSOR_DUE : 0U);
    cursor_put_u16(out, cursor->device);
    cursor_put_u8(out, (uint8_t)(cursor->state | flags));
    put_place(out, &cursor->acked);
    if (cursor->wakes) {
        cursor_put_u64(out, cursor->woken);
    }
}

static void
get_cursor(struct cursor_in *in, struct record_cursor *out)
{
    out->device = cursor_get_u16(in);
    unsigned state = cursor_get_u8(in);
    out->wakes = (state & CURSOR_WAKES) != 0;
    out->due = (state & CURSOR_DUE) != 0;
    out->state = (uint8_t)(state & ~(CURSOR_WAKES | CURSOR_DUE));
    get_place(in, &out->acked);
    out->woken = out->wakes ? cursor_get_u64(in) : 0;
    if (out->state > RECORD_CURSOR_EXPIRED || (out->due && !out->wakes)) {
        cursor_in_fail(in);
    }
}

static void
head_parts_put(struct cursor_out *out, const struct record_head *head)
{
    bool withdrawn = head->withdrawn > head->low.number; /* else it has been passed */
    bool missed = head->missed > head->low.number;
    bool missed_of = missed && head->missed_of != 0;
    bool copied = head->copied > head->low.number;
    unsigned parts = (head->receipts_off ? HEAD_RECEIPTS_OFF : 0U) |
                     (head->holds > 0 ? HEAD_HOLDS : 0U) | (withdrawn ? HEAD_WITHDRAWN : 0U) |
                     (missed ? HEAD_MISSED : 0U) | (missed_of ? HEAD_MISSED_OF : 0U) |
                     (copied ? HEAD_COPIED : 0U);
    if (parts != 0) {
        cursor_put_u8(out, (uint8_t)parts);
    }
    if (head->holds > 0) {
        cursor_put_u8(out, head->holds);
    }
    if (withdrawn) {
        cursor_put_u64(out, head->withdrawn);
    }
    if (missed) {
        cursor_put_u64(out, head->missed);
    }
    if (missed_of) {
        cursor_put_u16(out, head->missed_of);
    }
    if (copied) {
        cursor_put_u64(out, head->copied);
    }
}

static void
head_parts_get(struct cursor_in *in, struct record_head *out)
{
    bool parted = cursor_in_left(in) > 0;
    unsigned parts = parted ? cursor_get_u8(in) : 0;
    if (parts > HEAD_PARTS || parted != (parts != 0)) {
        cursor_in_fail(in);
    }
    out->receipts_off = (parts & HEAD_RECEIPTS_OFF) != 0;
    out->holds = (parts & HEAD_HOLDS) != 0 ? cursor_get_u8(in) : 0;
    out->withdrawn = (parts & HEAD_WITHDRAWN) != 0 ? cursor_get_u64(in) : 0;
    out->missed = (parts & HEAD_MISSED) != 0 ? cursor_get_u64(in) : 0;
    out->missed_of = (parts & HEAD_MISSED_OF) != 0 ? cursor_get_u16(in) : 0;
    out->copied = (parts & HEAD_COPIED) != 0 ? cursor_get_u64(in) : 0;
    if ((parts & HEAD_MISSED_OF) != 0 && (out->missed == 0 || out->missed_of == 0)) {
        cursor_in_fail(in);
    }
}

size_t
record_head_encode(const struct record_head *head, unsigned char out[RECORD_BYTES_MAX])
{
    struct cursor_out cursor;
    bool wakes = false;
    ASSERT(head->devices <= STORE_DEVICES_LIMIT);
    cursor_out_init(&cursor, out, RECORD_BYTES_MAX);
    record_begin(&cursor, RECORD_HEAD);
    cursor_put_u8(&cursor, (uint8_t)(head->unborn ? HEAD_UNBORN : head->removed));
    cursor_put_u16(&cursor, head->device_next);
    cursor_put_u16(&cursor, head->devices);
    put_place(&cursor, &head->low);
    put_place(&cursor, &head->last);
    for (unsigned i = 0; i < head->devices; i++) {
        put_cursor(&cursor, &head->cursors[i]);
        wakes = wakes || head->cursors[i].wakes;
    }
    if (wakes) {
        cursor_put_u64(&cursor, head->newest);
    }
    head_parts_put(&cursor, head);
    return cursor_out_end(&cursor);
}

/* Fills *out as it reads; the caller looks at the cursor's end. */
static void
head_read(struct cursor_in *in, struct record_head *out)
{
    bool wakes = false;
    record_expect(in, RECORD_HEAD);
    uint8_t life = cursor_get_u8(in);
    out->removed = life == 1;
    out->unborn = life == HEAD_UNBORN;
    if (life > HEAD_UNBORN) {
        cursor_in_fail(in);
    }
    out->device_next = cursor_get_u16(in);
    out->devices = cursor_get_u16(in);
    if (out->devices > STORE_DEVICES_LIMIT) {
        cursor_in_fail(in);
        out->devices = 0;
    }
    get_place(in, &out->low);
    get_place(in, &out->last);
    for (unsigned i = 0; i < out->devices; i++) {
        get_cursor(in, &out->cursors[i]);
        wakes = wakes || out->cursors[i].wakes;
    }
    out->newest = wakes ? cursor_get_u64(in) : 0;
    head_parts_get(in, out);
}

int
record_head_decode(struct store_value value, struct record_head *out)
{
    struct record_head head;
    struct cursor_in in;
    cursor_in_init(&in, value.bytes, value.count);
    head_read(&in, &head);
    int error = cursor_in_end(&in);
    if (error == 0) {
        /* Every message decodes a head, and most have one cursor of the 32. */
        memcpy(out, &head,
               offsetof(struct record_head, cursors) + head.devices * sizeof(head.cursors[0]));
    }
    return error;
}
