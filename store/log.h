/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - the file a scheduler's commands are appended to before they count: its format, and where the next batch goes.
 *
 * A log is a row of preallocated segment files, `log/GGGGGGGG-LLL-SSSSSSSS` (generation, log, segment; in hexadecimal):
 *
 *     segment:   | header, 64 bytes | batch | batch | ... | batch | zeros, or stale bytes of the file's last use |
 *     header:    magic 8 | version 4 | generation 4 | log 4 | segment 4 | bytes 8 | salt 8 | identity 16 | checksum 8
 *     batch:     salt 8 | number 8 | position 8 | previous 8 | bytes 4 | commands 4 | checksum 8 | command | ... | pad
 *     command:   bytes 4 | partition 1 | kind 1 | version 1 | 0 | body
 *
 * All integers are little-endian. A batch starts at a multiple of 8. Its checksum is over its first 40 bytes and over
 * the `bytes` bytes of commands, seeded with the segment's random salt; `number` counts 1, 2, 3 ... through the log's
 * generation; `previous` is the checksum of the batch before (0 for the first). So a batch can't be taken for one of
 * another segment, another place, another history, or the file's last use.
 *
 * A position is (segment << 32 | offset in its file): positions only grow, and each names its file and offset. A
 * command's position is where its 8 bytes of head begin.
 *
 * A batch goes where the one before ended, or, when it does not fit, to the start of the next segment. Nothing marks
 * the end of a segment: that the next one's first batch continues number and checksum is the mark (log_scan.h).
 *
 *     log_append(log, &command)             any number of times; -EAGAIN: the open batch is full
 *     log_seal(log, &batch, &write)         closes it; -EAGAIN: it needs the next segment, which is not ready
 *     ln_file_write_sync(write.file, &write.piece, 1, write.offset)
 *     while (log_batch_next(&batch, ...))   in the order of the log: apply each
 *     log_written(log)                      its memory is free for a later batch
 *
 * While one batch is in flight the next is filled. If the write fails, the node ends: nothing else is safe.
 *
 * Owned by one scheduler's journal; calls are its thread's unless they say otherwise. None yields, none touches a file
 * but log_open, log_close and the functions of the worker.
 */
#pragma once
#include "runtime/io/io.h"

enum {
    LOG_FORMAT_VERSION = 1,
    LOG_SEGMENT_HEADER_BYTES = 64,
    LOG_BATCH_HEADER_BYTES = 48,
    LOG_COMMAND_HEADER_BYTES = 8,
    LOG_BATCH_BYTES_MAX =
        1 << 20, /* default; all of a batch. Larger ones gain nothing over one sync each */
    LOG_SEGMENT_BYTES = 64 << 20,    /* default; a few of them hold a delta */
    LOG_SEGMENT_BYTES_MIN = 4 << 10, /* tests use small ones */
    LOG_SEGMENT_BYTES_MAX = 1 << 30, /* offsets are 32 bits of a position */
    LOG_IDENTITY_BYTES = 16,
    LOG_PATH_BYTES_MAX = 4096,
};

/* How far a log has been taken over by somebody: generation, then position. */
struct log_mark {
    uint32_t generation;
    uint64_t position;
};

/* Below 0, 0 or above 0, as x is before, at or after y. */
int log_mark_compare(const struct log_mark *x, const struct log_mark *y);

static inline uint32_t
log_position_segment(uint64_t position)
{
    return (uint32_t)(position >> 32);
}

static inline uint32_t
log_position_offset(uint64_t position)
{
    return (uint32_t)position;
}

static inline uint64_t
log_position(uint32_t segment, uint32_t offset)
{
    return (uint64_t)segment << 32 | offset;
}

/* Where a generation's first batch goes. */
uint64_t log_position_first(void);

/* About how many bytes of log lie between two positions; 0 when `to` is not after `from`. */
uint64_t log_position_distance(uint64_t from, uint64_t to, uint32_t segment_bytes);

/* Which log: where it is and what its segments must say. Plain; `folder` is borrowed. */
struct log_place {
    struct io_driver *driver;
    const char *folder;                         /* "/var/lib/linnet/log" */
    unsigned char identity[LOG_IDENTITY_BYTES]; /* the data directory's */
    uint32_t generation;
    uint32_t log;
    uint32_t segment_bytes; /* of new ones; old ones know their own */
    uint32_t batch_bytes_max;
};

/* An open segment. */
struct log_segment {
    uint32_t number;
    uint32_t bytes;
    uint64_t salt;
    io_file file;
};

/* ------------------------------------------------------------------------------------------------ commands, batches */

struct log_command {
    uint8_t partition;
    uint8_t kind;
    uint8_t version;
    const unsigned char *body; /* borrowed */
    uint32_t body_bytes;
};

/* A sealed (or scanned) batch. Plain; log_batch_next moves `at`. */
struct log_batch {
    uint64_t position;
    uint64_t end; /* the position after it, where the next batch goes if it fits */
    uint64_t number;
    uint64_t checksum;
    uint32_t commands; /* how many */
    const unsigned char
        *bytes; /* of commands; borrowed until log_written (or until the scan's callback returns) */
    uint32_t bytes_count;
    uint32_t at; /* offset of the next command in `bytes` */
};

/* The next command and its position: 1, or 0 at the end, or -EBADMSG when the bytes make no sense (in a batch whose
 * checksum was right: somebody else wrote it). The body lives as long as the batch's bytes. */
MUST_CHECK int log_batch_next(struct log_batch *batch, struct log_command *out,
                              uint64_t *out_position);

/* ------------------------------------------------------------------------------------------------ appending */

/* Where appending goes on: what log_scan found, or log_end_fresh. */
struct log_end {
    uint64_t position;      /* the end of the last good batch: the next goes here */
    uint64_t number;        /* the next batch's */
    uint64_t previous;      /* the last good batch's checksum */
    uint64_t last_position; /* the last good batch's; 0: there is none */
    uint64_t torn_bytes;    /* of a batch that was cut off there; 0: none */
    uint32_t first_segment; /* the oldest that exists; 0: none does */
    uint32_t
        last_segment; /* the newest that exists: its position's, or later ones made ready but not begun */
};
/* A generation without a segment. */
void log_end_fresh(struct log_end *out);

struct log;

/* Opens the log for appending at `end`; start-up only. Makes the first segment of a fresh log. Writes the last batch
 * again and syncs it: the sync of it may be what failed or was cut off last time, and a page cache can show what the
 * disk never got. Removes half-made segments. 0 or a negative errno, with one sentence in `why`. */
MUST_CHECK int log_open(const struct log_place *place, const struct log_end *end, struct log **out,
                        char *why, size_t why_bytes);

/* No batch may be in flight. Takes the log; NULL is allowed. What was appended but not sealed is lost. */
void log_close(struct log **log);

/* The largest body a command may have. */
uint32_t log_body_bytes_max(const struct log *log);

/* Copies the command into the open batch. -EAGAIN when the batch is too full for it: seal it first, or wait while
 * another one is in flight. The body must not exceed log_body_bytes_max. */
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

/* Closes the open batch, which must hold a command, while no other is in flight; it is in flight then. -EAGAIN when it
 * goes to the next segment and that is not ready (log_segment_ready makes it so): nothing has changed then. */
MUST_CHECK int log_seal(struct log *log, struct log_batch *out_batch, struct log_write *out_write);

/* The batch in flight is durable, and nobody uses its bytes any more. */
void log_written(struct log *log);
bool log_in_flight(const struct log *log);

/* The end of the last batch that is known to be durable (log_written): a fold's mark when all up to it is applied. */
uint64_t log_durable_position(const struct log *log);
const struct log_place *log_place_of(const struct log *log);

/* ------------------------------------------------------------------------------------------------ segments */

/* Fills *out_number and tells true when the next segment should be made ready by a worker, now; asked once per segment
 * (it is false until log_segment_ready or log_segment_failed). */
bool log_segment_wanted(struct log *log, uint32_t *out_number);

/* On a worker: makes segment `number`, ready for its first batch, from a file of its own that no one takes for a
 * segment before it is complete: allocated, header written, synced, renamed, directory synced. When `recycle` is not 0
 * that old segment's file becomes the new one. `salt` is random (io_random) and not 0. 0 with *out open, or a negative
 * errno. Any thread. */
MUST_CHECK int log_segment_make(const struct log_place *place, uint32_t number, uint64_t salt,
                                uint32_t recycle, struct log_segment *out);

/* Back on the journal's thread: the segment is there (the log owns its file now), or could not be made (it will be
 * wanted again). */
void log_segment_ready(struct log *log, const struct log_segment *segment);
void log_segment_failed(struct log *log);

/* Segments that lie entirely below `position` (the least mark of all cells that this log serves) are no longer needed:
 * the log forgets them, and tells the first and how many there are. A worker then removes or recycles them. */
bool log_trim(struct log *log, uint64_t position, uint32_t *out_first, uint32_t *out_count);

/* On a worker: removes `count` segments from `first` on, oldest first, and syncs the directory. Any thread. */
MUST_CHECK int log_segments_remove(const struct log_place *place, uint32_t first, uint32_t count);

/* The file of a segment. */
void log_segment_path(const struct log_place *place, uint32_t number, char out[LOG_PATH_BYTES_MAX]);

/* A batch's header is checked in one place, for log_scan and its tests: 0 and *out filled when a whole, good batch of
 * the segment lies at `offset`, of which `bytes` (`count` of them, to the file's end or beyond its end) are the bytes;
 * -EBADMSG when not. */
MUST_CHECK int log_batch_read(const struct log_segment *segment, uint32_t offset,
                              const unsigned char *bytes, size_t count, struct log_batch *out);
