/* SPDX-License-Identifier: Apache-2.0 */
/* work.h - what a scheduler counts of the work that its actors have on other threads (work.c). */
#pragma once

#include "runtime/inspect.h"

struct scheduler;
struct tally;

/* Of one kind. Its counts begin zeroed. */
struct work_kind {
    struct tally *first, **last; /* under way, as it was asked for; last: where the next one goes */
    struct ln_work_info counts;  /* all but oldest_ns */
};

/* Nothing is under way. */
void work_init(struct work_kind kinds[LN_WORK_KINDS]);
/* As of now_ns. */
void work_info(const struct work_kind kinds[LN_WORK_KINDS], uint64_t now_ns,
               struct ln_work_info out[LN_WORK_KINDS]);
