/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reader.h"

#include "runtime/io/io.h"
#include "store/fetch.h"
#include "store/store_priv.h"
#include "store/tag.h"

#include <errno.h>
#include <string.h>

enum {
    /* Requests of one job: two schedulers with half of their partitions waiting. */
    JOBS_MAX = 64,
    /* What a scheduler reads of one job, records and bytes of them: less than 100 us. */
    AT_ONCE_LOOKS_MAX = 128,
    AT_ONCE_BYTES_MAX = 64 * 1024,
    /* Records, until the kernel is asked whether one of them was waited for. */
    LOOKS_UNTIL_ASKED = 4,
    STACK_BYTES = 64 * 1024, /* LMDB runs on it */
};

struct reader {
    struct journal *journal;
};

/* One partition's fetch. */
struct job {
    struct ln_msg *request;
    const struct fetch_head *head; /* the request's */
    struct rows rows;
    struct fetched sections[1 + FETCH_RANGES_MAX];
    int result; /* JOB_WAITS: not read yet */
};

/* On the heap of its actor: a process' stack is small. The rows are malloc's. */
struct batch {
    struct ln_resource resource;
    struct io *io;
    unsigned count;
    struct job jobs[JOBS_MAX];
    bool waited; /* for the disk */
    /* While a scheduler reads. */
    bool at_once;
    bool stopped;   /* it has read enough, or waited: what is left is a worker's */
    uint64_t waits; /* io_page_waits at the beginning */
    uint32_t looks;
    size_t bytes; /* of the jobs that are done */
};

enum { JOB_WAITS = 1 };

/* ------------------------------------------------------ on a worker, or at once by a scheduler */

/* Before each record. Whether the scheduler has to leave the rest to a worker. */
static bool
enough(struct batch *batch, const struct job *job)
{
    if (batch->at_once && !batch->stopped) {
        bool asked = ++batch->looks % LOOKS_UNTIL_ASKED == 0;
        batch->stopped = (asked && io_page_waits(batch->io) != batch->waits) ||
                         batch->looks > AT_ONCE_LOOKS_MAX ||
                         batch->bytes + job->rows.count > AT_ONCE_BYTES_MAX;
    }
    return batch->stopped;
}

/* One range being read. */
struct range_read {
    struct batch *batch;
    struct job *job;
    const struct fetch_range *range;
    uint32_t rows_count;
    uint32_t bytes;
};

enum { RANGE_FULL = 1, RANGE_LEFT };

static int
add_row(void *context, const struct store_key *key, struct store_value value)
{
    struct range_read *read = context;
    if (read->rows_count >= read->range->rows_max ||
        (read->rows_count > 0 && read->bytes + value.count > read->range->bytes_max)) {
        return RANGE_FULL;
    }
    if (enough(read->batch, read->job)) {
        return RANGE_LEFT;
    }
    rows_add(&read->job->rows, key, &value);
    read->rows_count++;
    read->bytes += (uint32_t)value.count;
    return 0;
}

static int
between_runs(void *context)
{
    struct range_read *read = context;
    return enough(read->batch, read->job) ? RANGE_LEFT : 0;
}

static int
read_keys(struct environment_read *read, struct batch *batch, struct job *job)
{
    const struct store_key *keys = fetch_message_keys(job->head);
    for (uint32_t i = 0; i < job->head->keys_count; i++) {
        struct store_value value;
        if (enough(batch, job)) {
            return JOB_WAITS;
        }
        int error = environment_get(read, &keys[i], &value);
        if (error != 0 && error != -ENOENT) {
            return error;
        }
        rows_add(&job->rows, &keys[i], error == 0 ? &value : NULL);
    }
    job->sections[0] = (struct fetched){.count = (uint32_t)job->rows.count};
    return 0;
}

static int
read_ranges(struct environment_read *read, struct batch *batch, struct job *job)
{
    const struct fetch_range *ranges = fetch_message_ranges(job->head);
    for (uint32_t i = 0; i < job->head->ranges_count; i++) {
        struct range_read range = {.batch = batch, .job = job, .range = &ranges[i]};
        uint32_t at = (uint32_t)job->rows.count;
        int result =
            environment_range(read, &ranges[i].range, ENVIRONMENT_FORWARDS, add_row, &range);
        if (result < 0) {
            return result;
        }
        if (result == RANGE_LEFT) {
            return JOB_WAITS;
        }
        job->sections[1 + i] = (struct fetched){
            .at = at,
            .count = (uint32_t)job->rows.count - at,
            .more = result == RANGE_FULL,
        };
    }
    return 0;
}

/* One that was left before it was done begins anew. */
static int
read_job(struct environment_read *read, struct batch *batch, struct job *job)
{
    job->rows.count = 0;
    int result = read_keys(read, batch, job);
    if (result == 0) {
        result = read_ranges(read, batch, job);
    }
    if (result == 0) {
        batch->bytes += job->rows.count;
    }
    return result;
}

/* All of a cell that wait, from `first` on. A scheduler leaves those whose files are closed. */
static void
read_cell(struct batch *batch, unsigned first)
{
    struct cell *cell = batch->jobs[first].head->cell;
    struct environment_read read;
    int error = batch->at_once ? environment_read_try(cell->environment, &read)
                               : environment_read_begin(cell->environment, &read);
    if (batch->at_once && error == -EAGAIN) {
        return;
    }
    read.between = between_runs;
    for (unsigned i = first; i < batch->count && !batch->stopped; i++) {
        struct job *job = &batch->jobs[i];
        if (job->head->cell == cell && job->result == JOB_WAITS) {
            job->result = error != 0 ? error : read_job(&read, batch, job);
        }
    }
    if (error == 0) {
        environment_read_end(&read);
    }
}

static void
read_batch(void *argument)
{
    struct batch *batch = argument;
    batch->waits = io_page_waits(batch->io);
    batch->stopped = false;
    for (unsigned i = 0; i < batch->count && !batch->stopped; i++) {
        if (batch->jobs[i].result == JOB_WAITS) {
            read_cell(batch, i);
        }
    }
    batch->waited = batch->waited || io_page_waits(batch->io) != batch->waits;
}

/* ------------------------------------------------------------------------------------ the actor */

static void
answer(struct job *job)
{
    if (job->result != 0) {
        ln_reply_error(ln_caller(job->request), job->result);
    } else {
        size_t sections_bytes = (1 + job->head->ranges_count) * sizeof(job->sections[0]);
        struct ln_msg *msg = ln_msg_new(ASK_FETCH, LN_REPLY, sections_bytes);
        memcpy(msg->data, job->sections, sections_bytes);
        if (job->rows.count > 0) {
            msg->buffer = ln_buffer_new(job->rows.count);
            memcpy(ln_buffer_data(msg->buffer), job->rows.bytes, job->rows.count);
        }
        ln_reply(ln_caller(job->request), &msg);
    }
    ln_msg_free(&job->request);
    job->rows.count = 0;
}

static void
release(struct ln_resource *resource)
{
    struct batch *batch = (struct batch *)resource;
    for (unsigned i = 0; i < JOBS_MAX; i++) {
        rows_fini(&batch->jobs[i].rows);
    }
}

static void
take(struct batch *batch, struct ln_msg **request)
{
    if ((*request)->tag != ASK_FETCH) {
        ln_msg_free(request);
        return;
    }
    struct job *job = &batch->jobs[batch->count++];
    job->request = *request;
    *request = NULL;
    job->head = (const struct fetch_head *)(const void *)job->request->data;
    job->result = JOB_WAITS;
}

/* All that wait, as far as there is room; the first of them is waited for. False: cancelled. */
static bool
gather(struct batch *batch)
{
    struct ln_msg *request = NULL;
    batch->count = 0;
    if (ln_receive(LN_FOREVER, &request) != 0) {
        return false;
    }
    do {
        take(batch, &request);
    } while (batch->count < JOBS_MAX && ln_receive(0, &request) == 0);
    return true;
}

static unsigned
jobs_left(const struct batch *batch)
{
    unsigned left = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        left += batch->jobs[i].result == JOB_WAITS;
    }
    return left;
}

/* `warm`: it is expected to be in memory. */
static void
read_all(const struct reader *reader, struct batch *batch, bool warm)
{
    batch->waited = false;
    batch->looks = 0;
    batch->bytes = 0;
    batch->at_once = warm;
    if (warm) {
        read_batch(batch);
        batch->at_once = false;
    }
    unsigned left = jobs_left(batch);
    if (left > 0) {
        counter_add(&reader->journal->fetches_waited, left);
        ln_work(read_batch, batch, LN_WORK_NORMAL);
    }
}

static void
reader_run(void *state)
{
    const struct reader *reader = state;
    const struct store_options *options = &reader->journal->store->options;
    struct batch *batch = ln_alloc(sizeof(*batch));
    uint32_t quick = 0; /* jobs in a row that have not waited for the disk */
    ln_own(&batch->resource, release);
    batch->io = io_of(options->driver, 0);
    while (gather(batch)) {
        read_all(reader, batch, quick >= options->reads_until_warm);
        quick = batch->waited ? 0 : quick + (quick < options->reads_until_warm);
        for (unsigned i = 0; i < batch->count; i++) {
            struct cell *cell = batch->jobs[i].head->cell;
            cell->reads++;
            cell->rested = false;
            cell_expect_sound(cell, batch->jobs[i].result);
            answer(&batch->jobs[i]);
        }
    }
}

static int
reader_start(void *state, const void *argument)
{
    struct journal *journal = *(struct journal *const *)argument;
    struct store *store = journal->store;
    *(struct reader *)state = (struct reader){journal};
    store_pid_set(&journal->reader, ln_self());
    /* What was asked of the one before was lost with it. */
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        if (store->partitions[i].journal == journal) {
            partition_wake(&store->partitions[i]);
        }
    }
    return 0;
}

const struct ln_behaviour reader_behaviour = {
    .name = "reader",
    .tag_name = store_tag_name,
    .state_bytes = sizeof(struct reader),
    .stack_bytes = STACK_BYTES,
    .init = reader_start,
    .run = reader_run,
};
