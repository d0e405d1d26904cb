/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/capacity.h"

void
capacity_init(struct capacity *search, double first)
{
    *search = (struct capacity){.first = first};
}

bool
capacity_next(const struct capacity *search, double *out_rate)
{
    static const double near = 1.05;
    static const double least = 1; /* a second: below that it is nothing to look for */
    static const double most = 1e8;
    if (search->kept == 0 && search->missed == 0) {
        *out_rate = search->first;
        return true;
    }
    if (search->missed == 0) {
        *out_rate = search->kept * 2;
        return *out_rate <= most;
    }
    if (search->kept == 0) {
        *out_rate = search->missed / 2 > least ? search->missed / 2 : least;
        return search->missed > least;
    }
    *out_rate = (search->kept + search->missed) / 2;
    return search->missed / search->kept > near;
}

void
capacity_note(struct capacity *search, double rate, bool kept)
{
    if (kept) {
        search->kept = rate;
    } else {
        search->missed = rate;
    }
}
