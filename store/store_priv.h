/* SPDX-License-Identifier: Apache-2.0 */
/* store_priv.h - what a store is made of. */
#pragma once

#include "runtime/check.h"
#include "store/cell.h"
#include "store/directory.h"
#include "store/journal.h"
#include "store/partition.h"
#include "store/steps.h"
#include "store/store.h"

/* What a behaviour gets as its argument. */
union store_argument {
    struct cell *cell;
    struct journal *journal;
    struct partition *partition;
    struct steps *steps;
};

struct store {
    struct store_options options; /* defaults filled in */
    struct directory *directory;
    uint64_t seed;
    unsigned cells_count;
    unsigned journals_count;
    struct cell *cells;
    struct journal *journals;
    struct partition *partitions;
    struct steps *steps; /* one per scheduler, unless none are kept */
    unsigned steps_count;
    _Atomic uint64_t steps_clock; /* steps.c */
    union store_argument *arguments;
    struct ln_child *children;
    size_t children_count;
    /* Written by the keepers and folders of all schedulers. Relaxed: it is advice to partitions. */
    _Atomic bool disk_full;
    _Atomic bool merging;                          /* a worker does, for some cell: folder.c */
    _Atomic uint32_t starts_begun, starts_through; /* of partitions' actors: below */
};

/* Partition p's cell is p % cells, a cell's scheduler is cell % journals. */
static inline unsigned
store_cell_of(const struct store *store, unsigned partition)
{
    ASSERT(store->cells_count > 0);
    return partition % store->cells_count;
}
static inline unsigned
store_journal_of(const struct store *store, unsigned cell)
{
    ASSERT(store->journals_count > 0);
    return cell % store->journals_count;
}

static inline ln_pid
store_pid_get(const _Atomic ln_pid *pid)
{
    return atomic_load_explicit(pid, memory_order_acquire);
}
static inline void
store_pid_set(_Atomic ln_pid *pid, ln_pid to)
{
    atomic_store_explicit(pid, to, memory_order_release);
}

/* From now on that is the partition's actor. Any scheduler.
 *
 * Who acquires the pid finds the start begun: that comes before, and the pid is released. Who
 * acquires `through` finds the pids of all those starts, and that each of them had begun. So where
 * no more have begun than were through, a pid that is read now was there then. */
static inline void
store_partition_started(struct store *store, struct partition *partition, ln_pid pid)
{
    atomic_fetch_add_explicit(&store->starts_begun, 1, memory_order_relaxed);
    store_pid_set(&partition->pid, pid);
    atomic_fetch_add_explicit(&store->starts_through, 1, memory_order_release);
}

bool store_disk_full(const struct store *store);
