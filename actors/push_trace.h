/* SPDX-License-Identifier: Apache-2.0 */
/* push_trace.h - what became of the last pushes: a ring of steps, of all devices of a scheduler.
 *
 *     push_trace_add(&trace, &step);
 *     for (at = 0; push_trace_next(&trace, &at, user, &step);) { ... oldest first ... }
 *
 * For an operator's eyes: it starts empty at each start. One actor's.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stdint.h>

enum { PUSH_TRACE_STEPS = 8192 };

enum push_step_kind {
    PUSH_STEP_QUEUED,     /* the device is due */
    PUSH_STEP_SUPPRESSED, /* it acknowledged in time */
    PUSH_STEP_SENT,       /* an attempt was begun */
    PUSH_STEP_ACCEPTED,   /* with this status */
    PUSH_STEP_RETRIED,    /* it failed with this status, and is tried again later */
    PUSH_STEP_DROPPED,    /* likewise, and is not */
    PUSH_STEP_GONE,       /* likewise, and the subscription with it */
    PUSH_STEP_KINDS,
};

struct push_step {
    uint64_t at_ms; /* since 1970 */
    uint64_t user;
    uint64_t number; /* of the inbox entry that it is woken for; 0: not known yet */
    uint16_t device;
    uint8_t kind;
    uint8_t attempt; /* 1, 2 ...; 0: before the first */
    int16_t status;  /* HTTP's, or a negative errno; 0: none */
    bool test;
};

struct push_trace {
    struct push_step *steps; /* ln_alloc's */
    uint64_t count;          /* since the start; the last PUSH_TRACE_STEPS of them are there */
};

/* In the actor that owns it, whose memory it takes. */
void push_trace_init(struct push_trace *trace);
void push_trace_add(struct push_trace *trace, const struct push_step *step);
/* The next step of a user from *at on (0 at first), which moves on; false: there is none left. */
bool push_trace_next(const struct push_trace *trace, uint64_t *at, uint64_t user,
                     struct push_step *out);

/* "queued" and so on; a literal. */
const char *push_step_name(enum push_step_kind kind);
