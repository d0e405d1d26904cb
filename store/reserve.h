/* SPDX-License-Identifier: Apache-2.0 */
/* reserve.h - disk space that is held back for the day when the disk is full.
 *
 * A file of the reserve's size lies in the data directory. When a segment or a fold meets a full
 * disk it is removed: messages are refused from then on, but acknowledgements, removals and folds
 * go on in the space it leaves, and give back more of it. When there is enough again the file is
 * made anew and the disk counts as not full.
 *
 * The functions wait for the disk: worker threads and start-up.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"

struct reserve {
    struct io_driver *driver;
    const char *directory; /* borrowed */
    uint64_t bytes;        /* 0: none is held */
};

/* Takes hold of the space, unless it is held already; -ENOSPC when that would leave less than as
 * much again free. */
MUST_CHECK int reserve_hold(const struct reserve *reserve);
/* Gives it free; again: no effect. */
MUST_CHECK int reserve_release(const struct reserve *reserve);
