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
 *     switch (window_find(&window, number, &entry)) {
 *     case WINDOW_NEW:       ... accept it; window_add(&window, &entry) ...
 *     case WINDOW_DUPLICATE: ... answer from entry ...
 *     case WINDOW_TOO_OLD:   ... refuse ...
 *     }
 *
 * Plain values.
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

/* Entries by falling number. The highest is the first's; an empty window has accepted nothing. */
struct window {
    uint32_t count;
    struct window_entry entries[STORE_WINDOW];
};

enum window_verdict { WINDOW_NEW, WINDOW_DUPLICATE, WINDOW_TOO_OLD };

/* *out_entry is filled when it is a duplicate. */
enum window_verdict window_find(const struct window *window, uint64_t number,
                                struct window_entry *out_entry);

/* Adds a number that is WINDOW_NEW; what falls below the window is forgotten. */
void window_add(struct window *window, const struct window_entry *entry);

enum {
    WINDOW_ENTRY_BYTES = 1 + 8 + 8,
    WINDOW_BYTES_MAX = RECORD_HEADER_BYTES + 8 + 1 + STORE_WINDOW * WINDOW_ENTRY_BYTES,
};
size_t window_encode(const struct window *window, unsigned char out[WINDOW_BYTES_MAX]);
/* 0, or -EBADMSG with *out undefined. */
MUST_CHECK int window_decode(struct store_value value, struct window *out);
