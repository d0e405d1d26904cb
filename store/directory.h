/* SPDX-License-Identifier: Apache-2.0 */
/* directory.h - the data directory: who may use it, and what is fixed in it for good.
 *
 *     DIR/lock            held by the one process that uses the directory
 *     DIR/linnet.data     format version, identity, secret, cells, time of creation; log generation and schedulers
 *     DIR/cells/cNN/      a cell's LMDB environment
 *     DIR/log/            the logs' segments (log.h)
 *
 * Everything is for its owner alone (0700, 0600): the secret decides where owners live, and
 * messages are private.
 *
 * linnet.data is written last, under another name, synced and renamed: while it is missing nothing
 * has been promised to anybody, and a start that finds an unfinished creation completes it. When it
 * is missing although there are data, something is wrong, and the start says so instead of making a
 * new one.
 *
 *     directory_open(&options, &directory, why, sizeof(why));
 *     ... directory_facts(directory)->cells, directory_cell_path(directory, 3, path) ...
 *     directory_close(&directory);
 *
 * Start-up and shutdown only, one thread; what directory_facts lends may be read by any.
 */
#pragma once
#include "store/log.h"

enum {
    DIRECTORY_FORMAT_VERSION = 1,
    DIRECTORY_SECRET_BYTES = 32,
    DIRECTORY_CELLS_MIN = 1,
    DIRECTORY_CELLS_MAX = 256,      /* a cell has at least one of the 256 partitions */
    DIRECTORY_SCHEDULERS_MAX = 256, /* more than cells would have nothing to do */
    DIRECTORY_WHY_BYTES = 512,
    DIRECTORY_PATH_BYTES_MAX = LOG_PATH_BYTES_MAX,
};

struct directory_options {
    struct io_driver *driver;
    const char *path;    /* borrowed; its parent must exist */
    unsigned cells;      /* a power of two; used at creation only */
    unsigned schedulers; /* now */
};

struct directory_facts {
    unsigned char identity[LOG_IDENTITY_BYTES]; /* random; stands in every file of the directory */
    unsigned char secret[DIRECTORY_SECRET_BYTES];
    uint64_t seed; /* of the secret: for key_partition_of_id */
    int64_t created_at_ms;
    uint32_t cells;
    uint32_t log_generation; /* 1 at creation */
    uint32_t
        /* of this log generation: when it is not the number now, a new one must begin */
        schedulers;
    bool created; /* by this open */
};

struct directory;

/* Opens and locks the directory, creating it at the first time. 0, or a negative errno with one
 * sentence in `why`:
 * -EWOULDBLOCK another process has it, -EPROTO another format version, -EUCLEAN damaged, -EINVAL a
 * bad setting. */
MUST_CHECK int directory_open(const struct directory_options *options, struct directory **out,
                              char *why, size_t why_bytes);
/* Takes it and lets go of the lock; NULL is allowed. */
void directory_close(struct directory **directory);

const struct directory_facts *directory_facts(const struct directory *directory);

/* Durably begins a new log generation for so many schedulers: after all that the old logs hold has
 * been folded with the mark {generation + 1, log_position_first()}. 0 or a negative errno; nothing
 * has changed then. */
MUST_CHECK int directory_begin_generation(struct directory *directory, uint32_t schedulers);

/* Paths; borrowed until close. */
const char *directory_path(const struct directory *directory);
const char *directory_log_path(const struct directory *directory);
void directory_cell_path(const struct directory *directory, unsigned cell,
                         char out[DIRECTORY_PATH_BYTES_MAX]);
