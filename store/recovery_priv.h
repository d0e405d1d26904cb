/* SPDX-License-Identifier: Apache-2.0 */
/* recovery_priv.h - a start as its files see it:
 *
 *     recovery.c         all of it, step by step
 *     recovery_replay.c  the step that applies the logs' tails
 */
#pragma once

#include "store/log_scan.h"
#include "store/recovery.h"
#include "store/skip_list.h"

#include <stdio.h>

/* On the heap: it is large. */
struct recovery {
    struct store *store;
    struct store_report *report;
    struct skip_list skips;
    struct environment_read *reads; /* one per cell, while the logs are applied */
    unsigned reads_count;
    struct effects effects;
    struct log_end *ends; /* one per log */
    char why[LOG_WHY_BYTES];
};

/* Notes the sentence that tells the operator. */
#define RECOVERY_FAIL(recovery, error, ...) \
    ((void)snprintf((recovery)->report->why, STORE_WHY_BYTES, __VA_ARGS__), (error))

static inline const struct directory_facts *
recovery_facts(const struct recovery *recovery)
{
    return directory_facts(recovery->store->directory);
}

/* recovery.c: where this log of a generation lies. */
void recovery_place(const struct recovery *recovery, uint32_t generation, uint32_t log,
                    struct log_place *out);

/* recovery_replay.c: from where each cell is folded to the end of its log, which is noted in
 * recovery->ends. What is cold is read through recovery->reads. */
MUST_CHECK int recovery_replay(struct recovery *recovery);
