/* SPDX-License-Identifier: Apache-2.0 */
/* placement.h - how far apart two cores are at this moment. Where a hypervisor lends them it moves
 * them, within seconds, and what crosses from one to the other takes two or three times as long;
 * so a run says how far they were before and after it, and like is compared with like. */
#pragma once

#include <stdint.h>

/* Nanoseconds that a cache line takes to the other core, the least of many looks; 0: not known,
 * since this process has one core, or a thread can't be bound to one, or others kept the cores
 * busy. Blocks for PLACEMENT_MS_MAX at most, longer only where the cores are not free. One caller
 * at a time. */
uint32_t placement_line_ns(void);
/* What looks say: the least of them; 0 when that is impossible, or too few agree with it. */
uint32_t placement_judge(const uint32_t *looks_ns, unsigned count);

enum { PLACEMENT_MS_MAX = 50, PLACEMENT_NEAR_NS = 100 };
