/* SPDX-License-Identifier: Apache-2.0 */
#include "store/folder.h"

#include "store/keep.h"
#include "store/keeper.h"
#include "store/span.h"
#include "store/store_priv.h"
#include "store/tag.h"

#include <errno.h>
#include <malloc.h>

enum {
    /* Between two tries of a fold that fails; doubled each time. */
    RETRY_MS = 500,
    RETRY_MS_MAX = 4000,
    /* Between two looks whether a retired table may be freed: requests that look into it last
     * milliseconds. */
    RETIRE_MS = 5,
    /* Behind a fold so many times what it wrote may be merged, and this in any case: in the long
     * run it is once or twice. */
    MERGE_TIMES = 2,
    MERGE_BYTES_MIN = 16 << 20,
};

struct folder {
    struct cell *cell;
};

/* A fold and what came of it. */
struct fold_job {
    struct fold fold;
    struct table **kept;
    uint64_t seed;
    int result;
};

static void
fold_work(void *argument)
{
    struct fold_job *job = argument;
    job->result = fold_run(&job->fold);
    for (unsigned i = 0; job->result == 0 && i < job->fold.tables_count; i++) {
        table_free(&job->kept[i]); /* of a folder that was killed behind its fold */
        job->kept[i] = keep_new(job->fold.tables[i], job->seed);
    }
}

static bool
fold_cell(struct cell *cell)
{
    struct journal *journal = cell->journal;
    struct fold_job job = {
        .fold =
            {
                .environment = cell->environment,
                .tables = cell->tables,
                .tables_count = cell_partitions_count(cell),
                .mark = cell->frozen,
                .implies = record_implies,
            },
        .kept = cell->kept,
        .seed = cell->store->seed,
    };
    uint64_t start = io_now_ns(ln_io());
    ln_work(fold_work, &job, LN_WORK_LOW);
    uint64_t took = io_now_ns(ln_io()) - start;
    cell->fold_error = job.result;
    if (job.result != 0) {
        counter_add(&journal->folds_failed, 1);
        if (job.result == -ENOSPC) {
            keeper_disk_full(cell->store); /* which passes */
        }
        cell_expect_sound(cell, job.result);
        return false;
    }
    counter_add(&journal->folds, 1);
    counter_add(&journal->fold_ns, took);
    counter_max(&journal->fold_ns_max, took);
    counter_add(&journal->fold_records, job.fold.stats.written + job.fold.stats.deleted);
    counter_add(&journal->fold_bytes, job.fold.stats.bytes);
    cell->folded_bytes = job.fold.stats.bytes;
    cell_folded(cell);
    return true;
}

/* Tables that nobody looks into any more, for a worker to free; for the actor's end, if that comes
 * before the worker. */
struct retired {
    struct ln_resource own;
    uint64_t now_ns;
    unsigned count;
    struct table *tables[STORE_PARTITIONS];
};

static void
retired_free(struct retired *retired)
{
    for (unsigned i = 0; i < retired->count; i++) {
        table_free(&retired->tables[i]);
    }
}

static void
free_work(void *argument)
{
    struct retired *retired = argument;
    retired_free(retired);
    span_settle(retired->now_ns);
}

static void
retired_release(struct ln_resource *resource)
{
    retired_free((struct retired *)resource);
}

/* False: the actor is to end. */
static bool
retire(struct cell *cell, struct retired *retired)
{
    bool left = true;
    while (cell->state == CELL_RETIRING) {
        retired->count = 0;
        while (cell->state == CELL_RETIRING && retired->count < STORE_PARTITIONS &&
               cell_retired_next(cell, &retired->tables[retired->count], &left)) {
            retired->count++;
        }
        if (retired->count > 0) {
            retired->now_ns = io_now_ns(ln_io());
            ln_work(free_work, retired, LN_WORK_LOW);
        } else if (left && ln_sleep(RETIRE_MS) != 0) {
            return false;
        }
    }
    return true;
}

struct merge_job {
    struct cell *cell;
    uint64_t merged; /* 0: nothing was due */
    int result;      /* -EBUSY: another cell's are being merged */
};

/* One at a time in all of the store, or folds of other cells would wait behind them. */
static void
merge_work(void *argument)
{
    struct merge_job *job = argument;
    _Atomic bool *merging = &job->cell->store->merging;
    if (atomic_exchange_explicit(merging, true, memory_order_relaxed)) {
        job->result = -EBUSY;
        return;
    }
    job->result = environment_merge(job->cell->environment, RUNS_MERGE_BYTES_MAX, &job->merged);
    atomic_store_explicit(merging, false, memory_order_relaxed);
}

/* Whether it may: a fold that is due comes first, unless there has been none between so many. And
 * where the disk is full all that is free is for folds. */
static bool
may_merge(const struct cell *cell)
{
    bool turn = cell->state == CELL_IDLE || cell->folds_unmerged >= RUNS_MERGED;
    return turn && !store_disk_full(cell->store);
}

/* Nobody waits for it: what fails is tried again behind the next fold. False: the actor is to
 * end. */
static bool
merge_runs(struct cell *cell)
{
    uint64_t bytes = cell->folded_bytes * MERGE_TIMES;
    uint64_t left = bytes > MERGE_BYTES_MIN ? bytes : MERGE_BYTES_MIN;
    cell->folds_unmerged++;
    while (may_merge(cell)) {
        struct merge_job job = {.cell = cell};
        ln_work(merge_work, &job, LN_WORK_LOW);
        if (job.result != 0) {
            counter_add(&cell->journal->merges_failed, job.result != -EBUSY);
            if (job.result == -ENOTRECOVERABLE) {
                cell_expect_sound(cell, job.result);
            }
            break;
        }
        counter_add(&cell->journal->merged_bytes, job.merged);
        cell->folds_unmerged = 0;
        if (job.merged == 0 || job.merged >= left) {
            break;
        }
        left -= job.merged;
        if (ln_sleep(0) != 0) {
            return false;
        }
    }
    return true;
}

/* An environment that nobody needs soon. */
struct rest {
    struct environment *environment;
    bool trims;
    bool rested;
};

static void
rest_work(void *argument)
{
    struct rest *rest = argument;
    rest->rested = environment_rest(rest->environment); /* or at the next look: somebody reads */
    if (rest->trims) {
        span_rest();
        (void)malloc_trim(0);
    }
}

/* Memory goes back when the whole store is quiet: meanwhile nobody else gets any. */
static void
let_rest(struct cell *cell)
{
    struct rest rest = {.environment = cell->environment, .trims = cell->store_quiet};
    uint64_t reads = cell->reads;
    ln_work(rest_work, &rest, LN_WORK_LOW);
    cell->rested = rest.rested && cell->state == CELL_IDLE && cell->reads == reads;
}

static bool
work(struct cell *cell, struct retired *retired)
{
    uint64_t pause_ms = RETRY_MS;
    while (cell->state == CELL_FROZEN) {
        if (!fold_cell(cell)) {
            journal_kick(cell->journal); /* others need not wait for it, nor who waits for room */
            if (ln_sleep(pause_ms) != 0) {
                return false;
            }
            pause_ms = pause_ms * 2 < RETRY_MS_MAX ? pause_ms * 2 : RETRY_MS_MAX;
        }
    }
    if (cell->state != CELL_RETIRING) {
        return true;
    }
    journal_trim(cell->journal);
    journal_kick(cell->journal); /* it is another's turn */
    bool goes_on = retire(cell, retired);
    /* The next one may be due by now, and nothing else might come to notice it. */
    journal_kick(cell->journal);
    goes_on = goes_on && merge_runs(cell);
    if (goes_on && cell->state == CELL_IDLE && cell->rests_after && !cell_fold_urgent(cell)) {
        let_rest(cell);
    }
    return goes_on;
}

static void
folder_run(void *state)
{
    struct cell *cell = ((struct folder *)state)->cell;
    struct retired *retired = ln_alloc(sizeof(*retired));
    retired->count = 0;
    ln_own(&retired->own, retired_release);
    if (!post_take(&cell->fold_post)) {
        return;
    }
    while (work(cell, retired)) {
        struct ln_msg *msg = NULL;
        int error = ln_receive(CELL_LOOK_MS, &msg);
        ln_msg_free(&msg);
        if (error == -ETIMEDOUT) {
            if (cell_look(cell)) {
                let_rest(cell);
            }
        } else if (error != 0) {
            return;
        }
    }
}

static int
folder_start(void *state, const void *argument)
{
    struct folder *folder = state;
    folder->cell = *(struct cell *const *)argument;
    store_pid_set(&folder->cell->folder, ln_self());
    return 0;
}

const struct ln_behaviour folder_behaviour = {
    .name = "folder",
    .tag_name = store_tag_name,
    .state_bytes = sizeof(struct folder),
    .init = folder_start,
    .run = folder_run,
};
