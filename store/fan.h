/* SPDX-License-Identifier: Apache-2.0 */
/* fan.h - when what a group says goes to the partitions that have members: in rounds.
 *
 * A round begins no sooner after the one before than it takes to reach all members of the largest
 * group in it a few times over. What is said meanwhile goes with the next, so a member of a busy
 * group gets some messages in one batch, one send and one segment, and acknowledges them at once.
 * In a quiet group nothing waits, and none in a small one.
 *
 *     fan_add(&fan, streams, members);                a message was said
 *     if (fan_begin(&fan, now_ns, sends_due)) ...     at once, or after fan_wait_ms(&fan, now_ns)
 *
 * Plain values; zeros are one that has nothing to say.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct fan {
    uint64_t due[4];        /* a bit per partition that has members */
    uint64_t not_before_ns; /* the next round */
    uint32_t members;       /* of the largest group that has something due */
};

/* Something is due in these streams, of a group with so many members. */
void fan_add(struct fan *fan, const uint64_t streams[4], uint32_t members);
bool fan_is_due(const struct fan *fan);
/* Begins a round if there is something due and its time has come: its streams are added to `out`.
 * Whether it did. */
bool fan_begin(struct fan *fan, uint64_t now_ns, uint64_t out[4]);
/* How long the next round has to wait, at least. */
uint64_t fan_wait_ms(const struct fan *fan, uint64_t now_ns);
