/* SPDX-License-Identifier: Apache-2.0 */
/* objectives.h - what a run was told to keep within: a percentile of a latency each. */
#pragma once

#include "bench/tally.h"

#include <stdbool.h>
#include <stdint.h>

enum objective {
    OBJECTIVE_SENT,
    OBJECTIVE_DELIVERY,
    OBJECTIVE_TICK,
    OBJECTIVE_LOGIN,
    OBJECTIVE_BACK, /* all of them */
    OBJECTIVES,
    OBJECTIVES_MESSAGES = OBJECTIVE_LOGIN, /* those of messages come first */
};

struct objectives {
    uint64_t wanted_ns[OBJECTIVES]; /* 0: none is stated */
};

struct objective_found {
    uint64_t wanted_ns, found_ns;
    bool stated, kept;
    bool known; /* it was measured */
};

bool objectives_stated(const struct objectives *objectives);
/* One that is not stated is kept. Nothing measured misses what is stated. */
struct objective_found objective_look(const struct objectives *objectives, enum objective objective,
                                      const struct tally *tally);
/* "p99_delivery", as JSON has it; and for people. */
const char *objective_name(enum objective objective);
const char *objective_text(enum objective objective);
