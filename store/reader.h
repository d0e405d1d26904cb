/* SPDX-License-Identifier: Apache-2.0 */
/* reader.h - reads LMDB for a scheduler's partitions.
 *
 * It takes all requests that wait (fetch.h), reads them in one job of a worker, each cell's out of
 * one snapshot, and answers each. Handing a job to a worker and waking its scheduler again costs
 * more than the reading when records are in the page cache, so there is one reader for all cells of
 * a scheduler: workers are about as many as schedulers, and more jobs would wait for them.
 *
 * A process, one per scheduler that is some cell's home; its argument is a struct journal *.
 */
#pragma once

#include "runtime/linnet.h"

extern const struct ln_behaviour reader_behaviour;
