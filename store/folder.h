/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h - folds a cell: carries what the journal has frozen to LMDB, frees what nobody looks
 * into any more, and merges.
 *
 * It writes as low-priority work, so a fold costs the schedulers nothing but its freeze, until more
 * than one waits for another: then they share the cores with one of these. A fold that fails is
 * tried again with the same tables, after pauses that grow from half a second to four; as long as
 * it fails the log grows and memory fills up to its bound.
 *
 * Behind a fold it merges runs of inboxes (runs.h), as work of the same kind, one merge at a time
 * in all of the store: a fold that is due goes first, unless eight have gone without a merge, and
 * where the disk is full none is made.
 *
 * A process, one per cell; its argument is a struct cell *.
 */
#pragma once

#include "runtime/linnet.h"

extern const struct ln_behaviour folder_behaviour;
