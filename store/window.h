/* SPDX-License-Identifier: Apache-2.0 */
/* window.h - which numbers of a sender's device a partition has lately accepted: how a retry is
 * told from a message.
 *
 * A device numbers its commands and keeps a number with its message until it is answered, so the
 * same number means the same message. The window remembers the highest number that was accepted,
 * and of the STORE_WINDOW numbers down from it those that were, each with the answer it got. A
 * number below that can't be told from a new one any more, and is not guessed at. WireGuard's
 * window, with the answers kept beside the bits:
 *
 *     highest - 64            highest
 *     too old |  .  x  x  .  x  |  new ...
 *
 *     error = window_read(value, &window);
 *     switch (window_find(&window, number, &entry)) {
 *     case WINDOW_NEW:       ... accept it; count = window_add(&window, &entry, out) ...
 *     case WINDOW_DUPLICATE: ... answer from entry ...
 *     case WINDOW_TOO_OLD:   ... refuse ...
 *     }
 *
 * It is looked at, and grows, in the form in which it is stored, since each message does both:
 *
 *     header (2) | highest (8) | entries by rising number: its low byte, time (8), chat number (8)
 *
 * A device's numbers mostly rise, so adding is a copy of what stays and one entry behind it; the
 * low byte tells numbers apart that lie within 64 of the highest.
 */
#pragma once

#include "runtime/check.h"
#include "store/record.h"
#include "store/request.h"

struct window_entry {
    uint64_t number;
    uint64_t time_ms;
    uint64_t chat_number;
};

/* A view of a stored window, good as long as the bytes are; zeroed: one that has accepted
 * nothing. */
struct window {
    const unsigned char *entries;
    uint32_t count;
    uint64_t highest;
};

enum {
    WINDOW_ENTRY_BYTES = 1 + 8 + 8,
    WINDOW_HEADER_BYTES = RECORD_HEADER_BYTES + 8,
    WINDOW_BYTES_MAX = WINDOW_HEADER_BYTES + STORE_WINDOW * WINDOW_ENTRY_BYTES,
};

/* Borrows the value's bytes. 0, or -EBADMSG with *out undefined. */
MUST_CHECK int window_read(struct store_value value, struct window *out);

enum window_verdict { WINDOW_NEW, WINDOW_DUPLICATE, WINDOW_TOO_OLD };

/* *out_entry is filled when it is a duplicate. */
enum window_verdict window_find(const struct window *window, uint64_t number,
                                struct window_entry *out_entry);

/* Writes the window with one more number, which is WINDOW_NEW; what falls below the window is
 * forgotten. Returns how many bytes that is. `out` is not where the window lies. */
size_t window_add(const struct window *window, const struct window_entry *entry,
                  unsigned char out[WINDOW_BYTES_MAX]);
