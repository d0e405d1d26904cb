/* SPDX-License-Identifier: Apache-2.0 */
#include "store/trace.h"

#include "store/ask.h"
#include "store/step_search.h"
#include "store/store_priv.h"

#include <errno.h>

enum {
    /* For a writer to write what waits. */
    WRITE_MS = 5000,
    TICKS_PER_MS = 1000 / STEP_TICK_US,
};

uint64_t
trace_mark(const struct store *store, uint64_t sender, uint16_t device, uint64_t number)
{
    return step_mark(store->seed, sender, device, number);
}

void
trace_step(const struct store *store, enum step_kind kind, uint64_t mark, uint64_t user,
           uint16_t device, uint64_t number)
{
    unsigned scheduler = ln_scheduler();
    if (scheduler < store->steps_count) {
        steps_moment(&store->steps[scheduler]);
        steps_note(&store->steps[scheduler], kind, mark, user, device, number);
    }
}

/* -------------------------------------------------------------------------------------- finding */

/* A writer that is being started again misses this; what waits is written by its successor. */
static int
write_all(const struct store *store)
{
    for (unsigned i = 0; i < store->steps_count; i++) {
        struct ln_msg *request = ln_msg_new(ASK_STEPS, LN_DURABLE, 0);
        int error = ln_call(store_pid_get(&store->steps[i].pid), &request, WRITE_MS, NULL);
        if (error == -ECANCELED) {
            return error;
        }
    }
    return 0;
}

struct find_work {
    struct step_search search;
    int error;
};

static void
begin_work(void *argument)
{
    struct find_work *work = argument;
    work->error = step_search_begin(&work->search);
}

static void
segment_work(void *argument)
{
    struct find_work *work = argument;
    work->error = step_search_segment(&work->search);
}

/* The search's memory, should its actor be ended in the middle. */
struct find {
    struct ln_resource own;
    struct find_work work;
};

static void
find_release(struct ln_resource *resource)
{
    step_search_end(&((struct find *)(void *)resource)->work.search);
}

int
trace_find(const struct store *store, struct trace *trace)
{
    if (store->steps_count == 0) {
        return -ENODATA;
    }
    int error = write_all(store);
    if (error < 0) {
        return error;
    }
    struct find find = {
        .work.search = {.driver = store->options.driver,
                        .folder = store->steps[0].files.place.folder,
                        .mark = trace_mark(store, trace->sender, trace->device, trace->number),
                        .sender = trace->sender,
                        .rows_max = STEPS_ROWS_MAX},
    };
    struct step_search *search = &find.work.search;
    search->rows = ln_alloc(STEPS_ROWS_MAX * sizeof search->rows[0]);
    ln_own(&find.own, find_release);
    ln_work(begin_work, &find.work, LN_WORK_NORMAL);
    while (find.work.error == 0) {
        /* Not as long work: a log's next file would wait for an operator's question. */
        ln_work(segment_work, &find.work, LN_WORK_NORMAL);
    }
    ln_disown(&find.own);
    find_release(&find.own);
    if (find.work.error != -ENODATA) {
        ln_free(search->rows);
        return find.work.error;
    }
    trace->rows = search->rows;
    trace->count = search->count;
    trace->cut = search->cut;
    trace->bytes = search->bytes;
    trace->oldest_ms = search->oldest / TICKS_PER_MS;
    trace->missed = search->missed;
    return 0;
}

void
trace_free(struct trace *trace)
{
    ln_free(trace->rows);
    trace->rows = NULL;
}

void
trace_stats_read(const struct store *store, struct trace_stats *out)
{
    *out = (struct trace_stats){0};
    for (unsigned i = 0; i < store->steps_count; i++) {
        const struct steps *steps = &store->steps[i];
        uint64_t oldest_ms = counter_get(&steps->oldest_ticks) / TICKS_PER_MS;
        out->noted += counter_get(&steps->noted);
        out->dropped += counter_get(&steps->dropped);
        out->failed += counter_get(&steps->failed);
        out->bytes += counter_get(&steps->bytes);
        if (oldest_ms != 0 && (out->oldest_ms == 0 || oldest_ms < out->oldest_ms)) {
            out->oldest_ms = oldest_ms;
        }
    }
}
