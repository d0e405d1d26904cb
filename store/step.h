/* SPDX-License-Identifier: Apache-2.0 */
/* step.h - where a message has got to: each step of its way as a record of 32 bytes.
 *
 *     accepted -> durable -> queued for each device -> written to its socket -> acknowledged, read
 *
 * Steps are notes for operators (`linnet msg trace`). They are kept beside the store and never
 * synced: the last second may be missing after a power cut, and no promise depends on them.
 *
 * A message is named by its mark, a keyed hash of its id: of two among the thirty million steps of
 * a gigabyte one meets another's with a chance of one in 10^11. Acknowledgements and the like are
 * cursors: they name no message but a user, a device and a number, up to which all is meant; what
 * was queued tells which messages those are (step_search.h).
 *
 *     0   mark 8       of the message; STEP_READ: the chat's other side; of other cursors 0
 *     8   user 7, kind 1
 *     16  number 8
 *     24  device 2, time 6 (tens of microseconds since 1970: until 2059)
 *
 * little-endian. Plain values: any thread.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stdint.h>

/* What user, device and number are of each; the files hold the values. */
enum step_kind {
    STEP_NONE = 0,     /* a hole that a crash left */
    STEP_ACCEPTED = 1, /* a partition has taken it in: the user it is for */
    STEP_DURABLE = 2,  /* it is on the disk: the user it is for, its number in the chat */
    STEP_REPEATED = 3, /* the same, but it had been accepted before */
    STEP_REFUSED = 4,  /* the user it is for, or the sender and the device that were told; errno */
    STEP_ANSWERED = 5, /* the sender and the device that were told; its number in the chat */
    STEP_QUEUED = 6,   /* in an inbox: user, device (0: the first to come), number there */
    STEP_WRITTEN = 7,  /* to the device's socket; likewise */
    STEP_PUSHED =
        8, /* a cursor: a push service was told of what waits for the device up to there */
    STEP_ACKNOWLEDGED = 9, /* a cursor: user and device have all up to the number in the inbox */
    STEP_READ = 10,        /* a cursor: the user has read the chat up to the number in it */
    STEP_GIVEN_UP = 11,    /* a cursor: the device lost its place, up to the number in the inbox */
    STEP_EXPIRED = 12,     /* a cursor: what the device had not fetched up to there is gone; with a
                              mark: the message's own time was over, and it left the user's inbox */
    STEP_MISSED = 13,      /* so many steps were not noted here: the disk was too slow */
    STEP_KINDS,
};

enum {
    STEP_BYTES = 32,
    STEP_WORDS = STEP_BYTES / sizeof(uint64_t),
    STEP_TICK_US = 10,
};
#define STEP_USER_MAX ((UINT64_C(1) << 56) - 1)

struct step {
    enum step_kind kind;
    uint16_t device;
    uint64_t mark;
    uint64_t user;
    uint64_t number;
    uint64_t ticks; /* since 1970, of STEP_TICK_US each */
};

/* The mark of a message. `seed` is the data directory's. Never 0. */
uint64_t step_mark(uint64_t seed, uint64_t sender, uint16_t device, uint64_t number);

void step_pack(const struct step *step, uint64_t out[STEP_WORDS]);
/* False: it is none (a hole, or of a later version). */
bool step_unpack(const uint64_t words[STEP_WORDS], struct step *out);

static inline uint64_t
step_ticks(const uint64_t words[STEP_WORDS])
{
    return words[3] >> 16;
}

/* "accepted" and so on. */
const char *step_kind_name(enum step_kind kind);
