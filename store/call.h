/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - calls between two users: what is asked of a partition about them (request.h has the
 * tags), and what it tells.
 *
 * A call is named by the message id of its offer. Each of the two asks his own partition, always;
 * what one side says reaches the other through the outbox, and the caller's partition has the last
 * word on how it ended:
 *
 *     caller's partition                          callee's partition
 *     OFFER  --------------------- offer ------>  rings, or: busy, failed; blocked: says nothing
 *     answered  <----------------- answer ------  ANSWER, by the first device that does
 *     ended  <-------------------- end asked ---  END (hang up, decline), or a device is gone
 *     END, or nobody answered --- ended ------->  ended: the same outcome, the same times
 *
 * On both sides each step is an entry of the inbox (STORE_ENTRY_CALL), in place of the one before
 * it. So all devices of both are told, one that was away finds the offer while it rings and what
 * came of it later, and nothing is lost in a crash. What is of no use later (it rings there, a
 * candidate) goes past the log, from session to session: STORE_CALL_SIGNAL.
 *
 * A user is in one call at a time. Plain values.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    STORE_CALL_CONTENT_BYTES_MAX = 16 << 10, /* of an offer, an answer, a candidate */
    STORE_CALL_RING_MS_MAX = 600 * 1000,
    /* How often a call that was answered is looked at: of whom two looks on end find no session,
     * he has left it. */
    STORE_CALL_LOOK_MS = 30 * 1000,
};

struct store_call_id {
    uint64_t caller;
    uint64_t number; /* of the caller's device */
    uint16_t device;
};

enum store_call_state {
    STORE_CALL_RINGING = 1,
    STORE_CALL_ANSWERED = 2,
    STORE_CALL_ENDED = 3,
};

enum store_call_outcome {
    STORE_CALL_TALKED = 1, /* it was answered */
    STORE_CALL_MISSED = 2, /* nobody did */
    STORE_CALL_DECLINED = 3,
    STORE_CALL_BUSY = 4,
    STORE_CALL_CANCELLED = 5, /* by the caller, before anybody did */
    STORE_CALL_FAILED = 6,    /* answered or not */
};

enum store_call_reason {
    STORE_CALL_HANG_UP = 1,
    STORE_CALL_DECLINE = 2,
    STORE_CALL_REJECT_BUSY = 3,
    STORE_CALL_CANCEL = 4,
    STORE_CALL_FAIL = 5,
};

enum store_call_signal_kind {
    STORE_CALL_RINGS = 1,     /* a device of the callee's does */
    STORE_CALL_CANDIDATE = 2, /* a way for the media */
};

/* Whether the first user could be called. Asked of the caller's own partition, whether he has had a
 * message from the other one: then `user` is himself. */
struct store_call_look {
    uint64_t user; /* who would be called */
    uint64_t caller;
};
struct store_call_looked {
    bool known; /* a message has passed, as far as the user's partition knows (chat_met) */
};

/* What one does in a call, or with what is to become one. The buffer holds the content. */
struct store_call_act {
    uint64_t user; /* whose device does it */
    struct store_call_id id;
    uint64_t callee;        /* OFFER */
    uint32_t ring_ms;       /* OFFER: so long, unless something comes of it */
    uint32_t content_bytes; /* OFFER, ANSWER, SIGNAL */
    uint16_t device;
    uint8_t reason;  /* END: enum store_call_reason */
    uint8_t signal;  /* SIGNAL: enum store_call_signal_kind */
    bool video;      /* OFFER */
    bool known_only; /* OFFER: only one that was accepted before is answered; else -EUSERS */
    uint8_t name_bytes;
    char name[64]; /* OFFER: the caller's */
};

/* To a session: the other side signals. The buffer holds the content. */
struct store_call_told {
    uint64_t user;
    struct store_call_id id;
    uint64_t peer;
    uint16_t device; /* the peer's, that does */
    uint8_t signal;
};

/* Users of a partition who are in a call: behind one of them. */
struct store_call_list {
    uint64_t user;
    uint32_t max; /* 0: STORE_ROWS_MAX */
};
struct store_call_page {
    uint64_t user; /* where to go on: behind this one */
    uint32_t count;
    bool more;
};
struct store_call_row {
    uint64_t user;
    struct store_call_id id;
    uint64_t peer;
    uint64_t started_at_ms;
    uint64_t answered_at_ms; /* 0: it rings */
    uint16_t callee_device;  /* 0: it rings */
    bool video;
};

/* What is counted of calls, in the caller's partition: each once. */
enum store_call_count {
    STORE_CALL_COUNT_OFFERS,
    STORE_CALL_COUNT_TALKED, /* from here on by outcome: STORE_CALL_TALKED and so on */
    STORE_CALL_COUNT_MISSED,
    STORE_CALL_COUNT_DECLINED,
    STORE_CALL_COUNT_BUSY,
    STORE_CALL_COUNT_CANCELLED,
    STORE_CALL_COUNT_FAILED,
    STORE_CALL_COUNT_SIGNALS, /* relayed */
    STORE_CALL_COUNT_REFUSED, /* what was of no call, or no more */
    STORE_CALL_COUNTS,
};
