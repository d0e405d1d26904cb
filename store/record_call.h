/* SPDX-License-Identifier: Apache-2.0 */
/* record_call.h - the calls that a user is in, or has left a moment ago:
 *
 *     CALLS  user  0  0   there while there is one
 *
 * One of them at most is current: it rings, or was answered. The others are over for the callee,
 * and wait for the caller's partition to say how they ended. As record.h's others. */
#pragma once

#include "store/call.h"
#include "store/record.h"

enum record_call_state {
    RECORD_CALL_RINGING = STORE_CALL_RINGING,
    RECORD_CALL_ANSWERED = STORE_CALL_ANSWERED,
    RECORD_CALL_ENDING = STORE_CALL_ENDED, /* of the callee's alone */
};

struct record_call {
    struct store_call_id id;
    uint64_t peer;
    uint64_t started_at_ms;
    uint64_t ring_until_ms;
    uint64_t answered_at_ms; /* 0: it was not */
    uint64_t entry;          /* its entry in the user's inbox; 0: there is none */
    uint16_t device;         /* the callee's that answered; 0: none has */
    uint8_t state;           /* enum record_call_state */
    bool video;
    bool absent; /* the user's device in it was away at the last look */
    uint8_t name_bytes;
    const char *name; /* the caller's */
};

enum {
    RECORD_CALLS_MAX = 4,
    RECORD_CALL_BYTES_MAX = 8 + 8 + 2 + 4 * 8 + 8 + 2 + 4 + STORE_NAME_BYTES_MAX,
    RECORD_CALLS_BYTES_MAX = RECORD_HEADER_BYTES + 1 + RECORD_CALLS_MAX * RECORD_CALL_BYTES_MAX,
};

struct record_calls {
    unsigned count;
    struct record_call calls[RECORD_CALLS_MAX];
};

size_t record_calls_encode(const struct record_calls *calls,
                           unsigned char out[RECORD_CALLS_BYTES_MAX]);
/* Names are borrowed from the value. */
MUST_CHECK int record_calls_decode(struct store_value value, struct record_calls *out);
