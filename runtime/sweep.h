/* SPDX-License-Identifier: Apache-2.0 */
/* sweep.h - a clock for a crowd: goes round over the actors of the calling scheduler, some at a
 * time, and says the same to those of one behaviour, none of which needs a timer of its own.
 *
 *     ln_sweep(&state->sweep, &connection_behaviour, LOOK, 256);      on each tick of one timer
 */
#pragma once

#include "runtime/linnet.h"

/* Begins zeroed. */
struct ln_sweep {
    uint32_t next;  /* slot to go on at; 0: a round begins */
    uint32_t slots; /* a round's, as of the last step */
};

/* A step of `slots` slots, fewer at the end of a round. The message is empty, and lies in the lossy
 * lane with its tag as its key: who has not served the last one gets no second. Never yields. */
void ln_sweep(struct ln_sweep *sweep, const struct ln_behaviour *behaviour, uint32_t tag,
              uint32_t slots);
