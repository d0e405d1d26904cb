/* SPDX-License-Identifier: Apache-2.0 */
/* recovery.h - from what the disk holds to partitions that may serve.
 *
 *     directory, environments      opened, and the lock taken
 *     each partition's ledger      loaded as LMDB has it, at its cell's position P
 *     each log, from the least P   applied to the deltas: what LMDB does not have yet; several at
 *                                  the same time
 *     the number of logs changed?  everything is folded, and a new generation of logs begins
 *     the logs                     opened behind their last good batch
 *     each partition               begins a new epoch, durably
 *
 * Start-up only, before the schedulers run.
 */
#pragma once

#include "runtime/check.h"
#include "store/store_priv.h"

/* 0, or a negative errno with report->why (store_open). What has been opened stays for
 * store_close. */
MUST_CHECK int recovery_run(struct store *store, struct store_report *report);
