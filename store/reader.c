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
    /* Of one that is read at once. More are worth being handed over. */
    JOBS_AT_ONCE_MAX = 16,
    /* Jobs in a row that have not waited for the disk, until the next is expected not to. */
    JOBS_UNTIL_WARM = 256,
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

/* On the heap of its actor: a process' stack is small. The rows are malloc's, made on the
 * worker. */
struct batch {
    struct ln_resource resource;
    struct io *io;
    unsigned count;
    bool waited; /* for the disk */
    struct job jobs[JOBS_MAX];
};

enum { JOB_WAITS = 1 };

/* --------------------------------------------------- on the worker, or at once on the scheduler */

/* One range being read. */
struct range_read {
    struct rows *rows;
    const struct fetch_range *range;
    uint32_t rows_count;
    uint32_t bytes;
};

enum { RANGE_FULL = 1 };

static int
add_row(void *context, const struct store_key *key, struct store_value value)
{
    struct range_read *read = context;
    if (read->rows_count >= read->range->rows_max ||
        (read->rows_count > 0 && read->bytes + value.count > read->range->bytes_max)) {
        return RANGE_FULL;
    }
    rows_add(read->rows, key, &value);
    read->rows_count++;
    read->bytes += (uint32_t)value.count;
    return 0;
}

static int
read_keys(const struct environment_read *read, struct job *job)
{
    const struct store_key *keys = fetch_message_keys(job->head);
    for (uint32_t i = 0; i < job->head->keys_count; i++) {
        struct store_value value;
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
read_ranges(const struct environment_read *read, struct job *job)
{
    const struct fetch_range *ranges = fetch_message_ranges(job->head);
    for (uint32_t i = 0; i < job->head->ranges_count; i++) {
        struct range_read range = {.rows = &job->rows, .range = &ranges[i]};
        uint32_t at = (uint32_t)job->rows.count;
        int result =
            environment_range(read, &ranges[i].range, ENVIRONMENT_FORWARDS, add_row, &range);
        if (result < 0) {
            return result;
        }
        job->sections[1 + i] = (struct fetched){
            .at = at,
            .count = (uint32_t)job->rows.count - at,
            .more = result == RANGE_FULL,
        };
    }
    return 0;
}

/* All of a cell that wait, from `first` on. */
static void
read_cell(struct batch *batch, unsigned first)
{
    struct cell *cell = batch->jobs[first].head->cell;
    struct environment_read read;
    int error = environment_read_begin(cell->environment, &read);
    for (unsigned i = first; i < batch->count; i++) {
        struct job *job = &batch->jobs[i];
        if (job->head->cell != cell || job->result != JOB_WAITS) {
            continue;
        }
        job->result = error;
        if (job->result == 0) {
            job->result = read_keys(&read, job);
        }
        if (job->result == 0) {
            job->result = read_ranges(&read, job);
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
    uint64_t waits = io_page_waits(batch->io);
    for (unsigned i = 0; i < batch->count; i++) {
        if (batch->jobs[i].result == JOB_WAITS) {
            read_cell(batch, i);
        }
    }
    batch->waited = io_page_waits(batch->io) != waits;
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

/* Whether the scheduler itself may read it: little, of environments that are open. */
static bool
is_small(const struct batch *batch)
{
    bool small = batch->count <= JOBS_AT_ONCE_MAX;
    for (unsigned i = 0; i < batch->count && small; i++) {
        small = !environment_rests(batch->jobs[i].head->cell->environment);
    }
    return small;
}

static void
reader_run(void *state)
{
    const struct reader *reader = state;
    struct batch *batch = ln_alloc(sizeof(*batch));
    unsigned warm = 0; /* jobs in a row that have not waited for the disk */
    ln_own(&batch->resource, release);
    batch->io = io_of(reader->journal->store->options.driver, 0);
    while (gather(batch)) {
        if (warm >= JOBS_UNTIL_WARM && is_small(batch)) {
            read_batch(batch);
        } else {
            counter_add(&reader->journal->fetches_waited, batch->count);
            ln_work(read_batch, batch, false);
        }
        warm = batch->waited ? 0 : warm + (warm < JOBS_UNTIL_WARM);
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
