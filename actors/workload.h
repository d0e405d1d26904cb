/* SPDX-License-Identifier: Apache-2.0 */
/* workload.h - what a node's actors wait for on other threads: all schedulers' counts together. */
#pragma once

#include "runtime/inspect.h"

/* Called from inside an actor. Yields. A scheduler that ends meanwhile counts nothing. */
void workload_read(struct ln_work_info out[LN_WORK_KINDS]);
/* "normal", "low", "long". */
const char *workload_kind_name(enum ln_work_kind kind);
