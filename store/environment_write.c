/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: one transaction at a time. */
#include "store/environment_priv.h"

#include <errno.h>
#include <stdlib.h>

int
environment_write_begin(struct environment *environment, struct environment_write **out)
{
    struct environment_write *write = calloc(1, sizeof(*write));
    if (write == NULL) {
        return -ENOMEM;
    }
    int result = environment_hold(environment);
    if (result < 0) {
        free(write);
        return result;
    }
    write->environment = environment;
    int code = mdb_txn_begin(environment->env, NULL, 0, &write->txn);
    if (code == MDB_SUCCESS) {
        code = mdb_cursor_open(write->txn, environment->data, &write->cursor);
    }
    if (code != MDB_SUCCESS) {
        environment_abort(&write);
        return environment_translated(code);
    }
    *out = write;
    return 0;
}

int
environment_put(struct environment_write *write, const struct store_key *key,
                struct store_value value)
{
    unsigned char name[STORE_KEY_BYTES];
    MDB_val mdb_key = {sizeof(name), name};
    MDB_val mdb_value = {value.count, (void *)(uintptr_t)value.bytes};
    ASSERT(value.count <= ENVIRONMENT_VALUE_BYTES_MAX);
    if (environment_grows(write->environment, key)) {
        return environment_runs_put(write, key, value);
    }
    key_encode(key, name);
    return environment_translated(mdb_cursor_put(write->cursor, &mdb_key, &mdb_value, 0));
}

int
environment_delete(struct environment_write *write, const struct store_key *key)
{
    unsigned char name[STORE_KEY_BYTES];
    MDB_val mdb_key = {sizeof(name), name};
    MDB_val value = {0};
    if (environment_grows(write->environment, key)) {
        return environment_runs_delete(write, key);
    }
    key_encode(key, name);
    int code = mdb_cursor_get(write->cursor, &mdb_key, &value, MDB_SET);
    if (code == MDB_NOTFOUND) {
        return 0;
    }
    if (code == MDB_SUCCESS) {
        code = mdb_cursor_del(write->cursor, 0);
    }
    return environment_translated(code);
}

int
environment_delete_range(struct environment_write *write, const struct store_range *range,
                         uint64_t *count)
{
    MDB_val name = {0};
    MDB_val value = {0};
    if (key_less(&range->high, &range->low)) {
        return 0;
    }
    if (environment_grows(write->environment, &range->low)) {
        return environment_runs_delete_range(write, range, count);
    }
    unsigned char encoded[STORE_KEY_BYTES];
    MDB_val from = {sizeof(encoded), encoded};
    key_encode(&range->low, encoded);
    int code = environment_walk_begin(write->cursor, &from, ENVIRONMENT_FORWARDS, &name, &value);
    while (code == MDB_SUCCESS) {
        struct store_key key;
        if (key_decode(name.mv_data, name.mv_size, &key) < 0) {
            return -EUCLEAN;
        }
        if (key_less(&range->high, &key)) {
            return 0;
        }
        code = mdb_cursor_del(write->cursor, 0);
        if (code == MDB_SUCCESS) {
            (*count)++;
            /* After a deletion the cursor stands on what followed, which NEXT then gives. */
            code = mdb_cursor_get(write->cursor, &name, &value, MDB_NEXT);
        }
    }
    return code == MDB_NOTFOUND ? 0 : environment_translated(code);
}

int
environment_commit(struct environment_write **write)
{
    struct environment_write *taken = *write;
    int result = environment_runs_save(taken);
    if (result < 0) {
        environment_abort(write);
        return result;
    }
    *write = NULL;
    environment_runs_free(taken);
    mdb_cursor_close(taken->cursor);
    int code = mdb_txn_commit(taken->txn); /* frees the transaction in any case */
    environment_let_go(taken->environment);
    free(taken);
    return environment_translated(code);
}

void
environment_abort(struct environment_write **write)
{
    struct environment_write *taken = *write;
    if (taken == NULL) {
        return;
    }
    *write = NULL;
    environment_runs_free(taken);
    if (taken->cursor != NULL) {
        mdb_cursor_close(taken->cursor);
    }
    if (taken->txn != NULL) {
        mdb_txn_abort(taken->txn);
    }
    environment_let_go(taken->environment);
    free(taken);
}
