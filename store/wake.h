/* SPDX-License-Identifier: Apache-2.0 */
/* wake.h - devices that want to be woken when something waits for them and they are offline: what
 * is asked of a partition about that (request.h has the tags), and what it answers.
 *
 * A device's *subscription* says how it is woken; the store does not look into it. A device is
 * *due* from the moment on at which a message of somebody else enters the inbox, until
 *
 *     it has acknowledged all of them,                        STORE_ACK
 *     or it was woken for the newest of them,                 STORE_WAKE_DONE
 *     or its subscription, the device or the user is gone.    STORE_WAKE_CLEAR and others
 *
 * Being due is a record of its own, written and deleted in the same apply as its cause: so who is
 * due is found again after a start by reading one short table (STORE_WAKE_LIST), and the inbox with
 * these records is the outbox of pushes. When a device becomes due the waker of its scheduler
 * (store_waker_set) is told, in the lossy lane: what it misses it finds in the table later.
 */
#pragma once

#include "runtime/linnet.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STORE_WAKE_ENDPOINT_BYTES_MAX = 1024,
    STORE_WAKE_APP_BYTES_MAX = 1024,
    STORE_WAKE_P256DH_BYTES = 65,
    STORE_WAKE_AUTH_BYTES = 16,
};

enum store_wake_kind {
    STORE_WAKE_WEBHOOK = 1, /* the operator's server is asked to; `app` tells it how */
    STORE_WAKE_WEBPUSH = 2, /* a push service is, at `endpoint`, with keys */
};

/* A device's subscription; it replaces the one before. The buffer holds the endpoint, then what the
 * client wants to be told with each push. */
struct store_wake_set {
    uint64_t user;
    uint16_t device;
    uint8_t kind; /* enum store_wake_kind */
    uint16_t endpoint_bytes;
    uint16_t app_bytes;
    unsigned char p256dh[STORE_WAKE_P256DH_BYTES];
    unsigned char auth[STORE_WAKE_AUTH_BYTES];
};

/* There is none any more: only if it is still this one. */
struct store_wake_clear {
    uint64_t user;
    uint64_t id; /* 0: whichever it is */
    uint16_t device;
};

/* How a device stands. The buffer holds the endpoint, then the client's own. */
struct store_wake_state {
    struct store_wake_set set;
    uint64_t id; /* of this subscription; never given again */
    uint64_t set_at_ms;
    uint64_t newest; /* the inbox entry that was worth waking for, the last one */
    uint64_t woken;  /* the entry for which it was woken, or given up, the last time */
    uint64_t acked;
    bool due;
    bool online;        /* a session is attached for it */
    uint64_t due_for;   /* due: the entry that made it so; it names all attempts to wake it */
    uint64_t due_at_ms; /* due: since when */
    uint64_t call;      /* due: the entry of a call that rings, and is among the reasons; 0: none */
    uint64_t ring_until_ms; /* likewise: how long it rings at most */
};

/* It was woken for `newest`, or nobody will try any more. */
struct store_wake_done {
    uint64_t user;
    uint64_t id;
    uint64_t newest;
    uint16_t device;
};

/* Who is due in this partition, beginning behind a device. */
struct store_wake_list {
    uint64_t user;
    uint16_t device;
    uint32_t max; /* 0: STORE_ROWS_MAX */
};
struct store_wake_page {
    uint64_t user; /* where to go on: behind this device */
    uint32_t count;
    uint16_t device;
    bool more;
};
struct store_wake_due {
    uint64_t user;
    uint64_t due_for;
    uint64_t due_at_ms;
    uint16_t device;
    bool urgent; /* it is offline, and somebody calls: only told, not kept */
};
