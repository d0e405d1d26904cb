/* SPDX-License-Identifier: Apache-2.0 */
/* log_segment.h - the files of a log: `log/GGGGGGGG-LLL-SSSSSSSS` (generation, log, segment; in
 * hexadecimal).
 *
 *     segment:   header, 64 bytes, zeros up to 512 | batch | batch | ... | zeros, or stale bytes of
 *                its last use
 *     header:    magic 8 | version 4 | generation 4 | log 4 | segment 4 | bytes 4 | 0 4 | salt 8 |
 *                identity 16 | checksum 8
 *
 * A segment is made complete under another name (with `.new` behind it): allocated, header written,
 * synced; only then it gets its own name and the directory is synced. So a file with a segment's
 * name has had a good header for as long as anything was written into it, and one without is
 * damaged. All of a file's space is there before its first batch: appending changes no metadata and
 * can't meet a full disk.
 *
 * The functions wait for the disk: start-up and worker threads; any thread.
 */
#pragma once
#include "runtime/check.h"
#include "runtime/io/io.h"
#include "store/log_batch.h"

enum {
    LOG_FORMAT_VERSION = 2,
    LOG_SEGMENT_BYTES = 64 << 20,      /* default; a few of them hold a delta */
    LOG_SEGMENT_BYTES_MIN = 4 << 10,   /* tests use small ones; multiples of LOG_ALIGN_BYTES */
    LOG_SEGMENT_BYTES_MAX = 256 << 20, /* a start reads one at a time into memory, of each log */
    LOG_IDENTITY_BYTES = 16,
    LOG_PATH_BYTES_MAX = 384, /* paths stand on small stacks */
    LOG_WHY_BYTES = 512,
};

/* Which log: where it is and what its segments must say. Plain; `folder` is borrowed. */
struct log_place {
    struct io_driver *driver;
    const char *folder;                         /* "/var/lib/linnet/log" */
    unsigned char identity[LOG_IDENTITY_BYTES]; /* the data directory's */
    uint32_t generation;
    uint32_t log;
    uint32_t segment_bytes;   /* of new segments, 0: the default; old ones know their own */
    uint32_t batch_bytes_max; /* 0: the default (log.h) */
};

/* An open segment. */
struct log_segment {
    uint32_t number;
    uint32_t bytes; /* of the file */
    uint64_t salt;
    io_file file;
};

/* Makes segment `number`, ready for its first batch. When `recycle` is not 0 the file of that old
 * segment becomes it, if it is still there. 0 with *out open, or a negative errno, and nothing is
 * left behind then (but the recycled file may be gone). */
MUST_CHECK int log_segment_make(const struct log_place *place, uint32_t number, uint32_t recycle,
                                struct log_segment *out);

/* Opens an existing segment. 0; -EUCLEAN when it is damaged or of another log, -EPROTO when of
 * another format version, or another negative errno; with one sentence in `why`. */
MUST_CHECK int log_segment_open(const struct log_place *place, uint32_t number,
                                struct log_segment *out, char why[LOG_WHY_BYTES]);

/* Removes `count` segments from `first` on, those that are there, and syncs the folder. 0 or a
 * negative errno. */
MUST_CHECK int log_segments_remove(const struct log_place *place, uint32_t first, uint32_t count);

/* Removes the files of segments that were never completed, of all logs in the folder. Start-up
 * only. */
MUST_CHECK int log_segments_sweep(struct io_driver *driver, const char *folder);

/* Calls `each` for every segment in the folder, of all generations and logs, in order; ends at its
 * first value other than 0 and returns it. Names that are no segment's are passed over. */
MUST_CHECK int log_segments_list(struct io_driver *driver, const char *folder,
                                 int (*each)(void *context, uint32_t generation, uint32_t log,
                                             uint32_t segment),
                                 void *context);

void log_segment_path(const struct log_place *place, uint32_t number, char out[LOG_PATH_BYTES_MAX]);
