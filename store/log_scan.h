/* SPDX-License-Identifier: Apache-2.0 */
/* log_scan.h - reading a log back after a stop, a kill or a power cut, and telling what a crash
 * does from damage.
 *
 * The scan starts at the segment of `from` and follows the chain: each batch must be whole,
 * continue the number and name the checksum of the one before. Where the chain breaks off there are
 * four cases:
 *
 *     the next segment's first batch continues it      the segment was full (or was cut here once):
 *                                                      on from there
 *     nothing good anywhere later                      the end
 *     the same, and the beginning of a batch follows   a torn tail: the last write was cut off
 *     a good batch later, here or in a later segment   damage: -EUCLEAN; `why` tells the offset
 *
 * Only one batch is in flight at a time, so a good batch proves that all before it had been
 * durable. A segment that is missing from the row, that can't be read, whose header is wrong, or
 * that belongs to another directory is damage too, as is a log that ends before `at_least`:
 * something that was durable is gone.
 *
 *     struct log_scan scan = {.place = &place, .from = low, .at_least = high, .each = replay};
 *     result = log_scan_run(&scan, &end);
 *
 * Start-up and tools only; never writes.
 */
#pragma once
#include "runtime/check.h"
#include "store/log.h"

struct log_scan {
    const struct log_place *place;
    uint64_t
        /* the lowest mark of the cells served: batches before it are not told; 0: from the oldest
         * on */
        from;
    uint64_t
        at_least; /* the highest mark of the cells served: the log must reach it; 0: no such mark */
    /* Called for each batch from `from` on, in order; its bytes are borrowed until it returns. A
     * value other than 0 ends the scan and is returned. */
    int (*each)(void *context, struct log_batch *batch);
    void *context;
    char why[LOG_WHY_BYTES]; /* out: one sentence for the operator when the result is negative */
};

/* 0 with *out filled (log_end_fresh when there is no segment and none is needed); -EUCLEAN for
 * damage; or another negative errno; or what `each` returned. */
MUST_CHECK int log_scan_run(struct log_scan *scan, struct log_end *out);

/* Removes all segments of one log: after everything in it has been folded and a newer generation
 * has begun. 0 or a negative errno. Safe to repeat. */
MUST_CHECK int log_scan_remove(const struct log_place *place);
