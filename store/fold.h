/* SPDX-License-Identifier: Apache-2.0 */
/* fold.h - carrying a cell's frozen tables into its LMDB environment, in one transaction.
 *
 * The tables of a cell's partitions are frozen at one log position P. The fold writes their dirty
 * entries in order of keys (the partition leads the key, so: table after table), deletes the ranges
 * that watermarks among them imply, and sets P, all in one transaction: the environment is the
 * state at the old P or at the new one. A fold that failed or was cut off is simply run again, with
 * the same tables or with what replay made of the same commands; where it had been done, nothing
 * happens.
 *
 *     struct fold fold = {.environment = e, .tables = frozen, .tables_count = n, .mark = p, ...};
 *     result = fold_run(&fold);                 as low-priority work
 *
 * The caller holds tables and environment still until it returns.
 */
#pragma once
#include "runtime/check.h"
#include "store/environment.h"
#include "store/table.h"

struct fold_stats {
    uint64_t written;
    uint64_t deleted;
    uint64_t ranges;         /* watermarks looked at */
    uint64_t ranges_deleted; /* records they deleted */
    uint64_t bytes;          /* keys and values written */
};

struct fold {
    struct environment *environment;
    const struct table *const
        *tables; /* frozen, by rising partition; NULL entries are passed over */
    unsigned tables_count;
    struct log_mark mark;
    /* Asked for each WRITTEN entry, with 0, 1, 2 ... until it says no: whether it implies that
     * (yet) a range of records is gone (a user's inbox up to his lowest cursor), and which. When it
     * says yes it is asked again with what the environment had of the entry until then (empty: it
     * had none): what that implied, earlier folds have deleted. Pure; called on the worker. NULL:
     * none ever does. The range must lie in the entry's partition. The ranges are deleted after
     * everything has been written. */
    bool (*implies)(const struct table_entry *entry, const struct store_value *before,
                    unsigned index, struct store_range *out);
    struct fold_stats stats; /* out, when 0 is returned */
};

/* 0: durable. Else nothing happened: -ENOSPC, -EFBIG (environment.h), -ESTALE when the environment
 * is already beyond the mark, or another negative errno. On a worker thread; waits for the disk. */
MUST_CHECK int fold_run(struct fold *fold);
