/* SPDX-License-Identifier: Apache-2.0 */
/* expired.h - what no device of a reader took in of a chat of two while it was there. The reader's
 * cursors pass over it later, so it is told beside them, always as a whole: what was told last
 * replaces what was told before.
 *
 * The last HOLES_MAX holes are known. When there are more the lowest goes, and of numbers up to
 * `unknown` that lie in none of those that are left nothing is said any more: neither that they
 * were delivered, whatever the cursors say, nor that they were not. Plain values; zeros: all that
 * the cursors have passed was delivered.
 */
#pragma once

#include "store/holes.h"

enum { EXPIRED_BYTES_MAX = HOLES_BYTES_MAX + 8 };
static_assert(EXPIRED_BYTES_MAX <= UINT8_MAX, "their number is a byte");

struct expired {
    struct holes holes;
    uint64_t unknown; /* 0: all is known */
};

/* What is to be said of a message that the cursors have passed. */
enum expired_verdict { EXPIRED_NOT, EXPIRED_GONE, EXPIRED_UNKNOWN };

static inline bool
expired_is_none(const struct expired *expired)
{
    return expired->holes.count == 0 && expired->unknown == 0;
}

bool expired_equal(const struct expired *x, const struct expired *y);
/* What lies above `after`, up to `to`, has expired for a reader who got as far as `delivered`.
 * False: that is no news. */
bool expired_add(struct expired *expired, uint64_t delivered, uint64_t after, uint64_t to);
enum expired_verdict expired_of(const struct expired *expired, uint64_t number);

/* In a record. Reading fails the cursor where the holes don't rise. */
size_t expired_bytes(const struct expired *expired);
void expired_put(struct cursor_out *out, const struct expired *expired);
void expired_get(struct cursor_in *in, struct expired *out);

/* What an entry tells of it. */
struct store_entry_cursors;
void entry_cursors_expired(const struct store_entry_cursors *cursors, struct expired *out);
