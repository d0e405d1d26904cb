/* SPDX-License-Identifier: Apache-2.0 */
/* hole.h - a range of numbers of a chat, those above `after`, up to `to`, that cursors pass over
 * later without it having happened: so it is told beside them. Plain values.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hole {
    uint64_t after;
    uint64_t to; /* 0: none */
};

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
