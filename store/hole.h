/* SPDX-License-Identifier: Apache-2.0 */
/* hole.h - messages of a chat that no device of the reader took in while they were there: those
 * above `after`, up to `to`. Cursors pass over them later, so they are told beside the cursors.
 * There is one hole per chat and reader: what expires right behind it makes it larger, what expires
 * further on takes its place. Plain values.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hole {
    uint64_t after;
    uint64_t to; /* 0: nothing has expired yet */
};

/* What lies above `after`, up to `to`, has expired for a reader who got as far as `delivered`.
 * False: that is no news. */
static inline bool
hole_add(struct hole *hole, uint64_t delivered, uint64_t after, uint64_t to)
{
    if (to <= delivered || to <= hole->to) {
        return false;
    }
    after = after > delivered ? after : delivered;
    if (delivered >= hole->to || after > hole->to) {
        hole->after = after;
    }
    hole->to = to;
    return true;
}

static inline bool
hole_has(const struct hole *hole, uint64_t number)
{
    return number > hole->after && number <= hole->to;
}
