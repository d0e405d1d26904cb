/* SPDX-License-Identifier: Apache-2.0 */
#include "store/fold.h"

#include <errno.h>

static int
fold_entry(struct fold *fold, struct environment_write *write, const struct table_entry *entry)
{
    switch (entry->state) {
    case TABLE_WRITTEN:
        fold->stats.written++;
        fold->stats.bytes += STORE_KEY_BYTES + entry->value.count;
        return environment_put(write, &entry->key, entry->value);
    case TABLE_DELETED:
        fold->stats.deleted++;
        return environment_delete(write, &entry->key);
    case TABLE_FETCHED:
    case TABLE_MISSING:
    case TABLE_STATES:
        break;
    }
    return 0; /* LMDB said so itself */
}

static int
fold_table(struct fold *fold, struct environment_write *write, const struct table *table)
{
    struct table_cursor at;
    struct table_entry entry;
    int result = 0;
    table_seek(table, &(struct store_key){0}, &at);
    for (; result == 0 && table_at(&at, &entry); table_next(&at)) {
        result = fold_entry(fold, write, &entry);
    }
    return result;
}

static int
fold_implied(struct fold *fold, struct environment_write *write, struct environment_read *read,
             const struct table_entry *entry)
{
    struct store_range range;
    struct store_value before = {0};
    if (!fold->implies(entry, NULL, 0, &range)) {
        return 0;
    }
    int result = environment_get(read, &entry->key, &before);
    if (result < 0 && result != -ENOENT) {
        return result;
    }
    result = 0;
    for (unsigned i = 0; result == 0 && fold->implies(entry, &before, i, &range); i++) {
        ASSERT(range.low.partition == entry->key.partition);
        ASSERT(range.high.partition == entry->key.partition);
        fold->stats.ranges++;
        result = environment_delete_range(write, &range, &fold->stats.ranges_deleted);
    }
    return result;
}

/* A second walk, so that each of the two goes through LMDB's pages in order. */
static int
fold_ranges(struct fold *fold, struct environment_write *write, struct environment_read *read,
            const struct table *table)
{
    struct table_cursor at;
    struct table_entry entry;
    int result = 0;
    table_seek(table, &(struct store_key){0}, &at);
    for (; result == 0 && table_at(&at, &entry); table_next(&at)) {
        if (entry.state == TABLE_WRITTEN) {
            result = fold_implied(fold, write, read, &entry);
        }
    }
    return result;
}

static int
fold_all_ranges(struct fold *fold, struct environment_write *write)
{
    struct environment_read read; /* of what was before: this transaction has not committed */
    int result = environment_read_begin(fold->environment, &read);
    if (result < 0) {
        return result;
    }
    for (unsigned i = 0; result == 0 && i < fold->tables_count; i++) {
        if (fold->tables[i] != NULL) {
            result = fold_ranges(fold, write, &read, fold->tables[i]);
        }
    }
    environment_read_end(&read);
    return result;
}

/* Everything but the commit. */
static int
fold_write(struct fold *fold, struct environment_write *write)
{
    int result = 0;
    for (unsigned i = 0; result == 0 && i < fold->tables_count; i++) {
        if (fold->tables[i] != NULL) {
            result = fold_table(fold, write, fold->tables[i]);
        }
    }
    if (result == 0 && fold->implies != NULL) {
        result = fold_all_ranges(fold, write);
    }
    if (result == 0) {
        result = environment_set_mark(write, &fold->mark);
    }
    return result;
}

/* Of another mark than the environment's. */
static int
fold_whole(struct fold *fold, struct environment_write **write)
{
    int result = fold_write(fold, *write);
    if (result < 0) {
        environment_abort(write);
        return result;
    }
    return environment_commit(write);
}

int
fold_run(struct fold *fold)
{
    struct environment_write *write = NULL;
    struct log_mark mark;
    fold->stats = (struct fold_stats){0};
    int result = environment_write_begin(fold->environment, &write);
    if (result < 0) {
        return result;
    }
    result = environment_write_mark(write, &mark);
    int before = result == 0 ? log_mark_compare(&mark, &fold->mark) : 0;
    if (result == 0 && before < 0) {
        return fold_whole(fold, &write);
    }
    environment_abort(&write);
    return before > 0 ? -ESTALE : result;
}
