/* SPDX-License-Identifier: Apache-2.0 */
/* stalled.h - partitions that wait for room: in the open batch, or in their cell. First come, first
 * served: in any other order some would wait for as long as there is more to do than room.
 *
 * Zeros are an empty queue. A partition is in one at most.
 */
#pragma once

struct partition;

struct stalled {
    struct partition *first, *last;
    unsigned count;
};

/* It stalls. */
void stalled_add(struct stalled *stalled, struct partition *partition);
/* All may go on, in the order in which they came. */
void stalled_wake(struct stalled *stalled);
