/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - the file that a scheduler's commands are appended to before they count: where the next
 * batch goes.
 *
 * A log is a row of preallocated segment files (log_segment.h) with batches of commands in them
 * (log_batch.h).
 *
 *     | header | batch 1 | batch 2 | batch 3 | . |  | header | batch 4 | ..... |  | header | ....
 *       segment 1                                      segment 2, current           3, made ready
 *
 * A batch goes where the one before ended, or, when it does not fit, to the start of the next
 * segment. Nothing marks the end of a segment: that the next one's first batch continues number and
 * checksum is the mark (log_scan.h).
 *
 *     log_append(log, &command)             any number of times; -EAGAIN: the open batch is full
 *     log_seal(log, &batch, &write)         closes it; -EAGAIN: the next segment is not ready
 *     ln_file_write_sync(write.file, &write.piece, 1, write.offset)
 *     while (log_batch_next(&batch, ...))   in the order of the log: apply each
 *     log_written(log)                      its memory is free for a later batch
 *
 * and, so that a next segment is ready in time,
 *
 *     if (log_segment_wanted(log, &number, &recycle))
 *         on a worker: log_segment_make(log_place_of(log), number, recycle, &segment)
 *         back here:   log_segment_ready(log, &segment), or log_segment_failed(log)
 *
 * While one batch is in flight the next is filled. If the write fails, the node ends: what a later
 * sync says about earlier pages can't be trusted.
 *
 * Owned by one scheduler's journal, all calls from its thread; none yields. Only log_open waits for
 * files.
 */
#pragma once
#include "runtime/check.h"
#include "store/log_segment.h"

enum {
    LOG_BATCH_BYTES_MAX =
        1 << 20, /* default, header and padding included: a sync is cheap beside so many bytes */
};

/* Where appending goes on: what log_scan_run found, or log_end_fresh. */
struct log_end {
    uint64_t position;      /* the end of the last good batch: the next goes here */
    uint64_t number;        /* the next batch's */
    uint64_t previous;      /* the last good batch's checksum */
    uint64_t last_position; /* the last good batch's; 0: there is none */
    uint64_t torn_bytes;    /* of a batch that was cut off there, as far as can be told; 0: none */
    uint32_t first_segment; /* the oldest that exists; 0: none does */
    uint32_t
        last_segment; /* the newest that exists: the position's, or one made ready but not begun */
};
/* A generation without a segment. */
void log_end_fresh(struct log_end *out);

struct log;

/* Opens the log for appending at `end`; start-up only. Makes the first segment of a fresh log.
 * Writes the last batch again and syncs it, and the folder: a sync of these may be what failed or
 * was cut off last time, and a page cache can show what the disk never got. 0 or a negative errno,
 * with one sentence in `why`. */
MUST_CHECK int log_open(const struct log_place *place, const struct log_end *end, struct log **out,
                        char why[LOG_WHY_BYTES]);

/* No batch may be in flight. Takes the log; NULL is allowed. What was appended but not sealed is
 * lost. */
void log_close(struct log **log);

/* ------------------------------------------------------------------------------------ appending */

/* The largest body that a command may have. */
uint32_t log_body_bytes_max(const struct log *log);

/* Where the next command's body will lie in the open batch, and how much room there is: a body that
 * is made there need not be copied. Until the next append or seal. */
unsigned char *log_body_room(const struct log *log, size_t *out_bytes);

/* Takes the command into the open batch, copying its body unless it lies in log_body_room. -EAGAIN
 * when the batch is too full for it: seal it first, or wait while another one is in flight. The
 * body must not exceed log_body_bytes_max. */
MUST_CHECK int log_append(struct log *log, const struct log_command *command);

/* What waits in the open batch. */
uint32_t log_open_commands(const struct log *log);
uint32_t log_open_bytes(const struct log *log);

/* What to write, and where: one piece. */
struct log_write {
    io_file file;
    uint64_t offset;
    struct iovec piece;
};

/* Closes the open batch, which must hold a command, while no other is in flight; it is in flight
 * then, and its bytes stay until log_written. -EAGAIN when it goes to the next segment and that is
 * not ready: nothing has changed then. */
MUST_CHECK int log_seal(struct log *log, struct log_batch *out_batch, struct log_write *out_write);

/* The batch in flight is durable, and nobody uses its bytes any more. */
void log_written(struct log *log);
bool log_in_flight(const struct log *log);

/* The end of the last batch that is known to be durable: a fold's mark when all up to it has been
 * applied. */
uint64_t log_durable_position(const struct log *log);
/* Borrowed until log_close; may be read by any thread. */
const struct log_place *log_place_of(const struct log *log);

/* ------------------------------------------------------------------------------------- segments */

/* True when the next segment should be made ready now: the current one is half full. Tells its
 * number, and which old segment's file may become it (0: none). Asked once: false until
 * log_segment_ready or log_segment_failed. */
bool log_segment_wanted(struct log *log, uint32_t *out_number, uint32_t *out_recycle);
/* The log owns its file from now on. */
void log_segment_ready(struct log *log, const struct log_segment *segment);
/* It will be wanted again. */
void log_segment_failed(struct log *log);

/* No cell that this log serves needs what lies below `position`, the least of their marks. Of the
 * segments entirely below it the log keeps one to recycle; true when there are others, which a
 * worker should remove now (log_segments_remove): they are forgotten here. */
bool log_trim(struct log *log, uint64_t position, uint32_t *out_first, uint32_t *out_count);
