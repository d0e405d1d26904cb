/* SPDX-License-Identifier: Apache-2.0 */
/* pace.h - tells the pairs of its thread what is due, and when: messages in an open loop
 * (schedule.h), or all that people do on a day (day.h).
 *
 * The runtime's timers tick in milliseconds, and a message delivered in a tenth of one would be
 * measured mostly by them. So the pacer sleeps on a timer of the kernel's (timerfd_create(2)) that
 * its scheduler's ring polls like a socket.
 */
#pragma once

#include "bench/crowd.h"

struct pace;

/* One per thread; `rate_per_s` is its share. NULL: the kernel has no timer for us. */
struct pace *pace_new(struct crowd *crowd, double rate_per_s);
/* After the thread has stopped. NULL is allowed. */
void pace_free(struct pace *pace);

struct pace_start {
    struct pace *pace;
};
/* Its argument: a struct pace_start. It begins with CROWD_GO, and falls silent by itself at the end
 * of the span. CROWD_STOP goes to it alone: it passes it on to the actors of its thread, behind all
 * that it has still to tell them. */
extern const struct ln_behaviour pace_behaviour;
