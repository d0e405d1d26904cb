/* SPDX-License-Identifier: Apache-2.0 */
/* workload.h - what a node's actors have on other threads: all schedulers' counts together. */
#pragma once

#include "runtime/inspect.h"

/* Adds what one scheduler told. `sums` begins zeroed. */
void workload_add(struct ln_work_info sums[LN_WORK_KINDS], const struct ln_scheduler_info *info);
/* "normal", "low", "long". */
const char *workload_kind_name(enum ln_work_kind kind);
