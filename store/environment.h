/* SPDX-License-Identifier: Apache-2.0 */
/* environment.h - a cell's LMDB environment: the state of its partitions at log position P, and
 * LMDB's only home.
 *
 *     environment_open(&options, &environment, why);
 *
 *     environment_read_begin(environment, &read);       on a worker: one job, one snapshot
 *     environment_get(&read, &key, &value);             -ENOENT: there is none
 *     environment_read_end(&read);
 *
 *     environment_write_begin(environment, &write);     one at a time: a fold
 *     environment_put(write, &key, value);
 *     environment_set_mark(write, &mark);               P changes with what it stands for
 *     environment_commit(&write);                       durable when 0
 *
 * Three databases: `data` with a record per key, `runs` with those of the one table that grows
 * (runs.h), `meta` with format, identity, cell, P, and where runs are. Commits are synced, always,
 * and the map is never writable. Reads need no lock against the writer, but hold its old pages
 * back: a read begins and ends within one job of a worker and never lives across a yield (MDB_NOTLS
 * ties it to its struct, not to the thread).
 *
 * LMDB keeps what a transaction needed until its environment is closed: the pages it wrote, some
 * hundred bytes for each user that was folded, and the ones it read stay mapped. So one that nobody
 * needs for a while is put to rest, which closes it, and the next transaction opens it again.
 *
 * All calls are for worker threads and start-up: LMDB needs large stacks and waits for the disk.
 * Any thread may read, many at once.
 *
 * Errors: -ENOSPC the disk is full; -EFBIG the map is (map_bytes; raise the setting); -EUCLEAN the
 * file is damaged; -ENOTRECOVERABLE a failed write left the environment unusable until it is opened
 * again; -EAGAIN more readers than readers_max; else the errno of the call that failed.
 */
#pragma once
#include "runtime/check.h"
#include "store/key.h"
#include "store/log_segment.h"
#include "store/runs.h"

struct environment;
struct environment_write;

enum {
    ENVIRONMENT_FORMAT_VERSION = 2,
    ENVIRONMENT_READERS_MAX = 126, /* default: far more than there are workers */
    ENVIRONMENT_VALUE_BYTES_MAX = 1 << 20,
    ENVIRONMENT_WHY_BYTES = LOG_WHY_BYTES,
    ENVIRONMENT_DESCRIPTORS = 3, /* that an open one has: LMDB's lock, data, and meta pages */
};
/* Default: address space that is reserved once, neither memory nor disk. */
#define ENVIRONMENT_MAP_BYTES (1ull << 40)

struct environment_options {
    struct io_driver *driver;
    const char *path;     /* an existing directory; borrowed during the call */
    uint64_t map_bytes;   /* 0: the default */
    unsigned readers_max; /* 0: the default */
    uint32_t cell;
    /* The table that lies in runs; 0: none. Of its keys `a` only grows over all owners of a
     * partition, but for records that are written again, and `b` is 0. Always the same. */
    uint8_t grows;
    unsigned char identity[LOG_IDENTITY_BYTES]; /* the data directory's */
};

/* Makes a new, empty environment, durably, replacing whatever files of one there are: only while
 * its data directory is being created. 0, or a negative errno with one sentence in `why`. */
MUST_CHECK int environment_create(const struct environment_options *options,
                                  char why[ENVIRONMENT_WHY_BYTES]);

/* Opens an existing one. 0, or a negative errno with one sentence in `why`: -EUCLEAN it is missing,
 * damaged, or another directory's or cell's; -EPROTO it has another format version. Clears readers
 * that a killed process left behind. */
MUST_CHECK int environment_open(const struct environment_options *options, struct environment **out,
                                char why[ENVIRONMENT_WHY_BYTES]);
/* No transaction may be open. Takes it; NULL is allowed. */
void environment_close(struct environment **environment);
/* Closes its files and frees what they take until the next transaction; false: one is under way. */
bool environment_rest(struct environment *environment);
bool environment_rests(struct environment *environment);

/* -------------------------------------------------------------------------------------- reading */

/* Embedded in the job; opaque. */
struct environment_read {
    struct environment *environment;
    void *transaction;
    void *cursor;
    void *runs_cursor;
    struct runs *runs; /* of a partition */
    int runs_of;       /* of which; -1: of none so far */
    /* May be set: asked with the walk's context before it looks into another run, where it may find
     * nothing. Other than 0 ends the walk, as of `each`. */
    int (*between)(void *context);
};

MUST_CHECK int environment_read_begin(struct environment *environment,
                                      struct environment_read *out);
/* Likewise by a loop's thread, which must not wait for files. -EAGAIN: it rests, or is being opened
 * or closed: a job's. */
MUST_CHECK int environment_read_try(struct environment *environment, struct environment_read *out);
/* What was read from it is gone afterwards. */
void environment_read_end(struct environment_read *read);

/* 0 with *out borrowed from the snapshot, -ENOENT, or another negative errno. */
MUST_CHECK int environment_get(struct environment_read *read, const struct store_key *key,
                               struct store_value *out);

/* Calls `each` for the records of a range in order of keys (backwards: from its high end down);
 * ends at its first value other than 0 and returns that. Of the table that grows a range is one
 * owner's; one that begins in a table before passes it over. `each` may get, but not walk: a
 * snapshot has one cursor for each database. */
enum environment_order { ENVIRONMENT_FORWARDS, ENVIRONMENT_BACKWARDS };
MUST_CHECK int environment_range(struct environment_read *read, const struct store_range *range,
                                 enum environment_order order,
                                 int (*each)(void *context, const struct store_key *key,
                                             struct store_value value),
                                 void *context);

/* P of this snapshot; {0, 0} when nothing has been folded. */
MUST_CHECK int environment_mark(const struct environment_read *read, struct log_mark *out);

/* -------------------------------------------------------------------------------------- writing */

/* Waits for another writer, so there should be none: each cell has one fold at a time. */
MUST_CHECK int environment_write_begin(struct environment *environment,
                                       struct environment_write **out);
MUST_CHECK int environment_put(struct environment_write *write, const struct store_key *key,
                               struct store_value value);
/* 0 also when there was none. */
MUST_CHECK int environment_delete(struct environment_write *write, const struct store_key *key);
/* Adds how many there were to *count. As environment_range. */
MUST_CHECK int environment_delete_range(struct environment_write *write,
                                        const struct store_range *range, uint64_t *count);
MUST_CHECK int environment_set_mark(struct environment_write *write, const struct log_mark *mark);
/* P as this transaction found it, or has set it. */
MUST_CHECK int environment_write_mark(struct environment_write *write, struct log_mark *out);
/* Takes *write in any case. 0: all of it is durable. Else: none of it happened. */
MUST_CHECK int environment_commit(struct environment_write **write);
/* Takes *write: nothing happened. NULL is allowed. */
void environment_abort(struct environment_write **write);

/* Merges runs (runs.h), in a transaction of its own, as a fold is: those of partitions that have
 * most of them, as long as they are not above `bytes` together, and of one in any case. *merged is
 * how many bytes of keys and values that were; 0: none are due. */
MUST_CHECK int environment_merge(struct environment *environment, uint64_t bytes, uint64_t *merged);

/* ---------------------------------------------------------------------------------------- facts */

struct environment_facts {
    uint64_t map_bytes;
    uint64_t used_bytes; /* of the file, its free pages included */
    uint64_t data_bytes; /* of the pages that the records stand in */
    uint64_t records;
    uint64_t commits;      /* since the file was made */
    unsigned readers_used; /* the most at once since it was opened */
    unsigned readers_max;
};
MUST_CHECK int environment_facts(struct environment *environment, struct environment_facts *out);
