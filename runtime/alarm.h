/* SPDX-License-Identifier: Apache-2.0 */
/* alarm.h - messages that are sent later: ln_send_after. For runtime/ alone.
 *
 * An alarm is a record of the scheduler's pool: one cache line with the timer, its place in its
 * owner's list, and the message itself, if it is small. The message that was given is then free at
 * once, and the next one is made of the same warm block. To set and to cancel an alarm touches
 * little else, whatever the order; a million of them are 64 MB, and every further line of each
 * would be a miss. What is cancelled is stale at once, but is taken off the wheel and the list a
 * few cancels later, when the lines of its neighbours have come from memory; all by the turn's end.
 *
 * The number that ln_send_after returns is the record's, its generation, and a bit that tells it
 * from a monitor's.
 */
#pragma once

#include "runtime/scheduler.h"

/* Of a record. */
enum { ALARM_BYTES = 64 };

/* Takes off the wheel what was cancelled. Before timers fire. */
void alarms_settle(struct scheduler *scheduler);
/* Of an actor that ends: none of its messages is sent. */
void alarms_release(struct scheduler *scheduler, struct actor *actor);
