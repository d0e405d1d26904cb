/* SPDX-License-Identifier: Apache-2.0 */
/* fan.h - when what a large group says goes to the partitions that have members: in rounds.
 *
 * A member who is given several messages at once costs little more than one who is given one: a
 * push, a send, a segment, an acknowledgement. So in a busy group rounds are to be few, and no
 * message may wait for what does not come. The next round begins 12 us for each member after the
 * one before at the earliest, and then as soon as
 *
 *     - as many messages are due as went with that one,
 *     - or none has come for 4 us for each member,
 *     - or 48 us for each member have passed since it began, or 100 ms.
 *
 * Whoever writes again when all have what he wrote last is
 * through when the round is, with all who wrote for it: their next messages come at once, and go
 * together again. Where no round was for long nothing waits. A group of up to 83 members has no
 * rounds: what it says goes when next looked, at a batch's end, with what else that brings.
 *
 *     fan_add(&fan, streams, members);                       a message was said
 *     if (fan_begin(&fan, now_ns, sends_due)) ...   at once, or after fan_wait_ms(&fan, now_ns)
 *
 * Plain values; zeros are one that has nothing to say.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct fan {
    uint64_t small[4]; /* a bit per partition that has members of small groups */
    uint64_t due[4];   /* likewise, of large ones: the rest is of these */
    uint32_t members;  /* of the largest group that has something due */
    uint32_t messages; /* that are due */
    uint32_t seen;     /* of these at the last look that found more than the one before; */
    uint64_t seen_ns;  /* when that was */
    /* The last round. */
    uint64_t begun_ns;
    uint64_t member_ns; /* MEMBER_NS for each of its members */
    uint32_t together;  /* messages that went with it */
};

/* Something is to go into these streams, of a group with so many members. */
void fan_add(struct fan *fan, const uint64_t streams[4], uint32_t members);
/* Whether something waits for a round. */
bool fan_is_due(const struct fan *fan);
/* The streams of small groups are added to `out`. Begins a round if something waits for one and its
 * time has come: then its streams are, too. Whether it did. */
bool fan_begin(struct fan *fan, uint64_t now_ns, uint64_t out[4]);
/* After how long fan_begin is to be tried again even if nothing more is said: rounded up, and as
 * fan_begin last left it. */
uint64_t fan_wait_ms(const struct fan *fan, uint64_t now_ns);
