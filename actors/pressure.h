/* SPDX-License-Identifier: Apache-2.0 */
/* pressure.h - how far a scheduler is behind, and so what gives way: typing first, then presence,
 * then receipts. What is to be durable never does.
 *
 *     connection ── a command: pressure_now() ──> calm? ── now and then, a timer ──> clock
 *                                                   ^                                  │
 *                                                   +──── how late it came ────────────┘
 *
 * A scheduler is behind when what is due has to wait long for its turn. That is measured with a
 * timer of the scheduler's clock actor, one at a time and only while there are commands, so a node
 * at rest measures nothing. One that is due and has not come yet tells as much as one that has.
 * What counts is the CPU time that the scheduler used meanwhile: a machine that paused has not
 * given it more to do; of other time an eighth counts, since a node that gets too little of its
 * machine is behind as well. A log that takes no more for the moment is as bad as can be.
 *
 * What was measured holds for PRESSURE_HOLD_MS, so that a class is not let in and shed in turns.
 *
 * Plain memory of one scheduler, but for the counters.
 */
#pragma once

#include "runtime/linnet.h"

#include <stdatomic.h>

/* Each is shed with those before it. */
enum pressure {
    PRESSURE_NONE,
    PRESSURE_TYPING,
    PRESSURE_PRESENCE,
    PRESSURE_RECEIPTS,
    PRESSURES,
};

enum {
    PRESSURE_PROBE_MS = 10, /* of the timer */
    PRESSURE_HOLD_MS = 250,
    PRESSURE_WAIT_MS = 250, /* receipts then wait so long for company, on their way in and out */
    PRESSURE_LOOK_MS = 1,   /* a timer that is late is not looked at more often */
    /* From which delay on. A calm scheduler's are below one. */
    PRESSURE_TYPING_MS = 10,
    PRESSURE_PRESENCE_MS = 20,
    PRESSURE_RECEIPTS_MS = 40,
    PRESSURE_OTHER_PART = 8, /* of the time that was not the scheduler's, so much counts */
};

struct pressure_gauge {
    ln_pid clock;                      /* 0: not there yet */
    uint64_t set_ns, set_cpu_ns;       /* when the timer was asked for; 0: it is not */
    uint64_t look_ns;                  /* the last look at one that was late */
    uint64_t until_ns[PRESSURES];      /* so long each is called for */
    _Atomic uint64_t spans[PRESSURES]; /* how often each began */
};

/* ---------------------------------------------------------------------------------------- pure */

/* What a delay calls for of which the scheduler was at work so long. */
enum pressure pressure_of(uint64_t delay_ns, uint64_t cpu_ns);
/* So much is called for at that time. */
void pressure_note(struct pressure_gauge *gauge, enum pressure pressure, uint64_t now_ns);
enum pressure pressure_at(const struct pressure_gauge *gauge, uint64_t now_ns);
/* Whether the timer is so late that it is worth a look. */
bool pressure_look_due(const struct pressure_gauge *gauge, uint64_t now_ns);

/* ----------------------------------------------------------------------------- in the scheduler */

/* The pressure now; sets the timer. */
enum pressure pressure_now(struct pressure_gauge *gauge, bool log_full);
/* What the clock is sent. */
enum {
    PRESSURE_ASKED = 0x00040001, /* by whoever has a command: a timer is to be set */
    PRESSURE_PROBE,              /* by its timer */
};
/* It has been started; it has been sent one of those. In its actor. */
void pressure_start(struct pressure_gauge *gauge);
void pressure_told(struct pressure_gauge *gauge, uint32_t tag);

/* "typing" */
const char *pressure_name(enum pressure pressure);
