/* SPDX-License-Identifier: Apache-2.0 */
/* latch.h - a door that opens once: what a thread outside of all loops waits at. */
#pragma once

#include <stdint.h>

struct latch;

/* Closed. NULL without memory. */
struct latch *latch_new(void);
/* Nobody waits, and nobody will open it. NULL is allowed. */
void latch_free(struct latch *latch);
/* Any thread, once. */
void latch_open(struct latch *latch);
/* Waits until it is open, at most timeout_ms (UINT64_MAX: for ever). 0 or -ETIMEDOUT. */
int latch_wait(struct latch *latch, uint64_t timeout_ms);
