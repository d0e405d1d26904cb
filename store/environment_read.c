/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: snapshots, single records, walks. */
#include "runtime/io/lock.h"
#include "store/environment_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
environment_spare_free(struct environment_spare *spare)
{
    if (spare->cursor != NULL) {
        mdb_cursor_close(spare->cursor);
    }
    if (spare->runs_cursor != NULL) {
        mdb_cursor_close(spare->runs_cursor);
    }
    if (spare->txn != NULL) {
        mdb_txn_abort(spare->txn);
    }
    free(spare->runs);
    *spare = (struct environment_spare){0};
}

static struct environment_spare
spare_take(struct environment *environment)
{
    lock_take(environment->lock);
    struct environment_spare spare = environment->spare;
    environment->spare = (struct environment_spare){0};
    lock_give(environment->lock);
    return spare;
}

/* Ends the transaction; while it is held. */
static void
spare_keep(struct environment *environment, struct environment_spare spare)
{
    mdb_txn_reset(spare.txn);
    lock_take(environment->lock);
    if (environment->spare.txn == NULL) {
        environment->spare = spare;
        spare = (struct environment_spare){0};
    }
    lock_give(environment->lock);
    environment_spare_free(&spare);
}

static int
cursor_begin(MDB_txn *txn, MDB_dbi dbi, MDB_cursor **cursor)
{
    return *cursor != NULL ? mdb_cursor_renew(txn, *cursor) : mdb_cursor_open(txn, dbi, cursor);
}

/* Of one that is held. Lets it go again when it fails. */
static int
read_begin(struct environment *environment, struct environment_read *out)
{
    struct environment_spare spare = spare_take(environment);
    if (spare.runs == NULL) {
        spare.runs = malloc(sizeof(*spare.runs));
    }
    int code = spare.runs == NULL  ? ENOMEM
               : spare.txn != NULL ? mdb_txn_renew(spare.txn)
                                   : mdb_txn_begin(environment->env, NULL, MDB_RDONLY, &spare.txn);
    if (code == MDB_SUCCESS) {
        code = cursor_begin(spare.txn, environment->data, &spare.cursor);
    }
    if (code == MDB_SUCCESS) {
        code = cursor_begin(spare.txn, environment->runs, &spare.runs_cursor);
    }
    if (code != MDB_SUCCESS) {
        environment_spare_free(&spare);
        environment_let_go(environment);
        return environment_translated(code);
    }
    *out = (struct environment_read){
        .environment = environment,
        .transaction = spare.txn,
        .cursor = spare.cursor,
        .runs_cursor = spare.runs_cursor,
        .runs = spare.runs,
        .runs_of = -1,
    };
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
    spare_keep(read->environment, (struct environment_spare){read->transaction, read->cursor,
                                                             read->runs_cursor, read->runs});
    environment_let_go(read->environment);
    *read = (struct environment_read){0};
}

int
environment_get(struct environment_read *read, const struct store_key *key, struct store_value *out)
{
    if (environment_grows(read->environment, key)) {
        return environment_runs_get(read, key, out);
    }
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
environment_walk_begin(MDB_cursor *cursor, const MDB_val *from, enum environment_order order,
                       MDB_val *key, MDB_val *value)
{
    *key = *from;
    int code = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
    if (order == ENVIRONMENT_FORWARDS) {
        return code;
    }
    if (code == MDB_NOTFOUND) {
        return mdb_cursor_get(cursor, key, value, MDB_LAST);
    }
    if (code == MDB_SUCCESS && (key->mv_size != from->mv_size ||
                                memcmp(key->mv_data, from->mv_data, from->mv_size) != 0)) {
        code = mdb_cursor_get(cursor, key, value, MDB_PREV);
    }
    return code;
}

int
environment_range(struct environment_read *read, const struct store_range *range,
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
    if (environment_grows(read->environment, &range->low)) {
        return environment_runs_range(read, range, order, each, context);
    }
    int result = 0;
    unsigned char encoded[STORE_KEY_BYTES];
    MDB_val from = {sizeof(encoded), encoded};
    key_encode(forwards ? &range->low : &range->high, encoded);
    int code = environment_walk_begin(cursor, &from, order, &name, &value);
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
