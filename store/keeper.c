/* SPDX-License-Identifier: Apache-2.0 */
#include "store/keeper.h"

#include "store/reserve.h"
#include "store/store_priv.h"
#include "store/tag.h"

#include <errno.h>

enum {
    /* After a failure: long enough for a fold to give back space, short enough for those who
     * wait. */
    RETRY_MS = 200,
    /* Between two looks for space on a full disk. */
    SPACE_MS = 2000,
};

struct keeper {
    struct journal *journal;
};

/* ---------------------------------------------------------------------------------------- space */

struct space_work {
    struct reserve reserve;
    int result;
};

static void
release_work(void *argument)
{
    struct space_work *work = argument;
    work->result = reserve_release(&work->reserve);
}

static void
hold_work(void *argument)
{
    struct space_work *work = argument;
    work->result = reserve_hold(&work->reserve);
}

static struct space_work
space_work(const struct store *store)
{
    return (struct space_work){
        .reserve = {.driver = store->options.driver,
                    .directory = directory_path(store->directory),
                    .bytes = store->options.reserve_bytes},
    };
}

void
keeper_disk_full(struct store *store)
{
    if (atomic_exchange_explicit(&store->disk_full, true, memory_order_relaxed)) {
        return;
    }
    struct space_work work = space_work(store);
    ln_work(release_work, &work, LN_WORK_NORMAL); /* others wait for the space */
}

static void
look_for_space(struct store *store)
{
    struct space_work work = space_work(store);
    ln_work(hold_work, &work, LN_WORK_LONG);
    if (work.result == 0) {
        atomic_store_explicit(&store->disk_full, false, memory_order_relaxed);
    }
}

/* ------------------------------------------------------------------------------------- segments */

struct make_work {
    const struct log_place *place;
    uint32_t number;
    uint32_t recycle;
    struct log_segment segment;
    int result;
};

static void
make(void *argument)
{
    struct make_work *work = argument;
    work->result = log_segment_make(work->place, work->number, work->recycle, &work->segment);
}

static bool
make_segment(struct journal *journal)
{
    struct make_work work = {
        .place = log_place_of(journal->log),
        .number = journal->segment_number,
        .recycle = journal->segment_recycle,
    };
    ln_work(make, &work, LN_WORK_LONG);
    if (work.result == 0) {
        log_segment_ready(journal->log, &work.segment);
        journal->segment_wanted = false;
        journal_kick(journal);
        return true;
    }
    if (work.result == -ENOSPC) {
        keeper_disk_full(journal->store);
    }
    return false;
}

struct remove_work {
    const struct log_place *place;
    uint32_t first;
    uint32_t count;
    int result;
};

static void
remove_segments(void *argument)
{
    struct remove_work *work = argument;
    work->result = log_segments_remove(work->place, work->first, work->count);
}

/* What could not be removed is removed by the next start's fold, or is in nobody's way. Neither low
 * work nor long, where others stand in line: meanwhile the log may need its next segment. */
static void
trim(struct journal *journal)
{
    const struct store *store = journal->store;
    uint64_t least = UINT64_MAX;
    for (unsigned i = journal->index; i < store->cells_count; i += store->journals_count) {
        uint64_t position = store->cells[i].folded.position;
        least = position < least ? position : least;
    }
    struct remove_work work = {.place = log_place_of(journal->log)};
    if (log_trim(journal->log, least, &work.first, &work.count)) {
        ln_work(remove_segments, &work, LN_WORK_NORMAL);
    }
}

/* ------------------------------------------------------------------------------------ the actor */

static void
keeper_run(void *state)
{
    struct journal *journal = ((struct keeper *)state)->journal;
    uint64_t timeout_ms = 0; /* one that was killed may have left something to do */
    if (!post_take(&journal->keeper_post)) {
        return;
    }
    for (;;) {
        struct ln_msg *msg = NULL;
        int error = ln_receive(timeout_ms, &msg);
        ln_msg_free(&msg);
        if (error == -ECANCELED) {
            return;
        }
        timeout_ms = LN_FOREVER;
        if (journal->segment_wanted && !make_segment(journal)) {
            timeout_ms = RETRY_MS;
        }
        trim(journal);
        if (store_disk_full(journal->store)) {
            look_for_space(journal->store);
            timeout_ms = timeout_ms < SPACE_MS ? timeout_ms : SPACE_MS;
        }
    }
}

static int
keeper_start(void *state, const void *argument)
{
    struct keeper *keeper = state;
    keeper->journal = *(struct journal *const *)argument;
    store_pid_set(&keeper->journal->keeper, ln_self());
    return 0;
}

const struct ln_behaviour keeper_behaviour = {
    .name = "log keeper",
    .tag_name = store_tag_name,
    .state_bytes = sizeof(struct keeper),
    .init = keeper_start,
    .run = keeper_run,
};
