/* SPDX-License-Identifier: Apache-2.0 */
#include "store/expired.h"

bool
expired_equal(const struct expired *x, const struct expired *y)
{
    bool equal = x->unknown == y->unknown && x->holes.count == y->holes.count;
    for (unsigned i = 0; equal && i < x->holes.count; i++) {
        const struct hole *left = &x->holes.at[i];
        const struct hole *right = &y->holes.at[i];
        equal = left->after == right->after && left->to == right->to;
    }
    return equal;
}

bool
expired_add(struct expired *expired, uint64_t delivered, uint64_t after, uint64_t to)
{
    struct expired before = *expired;
    uint64_t from = after > delivered ? after : delivered;
    if (to <= from) {
        return false;
    }
    uint64_t gone = holes_add(&expired->holes, from, to);
    expired->unknown = gone > expired->unknown ? gone : expired->unknown;
    return !expired_equal(expired, &before);
}

enum expired_verdict
expired_of(const struct expired *expired, uint64_t number)
{
    if (holes_have(&expired->holes, number)) {
        return EXPIRED_GONE;
    }
    return number <= expired->unknown ? EXPIRED_UNKNOWN : EXPIRED_NOT;
}

size_t
expired_bytes(const struct expired *expired)
{
    return 1 + expired->holes.count * sizeof(struct hole) + sizeof(expired->unknown);
}

void
expired_put(struct cursor_out *out, const struct expired *expired)
{
    holes_put(out, &expired->holes);
    cursor_put_u64(out, expired->unknown);
}

void
expired_get(struct cursor_in *in, struct expired *out)
{
    *out = (struct expired){0};
    holes_get(in, &out->holes);
    out->unknown = cursor_get_u64(in);
}
