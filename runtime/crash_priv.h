/* SPDX-License-Identifier: Apache-2.0 */
/* crash_priv.h - crash reports and the watchdog, as a scheduler sees them. For runtime/ alone. */
#pragma once

#include "runtime/crash.h"

struct actor;
struct scheduler;

enum {
    /* So many handled messages of all actors of a scheduler are remembered: those of one turn, and
     * more. A power of two. */
    RECENT_MESSAGES = 256,
    /* Behaviours whose stalls are counted one by one, per scheduler; those beyond are counted
     * together. */
    STALL_BEHAVIOURS = 32,
};

struct recent_message {
    ln_pid to, from;
    uint32_t tag, bytes;
};

/* Written by the ticks, between any two instructions of the scheduler's thread. */
struct watch {
    uint64_t turn;  /* what was running at the last tick */
    uint32_t ticks; /* that found the same, since */
    uint32_t ticks_stall, ticks_stuck;
    uint64_t tick_ms;
    struct ln_stall noticed;
    volatile int notices; /* `noticed` waits to be reported */
};

struct crash_log {
    struct ln_crash crashes[LN_CRASHES_KEPT]; /* number n at n % LN_CRASHES_KEPT */
    struct ln_stall stalls[LN_CRASHES_KEPT];
    uint64_t crashes_count, stalls_count;
    struct {
        const char *behaviour;
        uint64_t count;
    } stalled[STALL_BEHAVIOURS];
    uint64_t second; /* of which so many have been logged: */
    uint32_t logged;
    uint64_t left_out; /* since the last that was logged */
    char text[4096];   /* too much for an actor's stack */
};

/* Keeps and logs a report of the actor, which is about to end, and of how it failed. */
void crash_report(struct scheduler *scheduler, const struct actor *actor,
                  const struct ln_reason *reason);
/* A request for what is kept. Takes *msg. */
void crashes_arrived(struct scheduler *scheduler, struct ln_msg **msg);
void crash_log_free(struct scheduler *scheduler);

/* The io driver's tick. */
void watchdog_tick(void *scheduler);
/* Reports what the ticks noticed. At the end of a turn. */
void watchdog_report(struct scheduler *scheduler);
