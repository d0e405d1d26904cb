/* SPDX-License-Identifier: Apache-2.0 */
/* log_batch.h - the bytes of a batch, and what a position in a log is.
 *
 *     batch:     salt 8 | number 8 | position 8 | previous 8 | bytes 4 | commands 4 | checksum 8 |
 *                command | command | ... | pad
 *     command:   bytes 4 | partition 1 | kind 1 | version 1 | 0 | body
 *
 * All integers are little-endian. A batch starts and ends at a multiple of 512, zeros filling it
 * up: so it can go past the page cache (IO_OPEN_DIRECT). Its checksum is over its first 40 bytes
 * and all that follows the checksum, seeded with the segment's random salt; `number` counts 1, 2,
 * 3 ... through the log's generation; `previous` is the checksum of the batch before (0 for the
 * first). So a batch can't be taken for one of another segment, another place, another history, or
 * the file's last use, whatever its commands hold: who writes commands does not know the salt.
 *
 * A position is (segment << 32 | offset in its file): positions only grow, and each names its file
 * and offset. A command's position is where its 8 bytes of head begin.
 *
 *     while ((result = log_batch_next(&batch, &command, &position)) > 0) { ... }
 *
 * Plain functions over bytes: any thread.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/check.h"

enum {
    LOG_SEGMENT_HEADER_BYTES = 512, /* batches follow it (log_segment.h) */
    LOG_BATCH_HEADER_BYTES = 48,
    LOG_COMMAND_HEADER_BYTES = 8,
    LOG_ALIGN_BYTES = 512,
};

/* ------------------------------------------------------------------------------------ positions */

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

/* Where a generation's first batch goes: segment 1, behind its header. */
static inline uint64_t
log_position_first(void)
{
    return log_position(1, LOG_SEGMENT_HEADER_BYTES);
}

/* About how many bytes of log lie between two positions; 0 when `to` is not after `from`. */
uint64_t log_position_distance(uint64_t from, uint64_t to, uint32_t segment_bytes);

/* ------------------------------------------------------------------------------------- commands */

struct log_command {
    uint8_t partition;
    uint8_t kind;
    uint8_t version;
    const unsigned char *body; /* borrowed */
    uint32_t body_bytes;
};

/* Writes head and body, which may lie in its place already; room for LOG_COMMAND_HEADER_BYTES +
 * body_bytes. */
void log_command_write(const struct log_command *command, unsigned char *out);

/* A whole batch. `at` is log_batch_next's. */
struct log_batch {
    uint64_t position;
    uint64_t end; /* the position after it, where the next batch goes if it fits */
    uint64_t number;
    uint64_t previous;
    uint64_t checksum;
    uint32_t commands; /* how many */
    const unsigned char
        *bytes; /* of commands; borrowed for as long as the batch's own bytes stay */
    uint32_t bytes_count;
    uint32_t at; /* the next command's offset in `bytes` */
};

/* The next command and its position: 1, or 0 at the end, or -EBADMSG when the bytes make no sense
 * (in a batch whose checksum was right: our own mistake, or somebody else wrote it). The body lives
 * as long as the batch's bytes. */
MUST_CHECK int log_batch_next(struct log_batch *batch, struct log_command *out,
                              uint64_t *out_position);

/* -------------------------------------------------------------------------------------- batches */

/* Memory for so many bytes of a segment, at an address that IO_OPEN_DIRECT can use; the caller's to
 * free(). NULL: there is none. */
void *log_memory(size_t bytes);

/* All bytes of a batch with so many bytes of commands. */
uint32_t log_batch_bytes(uint32_t bytes_count);

/* Completes a batch in place: `bytes` has the commands behind room for the header, and room for the
 * padding behind them. Of *batch the fields position, number, previous, commands and bytes_count
 * are given; end, checksum, bytes and at are filled in. */
void log_batch_write(struct log_batch *batch, uint64_t salt, unsigned char *bytes);

/* Whether a whole, good batch of the segment with this salt lies at `position`, of which `count`
 * bytes are at hand:
 * 0 with *out filled, borrowing the bytes; else -EBADMSG. Whether it continues what came before is
 * for the caller. */
MUST_CHECK int log_batch_read(uint64_t salt, uint64_t position, const unsigned char *bytes,
                              size_t count, struct log_batch *out);
