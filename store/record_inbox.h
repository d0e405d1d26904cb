/* SPDX-License-Identifier: Apache-2.0 */
/* record_inbox.h - HEAD: how far an inbox reaches, and how far each device has got in it. Its
 * entries are in entry.h. As record.h has it.
 */
#pragma once

#include "store/record.h"

/* How far something has got in an inbox: a number, and the messages and bytes from the inbox's
 * beginning up to it. */
struct record_place {
    uint64_t number;
    uint64_t entries;
    uint64_t bytes;
};

enum record_cursor_state {
    RECORD_CURSOR_HOLDS,   /* everything above `acked` is kept for it */
    RECORD_CURSOR_LOST,    /* it reached its limit: nothing is kept until it attaches again */
    RECORD_CURSOR_RESUMED, /* attached since: holds again, with a hole that it has to be told of */
    RECORD_CURSOR_EXPIRED, /* what it had not taken in grew too old: holds, with a hole likewise */
};

struct record_cursor {
    uint16_t device;
    uint8_t state;
    bool wakes;     /* it has a subscription, and is woken (wake.h) */
    bool due;       /* likewise: its DUE record is there */
    uint64_t woken; /* likewise: for the entry with this number, the last time; else 0 */
    struct record_place acked;
};

struct record_head {
    bool removed;
    bool unborn;        /* nobody's yet: hold.h */
    bool receipts_off;  /* the user neither tells nor is told what was read */
    uint64_t withdrawn; /* up to here own messages may have been taken back (withdrawn.h) */
    uint64_t missed;    /* number of STORE_ENTRY_MISSED, unless all have passed it */
    uint64_t copied;    /* the newest of what the user wrote elsewhere, unless all have passed it */
    uint16_t missed_of; /* the missed one's device */
    uint8_t holds;      /* how many recipients of the user are unborn, as far as is known here */
    uint16_t device_next;
    uint16_t devices;
    struct record_place low;  /* everything up to here is gone */
    struct record_place last; /* the newest entry */
    uint64_t newest; /* number of the newest one worth waking for; kept while a device wakes */
    struct record_cursor cursors[STORE_DEVICES_LIMIT];
};
size_t record_head_encode(const struct record_head *head, unsigned char out[RECORD_BYTES_MAX]);
MUST_CHECK int record_head_decode(struct store_value value, struct record_head *out);
