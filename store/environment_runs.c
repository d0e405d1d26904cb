/* SPDX-License-Identifier: Apache-2.0 */
/* Records that lie in runs: their names in LMDB, the lists of runs, reading. */
#include "store/cursor.h"
#include "store/environment_priv.h"

#include <errno.h>
#include <string.h>

enum { LIST_KEY_BYTES = 5 };

/* --------------------------------------------------------------------------------------- names */

/* The run leads, so that a new one is the end of the tree. */
void
run_key_encode(uint64_t run, const struct store_key *key, unsigned char out[RUN_KEY_BYTES])
{
    key_put_u64(out, run);
    out[8] = key->partition;
    key_put_u64(out + 9, key->owner);
    key_put_u64(out + 17, key->a);
}

int
run_key_decode(const struct environment *environment, const MDB_val *name, uint64_t *run,
               struct store_key *out)
{
    const unsigned char *in = name->mv_data;
    if (name->mv_size != RUN_KEY_BYTES) {
        return -EUCLEAN;
    }
    *run = key_get_u64(in);
    *out = (struct store_key){
        .partition = in[8],
        .table = environment->options.grows,
        .owner = key_get_u64(in + 9),
        .a = key_get_u64(in + 17),
    };
    return 0;
}

/* --------------------------------------------------------------------------------------- lists */

static void
list_key(uint8_t partition, unsigned char out[LIST_KEY_BYTES])
{
    memcpy(out, "runs", LIST_KEY_BYTES - 1);
    out[LIST_KEY_BYTES - 1] = partition;
}

int
environment_runs_load(const struct environment *environment, MDB_txn *txn, uint8_t partition,
                      struct runs *out)
{
    unsigned char name[LIST_KEY_BYTES];
    MDB_val key = {sizeof(name), name};
    MDB_val value = {0};
    list_key(partition, name);
    int code = mdb_get(txn, environment->meta, &key, &value);
    if (code == MDB_NOTFOUND) {
        out->next = 0;
        out->count = 0;
        return 0;
    }
    if (code != MDB_SUCCESS) {
        return environment_translated(code);
    }
    int error = runs_decode((struct store_value){value.mv_data, value.mv_size}, out);
    return error == 0 ? 0 : -EUCLEAN;
}

int
environment_runs_store(struct environment_write *write, uint8_t partition, const struct runs *runs)
{
    unsigned char name[LIST_KEY_BYTES];
    unsigned char bytes[RUNS_BYTES_MAX];
    MDB_val key = {sizeof(name), name};
    MDB_val value = {runs_encode(runs, bytes), bytes};
    list_key(partition, name);
    return environment_translated(mdb_put(write->txn, write->environment->meta, &key, &value, 0));
}

bool
run_part(const struct runs *runs, uint32_t index, const struct store_range *range,
         struct store_range *out)
{
    uint64_t first = runs->at[index].first;
    uint64_t last = runs_last(runs, index);
    ASSERT(range->low.owner == range->high.owner && range->low.b == 0);
    ASSERT(key_place(&range->low) == key_place(&range->high));
    *out = *range;
    out->low.a = first > out->low.a ? first : out->low.a;
    out->high.a = last < out->high.a ? last : out->high.a;
    return out->low.a <= out->high.a;
}

/* ------------------------------------------------------------------------------------- reading */

/* read->runs become the partition's. */
static int
look_up(struct environment_read *read, uint8_t partition)
{
    if (read->runs_of == partition) {
        return 0;
    }
    read->runs_of = -1;
    int result = environment_runs_load(read->environment, read->transaction, partition, read->runs);
    if (result == 0) {
        read->runs_of = partition;
    }
    return result;
}

int
environment_runs_get(struct environment_read *read, const struct store_key *key,
                     struct store_value *out)
{
    unsigned char name[RUN_KEY_BYTES];
    MDB_val mdb_key = {sizeof(name), name};
    MDB_val value = {0};
    int result = look_up(read, key->partition);
    if (result < 0) {
        return result;
    }
    uint32_t index = runs_find(read->runs, key->a);
    if (index == read->runs->count || key->a >= read->runs->next) {
        return -ENOENT;
    }
    run_key_encode(read->runs->at[index].id, key, name);
    int code = mdb_get(read->transaction, read->environment->runs, &mdb_key, &value);
    if (code != MDB_SUCCESS) {
        return environment_translated(code);
    }
    *out = (struct store_value){value.mv_data, value.mv_size};
    return 0;
}

/* What a range, which is an owner's and in one run, has there. */
static int
walk_run(struct environment_read *read, uint64_t run, const struct store_range *range,
         enum environment_order order,
         int (*each)(void *context, const struct store_key *key, struct store_value value),
         void *context)
{
    bool forwards = order == ENVIRONMENT_FORWARDS;
    MDB_cursor *cursor = read->runs_cursor;
    unsigned char encoded[RUN_KEY_BYTES];
    MDB_val from = {sizeof(encoded), encoded};
    MDB_val name = {0};
    MDB_val value = {0};
    run_key_encode(run, forwards ? &range->low : &range->high, encoded);
    int code = environment_walk_begin(cursor, &from, order, &name, &value);
    while (code == MDB_SUCCESS) {
        uint64_t found;
        struct store_key key;
        int result = run_key_decode(read->environment, &name, &found, &key);
        if (result < 0) {
            return result;
        }
        if (found != run ||
            (forwards ? key_less(&range->high, &key) : key_less(&key, &range->low))) {
            return 0;
        }
        result = each(context, &key, (struct store_value){value.mv_data, value.mv_size});
        if (result != 0) {
            return result;
        }
        code = mdb_cursor_get(cursor, &name, &value, forwards ? MDB_NEXT : MDB_PREV);
    }
    return code == MDB_NOTFOUND ? 0 : environment_translated(code);
}

int
environment_runs_range(struct environment_read *read, const struct store_range *range,
                       enum environment_order order,
                       int (*each)(void *context, const struct store_key *key,
                                   struct store_value value),
                       void *context)
{
    uint8_t partition = range->low.partition;
    int result = look_up(read, partition);
    uint32_t count = result == 0 ? read->runs->count : 0;
    bool looked = false;
    for (uint32_t i = 0; result == 0 && i < count; i++) {
        uint32_t index = order == ENVIRONMENT_FORWARDS ? i : count - 1 - i;
        struct store_range part;
        if (!run_part(read->runs, index, range, &part)) {
            continue;
        }
        if (looked && read->between != NULL) {
            result = read->between(context);
        }
        looked = true;
        if (result == 0) {
            result = walk_run(read, read->runs->at[index].id, &part, order, each, context);
        }
        if (result == 0) {
            result = look_up(read, partition); /* `each` may have got something elsewhere */
        }
    }
    return result;
}
