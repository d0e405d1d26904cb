/* SPDX-License-Identifier: Apache-2.0 */
/* Writing records that lie in runs. */
#include "store/environment_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------- what is known */

static int
begin(struct environment_write *write, struct runs_write *runs)
{
    MDB_val name = {0};
    MDB_val value = {0};
    int code = mdb_cursor_open(write->txn, write->environment->runs, &runs->cursor);
    if (code == MDB_SUCCESS) {
        code = mdb_cursor_get(runs->cursor, &name, &value, MDB_LAST);
    }
    if (code == MDB_NOTFOUND) {
        return 0; /* empty: any key is above `last` */
    }
    if (code != MDB_SUCCESS) {
        return environment_translated(code);
    }
    struct store_key key;
    int result = run_key_decode(write->environment, &name, &runs->id, &key);
    if (result == 0) {
        memcpy(runs->last, name.mv_data, RUN_KEY_BYTES);
    }
    return result;
}

static int
know_tree(struct environment_write *write)
{
    if (write->runs != NULL) {
        return 0;
    }
    write->runs = calloc(1, sizeof(*write->runs));
    int result = write->runs != NULL ? begin(write, write->runs) : -ENOMEM;
    if (result != 0) {
        environment_runs_free(write);
    }
    return result;
}

int
environment_runs_of(struct environment_write *write, uint8_t partition, struct runs_changed **out)
{
    int result = know_tree(write);
    if (result != 0) {
        return result;
    }
    struct runs_changed *changed = write->runs->changed[partition];
    if (changed == NULL) {
        changed = calloc(1, sizeof(*changed));
        result = changed != NULL ? environment_runs_load(write->environment, write->txn, partition,
                                                         &changed->runs)
                                 : -ENOMEM;
        if (result != 0) {
            free(changed);
            return result;
        }
        changed->next = changed->runs.next;
        write->runs->changed[partition] = changed;
    }
    *out = changed;
    return 0;
}

void
environment_runs_free(struct environment_write *write)
{
    struct runs_write *runs = write->runs;
    if (runs == NULL) {
        return;
    }
    if (runs->cursor != NULL) {
        mdb_cursor_close(runs->cursor);
    }
    if (runs->append != NULL) {
        mdb_cursor_close(runs->append);
    }
    for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
        free(runs->changed[i]);
    }
    free(runs);
    write->runs = NULL;
}

int
environment_runs_save(struct environment_write *write)
{
    int result = 0;
    for (unsigned i = 0; result == 0 && write->runs != NULL && i < STORE_PARTITIONS; i++) {
        struct runs_changed *changed = write->runs->changed[i];
        if (changed != NULL && changed->changed) {
            runs_prune(&changed->runs);
            result = environment_runs_store(write, (uint8_t)i, &changed->runs);
        }
    }
    return result;
}

/* ------------------------------------------------------------------------------------- putting */

/* Before the tree is changed elsewhere: some versions of LMDB believe that a cursor which was at
 * its end still is. */
static void
leave_end(struct runs_write *runs)
{
    if (runs->append != NULL) {
        mdb_cursor_close(runs->append);
        runs->append = NULL;
    }
}

static int
append(struct environment_write *write, MDB_val *name, struct store_value value)
{
    struct runs_write *runs = write->runs;
    MDB_val mdb_value = {value.count, (void *)(uintptr_t)value.bytes};
    int code = MDB_SUCCESS;
    if (runs->append == NULL) {
        code = mdb_cursor_open(write->txn, write->environment->runs, &runs->append);
    }
    if (code == MDB_SUCCESS) {
        memcpy(runs->last, name->mv_data, RUN_KEY_BYTES);
        code = mdb_cursor_put(runs->append, name, &mdb_value, MDB_APPEND);
    }
    return environment_translated(code);
}

int
environment_runs_append(struct environment_write *write, uint64_t run, const struct store_key *key,
                        struct store_value value)
{
    unsigned char bytes[RUN_KEY_BYTES];
    MDB_val name = {sizeof(bytes), bytes};
    run_key_encode(run, key, bytes);
    ASSERT(memcmp(bytes, write->runs->last, RUN_KEY_BYTES) > 0);
    return append(write, &name, value);
}

/* Puts it where its run has it. */
static int
put(struct environment_write *write, struct run *run, const struct store_key *key,
    struct store_value value)
{
    struct runs_write *runs = write->runs;
    unsigned char bytes[RUN_KEY_BYTES];
    MDB_val name = {sizeof(bytes), bytes};
    MDB_val mdb_value = {0};
    run_key_encode(run->id, key, bytes);
    if (memcmp(bytes, runs->last, RUN_KEY_BYTES) > 0) {
        run->records++;
        run->bytes += RUN_KEY_BYTES + value.count;
        return append(write, &name, value);
    }
    leave_end(runs);
    int code = mdb_cursor_get(runs->cursor, &name, &mdb_value, MDB_SET);
    if (code != MDB_SUCCESS && code != MDB_NOTFOUND) {
        return environment_translated(code);
    }
    if (code == MDB_SUCCESS) {
        run->bytes -= mdb_value.mv_size;
    } else {
        run->records++;
        run->bytes += RUN_KEY_BYTES;
    }
    run->bytes += value.count;
    name = (MDB_val){sizeof(bytes), bytes};
    mdb_value = (MDB_val){value.count, (void *)(uintptr_t)value.bytes};
    return environment_translated(mdb_cursor_put(runs->cursor, &name, &mdb_value, 0));
}

static uint64_t
id_of_what_is_new(struct runs_write *runs)
{
    if (runs->id_new == 0) {
        runs->id_new = ++runs->id;
    }
    return runs->id_new;
}

/* The run that the number goes to. */
static struct run *
run_for(struct runs_write *runs, struct runs_changed *changed, uint64_t number)
{
    struct runs *known = &changed->runs;
    if (number >= changed->next && !changed->added) {
        (void)runs_add(known, id_of_what_is_new(runs), changed->next);
        changed->added = true;
    }
    uint32_t index = runs_find(known, number);
    if (index < known->count) {
        return &known->at[index];
    }
    /* Below all that there are: what was there is gone. */
    if (known->count == 0) {
        return &known->at[runs_add(known, ++runs->id, number)];
    }
    known->at[0].first = number;
    return &known->at[0];
}

int
environment_runs_put(struct environment_write *write, const struct store_key *key,
                     struct store_value value)
{
    struct runs_changed *changed = NULL;
    int result = environment_runs_of(write, key->partition, &changed);
    if (result != 0) {
        return result;
    }
    ASSERT(key->b == 0 && key->a < UINT64_MAX);
    changed->changed = true;
    struct run *run = run_for(write->runs, changed, key->a);
    changed->runs.next = key->a >= changed->runs.next ? key->a + 1 : changed->runs.next;
    return put(write, run, key, value);
}

/* ------------------------------------------------------------------------------------ deleting */

int
environment_runs_delete(struct environment_write *write, const struct store_key *key)
{
    struct store_range range = {*key, *key};
    uint64_t count = 0;
    return environment_runs_delete_range(write, &range, &count);
}

/* Deletes from one name to another, both in the same run; tells what that was. */
static int
delete_from_to(struct environment_write *write, const unsigned char low[RUN_KEY_BYTES],
               const unsigned char high[RUN_KEY_BYTES], uint64_t *records, uint64_t *bytes)
{
    MDB_cursor *cursor = write->runs->cursor;
    MDB_val from = {RUN_KEY_BYTES, (void *)(uintptr_t)low};
    MDB_val name = {0};
    MDB_val value = {0};
    leave_end(write->runs);
    int code = environment_walk_begin(cursor, &from, ENVIRONMENT_FORWARDS, &name, &value);
    while (code == MDB_SUCCESS) {
        if (name.mv_size != RUN_KEY_BYTES) {
            return -EUCLEAN;
        }
        if (memcmp(name.mv_data, high, RUN_KEY_BYTES) > 0) {
            return 0;
        }
        (*records)++;
        *bytes += RUN_KEY_BYTES + value.mv_size;
        code = mdb_cursor_del(cursor, 0);
        if (code == MDB_SUCCESS) {
            /* After a deletion the cursor stands on what followed, which NEXT then gives. */
            code = mdb_cursor_get(cursor, &name, &value, MDB_NEXT);
        }
    }
    return code == MDB_NOTFOUND ? 0 : environment_translated(code);
}

int
environment_runs_drop(struct environment_write *write, uint64_t run, uint8_t partition)
{
    unsigned char low[RUN_KEY_BYTES];
    unsigned char high[RUN_KEY_BYTES];
    struct store_range all = key_range_partition(partition);
    uint64_t records = 0;
    uint64_t bytes = 0;
    run_key_encode(run, &all.low, low);
    run_key_encode(run, &all.high, high);
    return delete_from_to(write, low, high, &records, &bytes);
}

int
environment_runs_delete_range(struct environment_write *write, const struct store_range *range,
                              uint64_t *count)
{
    struct runs_changed *changed = NULL;
    int result = environment_runs_of(write, range->low.partition, &changed);
    for (uint32_t i = 0; result == 0 && i < changed->runs.count; i++) {
        struct run *run = &changed->runs.at[i];
        struct store_range part;
        if (run->records > 0 && run_part(&changed->runs, i, range, &part)) {
            unsigned char low[RUN_KEY_BYTES];
            unsigned char high[RUN_KEY_BYTES];
            uint64_t records = 0;
            uint64_t bytes = 0;
            run_key_encode(run->id, &part.low, low);
            run_key_encode(run->id, &part.high, high);
            result = delete_from_to(write, low, high, &records, &bytes);
            if (records > run->records || bytes > run->bytes) {
                return -EUCLEAN;
            }
            run->records -= records;
            run->bytes -= bytes;
            changed->changed = changed->changed || records > 0;
            *count += records;
        }
    }
    return result;
}
