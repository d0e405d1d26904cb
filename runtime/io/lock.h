/* SPDX-License-Identifier: Apache-2.0 */
/* lock.h - mutual exclusion for threads that may wait for each other: workers, and whoever starts
 * and stops a node. A loop's thread may try one, and takes one only that nobody has for longer than
 * a few instructions at that time. On the simulated machine, where a worker's job runs in one
 * piece, nobody ever waits. */
#pragma once

#include "runtime/check.h"

#include <stdbool.h>

struct lock;

/* NULL without memory. */
struct lock *lock_new(void);
/* Nobody has it, or wants it. NULL is allowed. */
void lock_free(struct lock *lock);
/* Waits until nobody has it. Not again by the thread that has it. */
void lock_take(struct lock *lock);
/* Takes it, unless somebody has it. */
MUST_CHECK bool lock_try(struct lock *lock);
void lock_give(struct lock *lock);
