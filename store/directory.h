/* SPDX-License-Identifier: Apache-2.0 */
/* directory.h - the data directory: who may use it, and what is fixed in it for good.
 *
 *     DIR/lock            held by the one process that uses the directory
 *     DIR/linnet.data     format version, identity, secret, cells, log generation (see directory.c)
 *     DIR/linnet.creating there while the directory is being created
 *     DIR/cells/cNN/      a cell's LMDB environment (NN in hexadecimal)
 *     DIR/log/            the logs' segments (log_segment.h)
 *
 * Everything is for its owner alone (0700, 0600): the secret decides where owners live, and
 * messages are private.
 *
 * At creation linnet.data is written last, under another name, synced and renamed: while it is
 * missing nothing has been promised to anybody, and a start that finds linnet.creating without it
 * begins the creation anew. Where both are missing although there are data, something is wrong, and
 * the start says so instead of making a new directory over them.
 *
 *     directory_open(&options, &directory, why);
 *     ... directory_facts(directory)->cells, directory_cell_path(directory, 3, path) ...
 *     directory_close(&directory);
 *
 * Start-up and shutdown only, one thread; what directory_facts lends may be read by any.
 */
#pragma once
#include "runtime/check.h"
#include "store/log_segment.h"

enum {
    /* Raised with whatever makes an older directory mean something else: the bytes of a command or
     * record, and what applying a command decides, since a start applies the log's tail again. */
    DIRECTORY_FORMAT_VERSION = 5,
    DIRECTORY_SECRET_BYTES = 32,
    DIRECTORY_CELLS_MIN = 1,
    DIRECTORY_CELLS_MAX = 256,      /* a cell has at least one of the 256 partitions */
    DIRECTORY_SCHEDULERS_MAX = 256, /* more than cells would have nothing to do */
    DIRECTORY_PATH_BYTES_MAX = 320, /* of DIR: leaves room for the names below it */
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
    /* Of this log generation: when it is not the number now, a new generation must begin. */
    uint32_t schedulers;
    bool created; /* by this open */
};

struct directory;

/* Opens and locks the directory, creating it at the first time. 0, or a negative errno with one
 * sentence in `why`: -EWOULDBLOCK another process has it, -EPROTO another format version, -EUCLEAN
 * damaged, -EINVAL a bad setting. */
MUST_CHECK int directory_open(const struct directory_options *options, struct directory **out,
                              char why[LOG_WHY_BYTES]);
/* Takes it and lets go of the lock; NULL is allowed. */
void directory_close(struct directory **directory);

const struct directory_facts *directory_facts(const struct directory *directory);

/* Durably begins a new log generation for so many schedulers: after all that the old logs hold has
 * been folded with the mark {generation + 1, log_position_first()}. 0, and the facts tell it; or a
 * negative errno: then the next start may find the old generation or the new one, and both are
 * right. */
MUST_CHECK int directory_begin_generation(struct directory *directory, uint32_t schedulers);

/* Paths; borrowed until close. */
const char *directory_path(const struct directory *directory);
const char *directory_log_path(const struct directory *directory);
void directory_cell_path(const struct directory *directory, unsigned cell,
                         char out[LOG_PATH_BYTES_MAX]);
