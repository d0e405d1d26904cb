/* SPDX-License-Identifier: Apache-2.0 */
/* backlog.h - letters that are due and wait for room, in an open loop: a ring that grows, of an
 * actor's memory. Enough for seconds at any sensible rate of a user; what is due beyond that is
 * counted, and makes the run miss its rate.
 */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>
#include <stdint.h>

enum { BACKLOG_MAX = 4096 };

/* Zero is empty. */
struct backlog {
    uint64_t *due_ns;
    uint32_t first, count, room;
};

/* False: it is full. */
MUST_CHECK bool backlog_push(struct backlog *backlog, uint64_t due_ns);
/* The oldest; there is one. */
uint64_t backlog_first(const struct backlog *backlog);
void backlog_pop(struct backlog *backlog);
