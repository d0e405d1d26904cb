/* SPDX-License-Identifier: Apache-2.0 */
/* step_file.h - the files that steps are kept in: `steps/LLL-SSSSSSSS` (scheduler, segment; in
 * hexadecimal) beside the store.
 *
 *     segment:   header, 32 bytes, zeros up to 512 | step | step | ...
 *     header:    magic 8 | scheduler 4 | segment 4 | time of its first step 8 | 0 8
 *
 * Each scheduler appends to a row of its own; when that has as many bytes as it may the oldest
 * segment goes. Rows of schedulers that there are no more are the others' to let go of. Nothing is
 * synced, and a step is 32 bytes at a place that 32 divides, so whatever a crash leaves can be
 * read: a step that did not reach the disk is a hole. What is appended is filled up with holes to
 * whole sectors and goes past the page cache: nobody is likely to read it soon.
 *
 *     step_files_open(&files, &place);
 *     error = step_files_append(&files, words, count);
 *     step_files_close(&files);
 *
 * The functions wait for the disk: start-up and worker threads, one at a time for each row.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"
#include "store/step.h"

#include <stddef.h>

enum {
    STEP_FOLDER_BYTES = 336,
    STEP_HEADER_BYTES = IO_DIRECT_BYTES,
    STEP_SECTOR_STEPS = IO_DIRECT_BYTES / STEP_BYTES,
    STEP_PATH_BYTES = STEP_FOLDER_BYTES + 32,
    STEP_SEGMENT_BYTES_MIN = 4 << 10,
    STEP_SEGMENT_BYTES_MAX = 64 << 20,
    /* A row has so many segments of full size: when the oldest goes, a sixteenth of the time
     * goes. */
    STEP_ROW_SEGMENTS = 16,
    /* With those that restarts and other settings left, which are smaller; then the oldest goes,
     * too. */
    STEP_SEGMENTS_MAX = 64,
};

struct step_segment {
    uint32_t row;
    uint32_t number;
    uint64_t bytes; /* of the file */
    uint64_t begun; /* ticks */
};

/* Where a row is, and how large it may become. `driver` is borrowed. */
struct step_place {
    struct io_driver *driver;
    char folder[STEP_FOLDER_BYTES];
    uint32_t row;       /* the scheduler's */
    uint32_t rows;      /* how many there are */
    uint64_t bytes_max; /* of this row */
};

/* Embedded; segments, count and bytes may be read by whoever may append. */
struct step_files {
    struct step_place place;
    struct step_segment segments[STEP_SEGMENTS_MAX]; /* the oldest first */
    unsigned count;
    uint64_t bytes; /* of all */
    io_file file;   /* of the newest; -1: the next append makes one */
};

/* Looks what the row has in the folder, which is made by the first append, and lets go of what is
 * too much. 0, or a negative errno; *files can be closed then, too. */
MUST_CHECK int step_files_open(struct step_files *files, const struct step_place *place);
void step_files_close(struct step_files *files);

/* Memory for so many steps, a multiple of STEP_SECTOR_STEPS; the caller's to free(). NULL: there is
 * none. */
uint64_t *step_memory(size_t count);

/* Appends `count` steps as step_pack made them, the oldest first, which lie in step_memory; what is
 * behind them up to a multiple of STEP_SECTOR_STEPS becomes holes. 0, or a negative errno: they are
 * lost then, and the next append begins a segment. */
MUST_CHECK int step_files_append(struct step_files *files, uint64_t *words, size_t count);

/* -------------------------------------------------------------------------------------- reading */

/* All segments of all rows in no particular order: `max` of them at most. Those that end or begin
 * meanwhile may be there or not. How many, or a negative errno. */
MUST_CHECK int step_segments_list(struct io_driver *driver, const char *folder,
                                  struct step_segment *out, unsigned max);
/* An open segment, for io_file_read from STEP_BYTES on. 0, or -ENOENT: it has gone meanwhile. */
MUST_CHECK int step_segment_open(struct io_driver *driver, const char *folder,
                                 const struct step_segment *segment, io_file *out);
