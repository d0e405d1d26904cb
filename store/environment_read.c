/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: snapshots, single records, walks. */
#include "runtime/io/lock.h"
#include "store/environment_priv.h"

#include <errno.h>
#include <string.h>

void
environment_read_free(MDB_txn *txn, MDB_cursor *cursor)
{
    if (cursor != NULL) {
        mdb_cursor_close(cursor);
    }
    if (txn != NULL) {
        mdb_txn_abort(txn);
    }
}

static void
spare_take(struct environment *environment, MDB_txn **txn, MDB_cursor **cursor)
{
    lock_take(environment->lock);
    *txn = environment->spare_txn;
    *cursor = environment->spare_cursor;
    environment->spare_txn = NULL;
    environment->spare_cursor = NULL;
    lock_give(environment->lock);
}

/* Ends the transaction; while it is held. */
static void
spare_keep(struct environment *environment, MDB_txn *txn, MDB_cursor *cursor)
{
    mdb_txn_reset(txn);
    lock_take(environment->lock);
    if (environment->spare_txn == NULL) {
        environment->spare_txn = txn;
        environment->spare_cursor = cursor;
        txn = NULL;
        cursor = NULL;
    }
    lock_give(environment->lock);
    environment_read_free(txn, cursor);
}

/* Of one that is held. Lets it go again when it fails. */
static int
read_begin(struct environment *environment, struct environment_read *out)
{
    MDB_txn *txn = NULL;
    MDB_cursor *cursor = NULL;
    spare_take(environment, &txn, &cursor);
    int code =
        txn != NULL ? mdb_txn_renew(txn) : mdb_txn_begin(environment->env, NULL, MDB_RDONLY, &txn);
    if (code == MDB_SUCCESS) {
        code = cursor != NULL ? mdb_cursor_renew(txn, cursor)
                              : mdb_cursor_open(txn, environment->data, &cursor);
    }
    if (code != MDB_SUCCESS) {
        environment_read_free(txn, cursor);
        environment_let_go(environment);
        return environment_translated(code);
    }
    *out = (struct environment_read){environment, txn, cursor};
    return 0;
}

int
environment_read_begin(struct environment *environment, struct environment_read *out)
{
    int result = environment_hold(environment);
    return result < 0 ? result : read_begin(environment, out);
}

int
environment_read_try(struct environment *environment, struct environment_read *out)
{
    return environment_try_hold(environment) ? read_begin(environment, out) : -EAGAIN;
}

void
environment_read_end(struct environment_read *read)
{
    ASSERT(read->environment != NULL);
    spare_keep(read->environment, read->transaction, read->cursor);
    environment_let_go(read->environment);
    *read = (struct environment_read){0};
}

int
environment_get(const struct environment_read *read, const struct store_key *key,
                struct store_value *out)
{
    unsigned char name[STORE_KEY_BYTES];
    MDB_val mdb_key = {sizeof(name), name};
    MDB_val value = {0};
    key_encode(key, name);
    int code = mdb_get(read->transaction, read->environment->data, &mdb_key, &value);
    if (code != MDB_SUCCESS) {
        return environment_translated(code);
    }
    *out = (struct store_value){value.mv_data, value.mv_size};
    return 0;
}

int
environment_walk_begin(MDB_cursor *cursor, const struct store_key *from,
                       enum environment_order order, MDB_val *key, MDB_val *value)
{
    unsigned char name[STORE_KEY_BYTES];
    key_encode(from, name);
    *key = (MDB_val){sizeof(name), name};
    int code = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (order == ENVIRONMENT_FORWARDS) {
        return code;
    }
    if (code == MDB_NOTFOUND) {
        return mdb_cursor_get(cursor, key, value, MDB_LAST);
    }
    if (code == MDB_SUCCESS &&
        (key->mv_size != STORE_KEY_BYTES || memcmp(key->mv_data, name, STORE_KEY_BYTES) != 0)) {
        code = mdb_cursor_get(cursor, key, value, MDB_PREV);
    }
    return code;
}

int
environment_range(const struct environment_read *read, const struct store_range *range,
                  enum environment_order order,
                  int (*each)(void *context, const struct store_key *key, struct store_value value),
                  void *context)
{
    bool forwards = order == ENVIRONMENT_FORWARDS;
    MDB_cursor *cursor = read->cursor;
    MDB_val name = {0};
    MDB_val value = {0};
    if (key_less(&range->high, &range->low)) {
        return 0;
    }
    int result = 0;
    int code =
        environment_walk_begin(cursor, forwards ? &range->low : &range->high, order, &name, &value);
    while (code == MDB_SUCCESS && result == 0) {
        struct store_key key;
        if (key_decode(name.mv_data, name.mv_size, &key) < 0) {
            result = -EUCLEAN;
            break;
        }
        if (forwards ? key_less(&range->high, &key) : key_less(&key, &range->low)) {
            break;
        }
        result = each(context, &key, (struct store_value){value.mv_data, value.mv_size});
        if (result == 0) {
            code = mdb_cursor_get(cursor, &name, &value, forwards ? MDB_NEXT : MDB_PREV);
        }
    }
    if (result == 0 && code != MDB_SUCCESS && code != MDB_NOTFOUND) {
        result = environment_translated(code);
    }
    return result;
}
