/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of a partition that follow each other become one. */
#include "store/environment_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A run that is read from. */
struct source {
    MDB_cursor *cursor;
    uint64_t run;
    struct store_key key; /* of the record that it stands on */
    bool ended;
};

struct merge {
    struct environment_write *write;
    uint8_t partition;
    uint32_t count;
    struct source sources[RUNS_MAX]; /* by rising numbers */
    unsigned char value[ENVIRONMENT_VALUE_BYTES_MAX];
};

/* The cursor stands on another record, or on none. */
static int
arrived(const struct merge *merge, struct source *source, int code, const MDB_val *name)
{
    if (code == MDB_NOTFOUND) {
        source->ended = true;
        return 0;
    }
    if (code != MDB_SUCCESS) {
        return environment_translated(code);
    }
    uint64_t run;
    int result = run_key_decode(merge->write->environment, name, &run, &source->key);
    source->ended = run != source->run || source->key.partition != merge->partition;
    return result;
}

static int
open_source(struct merge *merge, uint64_t run)
{
    struct environment_write *write = merge->write;
    struct source *source = &merge->sources[merge->count];
    struct store_range all = key_range_partition(merge->partition);
    unsigned char encoded[RUN_KEY_BYTES];
    MDB_val from = {sizeof(encoded), encoded};
    MDB_val name = {0};
    MDB_val value = {0};
    *source = (struct source){.run = run};
    int code = mdb_cursor_open(write->txn, write->environment->runs, &source->cursor);
    if (code != MDB_SUCCESS) {
        return environment_translated(code);
    }
    merge->count++;
    run_key_encode(run, &all.low, encoded);
    code = environment_walk_begin(source->cursor, &from, ENVIRONMENT_FORWARDS, &name, &value);
    return arrived(merge, source, code, &name);
}

static void
close_sources(struct merge *merge)
{
    while (merge->count > 0) {
        mdb_cursor_close(merge->sources[--merge->count].cursor);
    }
}

/* The source with the least key: of an owner's the earliest has the lowest numbers. NULL: all have
 * ended. */
static struct source *
least(struct merge *merge)
{
    struct source *least = NULL;
    for (uint32_t i = 0; i < merge->count; i++) {
        struct source *source = &merge->sources[i];
        if (!source->ended && (least == NULL || source->key.owner < least->key.owner)) {
            least = source;
        }
    }
    return least;
}

/* Copied before it is put: LMDB may let go of a page while it makes room for another. */
static int
move(struct merge *merge, struct source *source, uint64_t to)
{
    MDB_val name = {0};
    MDB_val value = {0};
    int code = mdb_cursor_get(source->cursor, &name, &value, MDB_GET_CURRENT);
    if (code == MDB_NOTFOUND || value.mv_size > ENVIRONMENT_VALUE_BYTES_MAX) {
        return -EUCLEAN;
    }
    if (code != MDB_SUCCESS) {
        return environment_translated(code);
    }
    memcpy(merge->value, value.mv_data, value.mv_size);
    int result = environment_runs_append(merge->write, to, &source->key,
                                         (struct store_value){merge->value, value.mv_size});
    if (result < 0) {
        return result;
    }
    code = mdb_cursor_get(source->cursor, &name, &value, MDB_NEXT);
    return arrived(merge, source, code, &name);
}

static int
merge_span(struct merge *merge, const struct runs_span *span)
{
    struct environment_write *write = merge->write;
    struct runs_changed *changed = write->runs->changed[merge->partition];
    const struct run *runs = &changed->runs.at[span->from];
    uint64_t to = ++write->runs->id;
    int result = 0;
    for (uint32_t i = 0; result == 0 && i < span->count; i++) {
        result = open_source(merge, runs[i].id);
    }
    struct source *source;
    while (result == 0 && (source = least(merge)) != NULL) {
        result = move(merge, source, to);
    }
    close_sources(merge);
    for (uint32_t i = 0; result == 0 && i < span->count; i++) {
        result = environment_runs_drop(write, runs[i].id, merge->partition);
    }
    if (result == 0) {
        runs_merge(&changed->runs, span, to);
        changed->changed = true;
    }
    return result;
}

/* The partition with the most runs of those that are due. False: none is. */
static bool
next_due(const struct runs_write *write, uint8_t *partition, struct runs_span *span)
{
    uint32_t most = 0;
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        const struct runs_changed *changed = write->changed[i];
        struct runs_span found;
        if (changed != NULL && changed->runs.count > most && runs_due(&changed->runs, &found)) {
            most = changed->runs.count;
            *partition = (uint8_t)i;
            *span = found;
        }
    }
    return most > 0;
}

/* Loads the runs of all partitions. */
static int
know_all(struct environment_write *write)
{
    int result = 0;
    for (unsigned i = 0; result == 0 && i < STORE_PARTITIONS; i++) {
        struct runs_changed *changed;
        result = environment_runs_of(write, (uint8_t)i, &changed);
    }
    return result;
}

static int
merge_all(struct environment_write *write, uint64_t bytes, uint64_t *merged)
{
    struct runs_span span;
    struct merge *merge = malloc(sizeof(*merge));
    int result = merge != NULL ? know_all(write) : -ENOMEM;
    *merged = 0;
    while (result == 0 && next_due(write->runs, &merge->partition, &span) &&
           (*merged == 0 || *merged + span.bytes <= bytes)) {
        merge->write = write;
        merge->count = 0;
        result = merge_span(merge, &span);
        *merged += span.bytes;
    }
    free(merge);
    return result;
}

int
environment_merge(struct environment *environment, uint64_t bytes, uint64_t *merged)
{
    struct environment_write *write = NULL;
    int result = environment_write_begin(environment, &write);
    if (result != 0) {
        return result;
    }
    result = merge_all(write, bytes, merged);
    if (result != 0 || *merged == 0) {
        environment_abort(&write);
        return result;
    }
    return environment_commit(&write);
}
