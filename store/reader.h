/* SPDX-License-Identifier: Apache-2.0 */
/* reader.h - reads a cell's LMDB for its partitions.
 *
 * It takes all requests that wait (fetch.h), reads them out of one snapshot in one job of a worker,
 * and answers each.
 *
 * A process, one per cell; its argument is a struct cell *.
 */
#pragma once

#include "runtime/linnet.h"

extern const struct ln_behaviour reader_behaviour;
