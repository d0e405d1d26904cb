/* SPDX-License-Identifier: Apache-2.0 */
/* couple.h - two users of another messenger who write to each other: an actor with both of their
 * connections, so that what was sent and what was shown meet in one place.
 *
 * Each keeps `window` messages under way, and writes the next when the receipt of one is back.
 * Messages must be shown, and receipts come, each once and in order: the first that does not ends
 * the program.
 */
#pragma once

#include "bench/histogram.h"
#include "bench/peers/dialect.h"
#include "runtime/check.h"
#include "runtime/linnet.h"

#include <stdbool.h>

enum { COUPLE_WINDOW_MAX = 256 };

/* What all couples share, on one scheduler. */
struct couples {
    const struct dialect *dialect;
    struct io_address address;
    ln_pid root; /* is sent a COUPLE_ message of each couple */
    uint32_t window;
    uint32_t bytes; /* of a text */
    bool measuring;
    uint64_t through;        /* messages whose receipt came back in the measured span */
    struct histogram delays; /* from its writing to its being shown, of those shown in it */
};

enum couple_tag {
    COUPLE_READY = 1, /* to the root: both have logged in */
    COUPLE_GO,        /* from the root: write */
    COUPLE_ONCE,      /* from the root: one message each, no more */
    COUPLE_STOP,      /* from the root: no more */
    COUPLE_QUIET,     /* to the root: and all receipts are back */
};

struct couple_start {
    struct couples *couples;
    uint32_t index; /* of the first of the two users: even */
};

/* Its argument is a struct couple_start. */
extern const struct ln_behaviour couple_behaviour;

/* Tells standard error what went wrong, and ends the program with exit code 1. */
_Noreturn void couple_fail(const char *format, ...) PRINTF_LIKE(1, 2);
