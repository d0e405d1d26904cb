/* SPDX-License-Identifier: Apache-2.0 */
/* How far the log is in an environment: written in the same transaction as what came of it. */
#include "store/cursor.h"
#include "store/environment_priv.h"

#include <errno.h>

enum { MARK_BYTES = 12 };

static const char MARK_KEY[] = "mark";

static int
mark_get(const struct environment *environment, MDB_txn *txn, struct log_mark *out)
{
    MDB_val key = {sizeof(MARK_KEY) - 1, (void *)(uintptr_t)MARK_KEY};
    MDB_val value = {0};
    struct cursor_in in;
    struct log_mark mark;
    int code = mdb_get(txn, environment->meta, &key, &value);
    if (code == MDB_NOTFOUND) {
        *out = (struct log_mark){0};
        return 0;
    }
    if (code != MDB_SUCCESS) {
        return environment_translated(code);
    }
    cursor_in_init(&in, value.mv_data, value.mv_size);
    mark.generation = cursor_get_u32(&in);
    mark.position = cursor_get_u64(&in);
    if (cursor_in_end(&in) < 0) {
        return -EUCLEAN;
    }
    *out = mark;
    return 0;
}

int
environment_mark(const struct environment_read *read, struct log_mark *out)
{
    return mark_get(read->environment, read->transaction, out);
}

int
environment_set_mark(struct environment_write *write, const struct log_mark *mark)
{
    unsigned char bytes[MARK_BYTES];
    struct cursor_out out;
    MDB_val key = {sizeof(MARK_KEY) - 1, (void *)(uintptr_t)MARK_KEY};
    MDB_val value = {sizeof(bytes), bytes};
    cursor_out_init(&out, bytes, sizeof(bytes));
    cursor_put_u32(&out, mark->generation);
    cursor_put_u64(&out, mark->position);
    ASSERT(!out.failed);
    return environment_translated(mdb_put(write->txn, write->environment->meta, &key, &value, 0));
}

int
environment_write_mark(struct environment_write *write, struct log_mark *out)
{
    return mark_get(write->environment, write->txn, out);
}
