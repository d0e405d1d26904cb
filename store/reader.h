/* SPDX-License-Identifier: Apache-2.0 */
/* reader.h - reads LMDB for a scheduler's partitions.
 *
 * It takes all requests that wait (fetch.h), reads them in one job, each cell's out of one
 * snapshot, and answers each. There is one reader for all cells of a scheduler, so that what waits
 * together is one job.
 *
 * A job is a worker's, since it may wait for the disk, and a scheduler must not. But handing it
 * over and being woken again costs more than the reading when records are in the page cache.
 * Whether they are, the kernel tells afterwards (io_page_waits): after a few hundred jobs in a row
 * that have not waited, the reader begins them itself. It leaves to a worker what is much, what
 * belongs to files that are closed, and all from a record on that was waited for.
 *
 * A process, one per scheduler that is some cell's home; its argument is a struct journal *.
 */
#pragma once

#include "runtime/linnet.h"

extern const struct ln_behaviour reader_behaviour;
