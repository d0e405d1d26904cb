/* SPDX-License-Identifier: Apache-2.0 */
#include "store/holes.h"

#include "runtime/check.h"

#include <string.h>

/* The holes that `hole` touches: from *from on, before *to. */
static void
touched(const struct holes *holes, const struct hole *hole, unsigned *out_from, unsigned *out_to)
{
    unsigned from = 0;
    while (from < holes->count && holes->at[from].to < hole->after) {
        from++;
    }
    unsigned to = from;
    while (to < holes->count && holes->at[to].after <= hole->to) {
        to++;
    }
    *out_from = from;
    *out_to = to;
}

static void
cut(struct holes *holes, unsigned from, unsigned to)
{
    memmove(&holes->at[from], &holes->at[to], (holes->count - to) * sizeof(holes->at[0]));
    holes->count = (uint8_t)(holes->count - (to - from));
}

uint64_t
holes_add(struct holes *holes, uint64_t after, uint64_t to)
{
    struct hole hole = {.after = after, .to = to};
    unsigned first;
    unsigned end;
    uint64_t gone = 0;
    ASSERT(after < to);
    touched(holes, &hole, &first, &end);
    if (first < end) {
        const struct hole *low = &holes->at[first];
        const struct hole *high = &holes->at[end - 1];
        hole.after = low->after < after ? low->after : after;
        hole.to = high->to > to ? high->to : to;
        cut(holes, first, end);
    } else if (holes->count == HOLES_MAX && first == 0) {
        return to; /* it is the lowest itself */
    } else if (holes->count == HOLES_MAX) {
        gone = holes->at[0].to;
        cut(holes, 0, 1);
        first--;
    }
    memmove(&holes->at[first + 1], &holes->at[first],
            (holes->count - first) * sizeof(holes->at[0]));
    holes->at[first] = hole;
    holes->count++;
    return gone;
}

void
holes_put(struct cursor_out *out, const struct holes *holes)
{
    cursor_put_u8(out, holes->count);
    for (unsigned i = 0; i < holes->count; i++) {
        cursor_put_u64(out, holes->at[i].after);
        cursor_put_u64(out, holes->at[i].to);
    }
}

void
holes_get(struct cursor_in *in, struct holes *out)
{
    uint64_t before = 0;
    out->count = cursor_get_u8(in);
    if (out->count > HOLES_MAX) {
        cursor_in_fail(in);
        out->count = 0;
    }
    for (unsigned i = 0; i < out->count; i++) {
        struct hole *hole = &out->at[i];
        hole->after = cursor_get_u64(in);
        hole->to = cursor_get_u64(in);
        if (hole->to <= hole->after || (i > 0 && hole->after <= before)) {
            cursor_in_fail(in);
        }
        before = hole->to;
    }
}
