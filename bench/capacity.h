/* SPDX-License-Identifier: Apache-2.0 */
/* capacity.h - the search for the highest rate that keeps its objectives.
 *
 *     capacity_init(&search, 1000);
 *     while (capacity_next(&search, &rate)) {
 *         capacity_note(&search, a run at that rate kept its objectives);
 *     }
 *     search.kept is the highest that did
 *
 * It doubles the rate until it is missed, or halves it until it is kept, then cuts the space
 * between in halves until that is a twentieth. It takes a rate for too high if one run misses it,
 * so a node's rare pauses lower the result when a run is short enough to be spoilt by one.
 */
#pragma once

#include <stdbool.h>

struct capacity {
    double kept;   /* the highest that was; 0: none yet */
    double missed; /* the lowest that was; 0: none yet */
    double first;
};

void capacity_init(struct capacity *search, double first);
/* False: it is over. */
bool capacity_next(const struct capacity *search, double *out_rate);
void capacity_note(struct capacity *search, double rate, bool kept);
