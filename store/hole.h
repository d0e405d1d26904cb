/* SPDX-License-Identifier: Apache-2.0 */
/* hole.h - messages of a chat that no device of the reader took in while they were there: those
 * above `after`, up to `to`. Cursors pass over them later, so they are told beside the cursors.
 * There is one hole per chat and reader: what expires right behind it, or right before it, makes it
 * larger; what expires further on takes its place. Plain values.
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
    struct hole wider = {.after = after > delivered ? after : delivered, .to = to};
    if (to <= delivered) {
        return false;
    }
    if (hole->to > delivered && to >= hole->after && wider.after <= hole->to) { /* they touch */
        wider.after = wider.after < hole->after ? wider.after : hole->after;
        wider.to = to > hole->to ? to : hole->to;
    } else if (to < hole->to) {
        return false;
    }
    bool news = wider.after != hole->after || wider.to != hole->to;
    *hole = wider;
    return news;
}

/* Whether a reader's hole as it was told now is another than the one known. Those that were told
 * come in their order, and never end before the one known. */
static inline bool
hole_is_news(const struct hole *known, const struct hole *told)
{
    return told->to > known->to || (told->to == known->to && told->after < known->after);
}

static inline bool
hole_has(const struct hole *hole, uint64_t number)
{
    return number > hole->after && number <= hole->to;
}

/* How many of its numbers lie above this one. */
static inline uint64_t
hole_above(const struct hole *hole, uint64_t number)
{
    uint64_t after = hole->after > number ? hole->after : number;
    return hole->to > after ? hole->to - after : 0;
}

/* Makes one of two that touch or overlap; where there is none yet it is the other. False: they lie
 * apart. */
static inline bool
hole_join(struct hole *hole, const struct hole *other)
{
    if (hole->to == 0) {
        *hole = *other;
    } else if (other->after > hole->to || other->to < hole->after) {
        return false;
    }
    hole->after = other->after < hole->after ? other->after : hole->after;
    hole->to = other->to > hole->to ? other->to : hole->to;
    return true;
}
