/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reader.h"

#include "store/fetch.h"
#include "store/store_priv.h"
#include "store/tag.h"

#include <errno.h>
#include <string.h>

enum {
    /* Requests answered out of one snapshot: a cell with all its partitions waiting. */
    JOBS_MAX = 32,
};

/* One partition's fetch. */
struct job {
    struct ln_msg *request;
    struct rows rows;
    struct fetched sections[1 + FETCH_RANGES_MAX];
    int result;
};

/* On the heap of its actor: a process' stack is small. The rows are malloc's, made on the
 * worker. */
struct batch {
    struct ln_resource resource;
    struct cell *cell;
    unsigned count;
    struct job jobs[JOBS_MAX];
};

struct reader {
    struct cell *cell;
};

/* -------------------------------------------------------------------------------- on the worker */

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
read_keys(const struct environment_read *read, const struct fetch_head *head, struct job *job)
{
    const struct store_key *keys = fetch_message_keys(head);
    for (uint32_t i = 0; i < head->keys_count; i++) {
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
read_ranges(const struct environment_read *read, const struct fetch_head *head, struct job *job)
{
    const struct fetch_range *ranges = fetch_message_ranges(head);
    for (uint32_t i = 0; i < head->ranges_count; i++) {
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

static void
read_batch(void *argument)
{
    struct batch *batch = argument;
    struct environment_read read;
    int error = environment_read_begin(batch->cell->environment, &read);
    for (unsigned i = 0; i < batch->count; i++) {
        struct job *job = &batch->jobs[i];
        const struct fetch_head *head = (const struct fetch_head *)(const void *)job->request->data;
        job->result = error;
        if (job->result == 0) {
            job->result = read_keys(&read, head, job);
        }
        if (job->result == 0) {
            job->result = read_ranges(&read, head, job);
        }
    }
    if (error == 0) {
        environment_read_end(&read);
    }
}

/* ------------------------------------------------------------------------------------ the actor */

static void
answer(struct job *job)
{
    const struct fetch_head *head = (const struct fetch_head *)(const void *)job->request->data;
    if (job->result != 0) {
        ln_reply_error(ln_caller(job->request), job->result);
    } else {
        size_t sections_bytes = (1 + head->ranges_count) * sizeof(job->sections[0]);
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
reader_run(void *state)
{
    struct batch *batch = ln_alloc(sizeof(*batch));
    batch->cell = ((struct reader *)state)->cell;
    ln_own(&batch->resource, release);
    for (;;) {
        batch->count = 0;
        uint64_t timeout_ms = LN_FOREVER;
        while (batch->count < JOBS_MAX &&
               ln_receive(timeout_ms, &batch->jobs[batch->count].request) == 0) {
            if (batch->jobs[batch->count].request->tag == ASK_FETCH) {
                batch->count++;
            } else {
                ln_msg_free(&batch->jobs[batch->count].request);
            }
            timeout_ms = 0;
        }
        if (batch->count == 0) {
            if (timeout_ms == LN_FOREVER) {
                return; /* cancelled */
            }
            continue;
        }
        ln_work(read_batch, batch, false);
        for (unsigned i = 0; i < batch->count; i++) {
            cell_expect_sound(batch->cell, batch->jobs[i].result);
            answer(&batch->jobs[i]);
        }
    }
}

static int
reader_start(void *state, const void *argument)
{
    struct reader *reader = state;
    reader->cell = *(struct cell *const *)argument;
    store_pid_set(&reader->cell->reader, ln_self());
    /* What was asked of the one before was lost with it. */
    for (unsigned i = 0; i < cell_partitions_count(reader->cell); i++) {
        partition_wake(cell_partition(reader->cell, i));
    }
    return 0;
}

const struct ln_behaviour reader_behaviour = {
    .name = "reader",
    .tag_name = store_tag_name,
    .state_bytes = sizeof(struct reader),
    .init = reader_start,
    .run = reader_run,
};
