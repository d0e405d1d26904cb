/* SPDX-License-Identifier: Apache-2.0 */
#include "store/log_batch.h"

#include "runtime/io/io.h"
#include "store/checksum.h"
#include "store/cursor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_SUMMED_BYTES = 40, /* all of the header but the checksum itself, which is last */
};

static_assert((int)LOG_ALIGN_BYTES % (int)IO_DIRECT_BYTES == 0 &&
                  (int)LOG_SEGMENT_HEADER_BYTES % (int)LOG_ALIGN_BYTES == 0,
              "batches go past the page cache");

int
log_mark_compare(const struct log_mark *x, const struct log_mark *y)
{
    if (x->generation != y->generation) {
        return x->generation < y->generation ? -1 : 1;
    }
    return (x->position > y->position) - (x->position < y->position);
}

uint64_t
log_position_distance(uint64_t from, uint64_t to, uint32_t segment_bytes)
{
    if (to <= from) {
        return 0;
    }
    uint64_t whole = log_position_segment(to) - log_position_segment(from);
    return whole * segment_bytes + log_position_offset(to) - log_position_offset(from);
}

/* ------------------------------------------------------------------------------------- commands */

void
log_command_write(const struct log_command *command, unsigned char *out)
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, LOG_COMMAND_HEADER_BYTES + (size_t)command->body_bytes);
    cursor_put_u32(&cursor, command->body_bytes);
    cursor_put_u8(&cursor, command->partition);
    cursor_put_u8(&cursor, command->kind);
    cursor_put_u8(&cursor, command->version);
    cursor_put_u8(&cursor, 0);
    if (command->body != out + LOG_COMMAND_HEADER_BYTES) {
        cursor_put_bytes(&cursor, command->body, command->body_bytes);
    }
    ASSERT(!cursor.failed);
}

int
log_batch_next(struct log_batch *batch, struct log_command *out, uint64_t *out_position)
{
    if (batch->at == batch->bytes_count) {
        return 0;
    }
    struct cursor_in in;
    cursor_in_init(&in, batch->bytes + batch->at, batch->bytes_count - batch->at);
    struct log_command command = {0};
    command.body_bytes = cursor_get_u32(&in);
    command.partition = cursor_get_u8(&in);
    command.kind = cursor_get_u8(&in);
    command.version = cursor_get_u8(&in);
    if (cursor_get_u8(&in) != 0) {
        cursor_in_fail(&in);
    }
    command.body = cursor_get_bytes(&in, command.body_bytes);
    if (in.failed) {
        return -EBADMSG;
    }
    *out = command;
    *out_position = batch->position + LOG_BATCH_HEADER_BYTES + batch->at;
    batch->at += LOG_COMMAND_HEADER_BYTES + command.body_bytes;
    return 1;
}

/* -------------------------------------------------------------------------------------- batches */

/* As many bytes as can be written. */
static size_t
log_whole(size_t bytes)
{
    return (bytes + LOG_ALIGN_BYTES - 1) / LOG_ALIGN_BYTES * LOG_ALIGN_BYTES;
}

void *
log_memory(size_t bytes)
{
    return aligned_alloc(LOG_ALIGN_BYTES, log_whole(bytes));
}

uint32_t
log_batch_bytes(uint32_t bytes_count)
{
    return (uint32_t)log_whole(LOG_BATCH_HEADER_BYTES + (size_t)bytes_count);
}

/* The whole batch is at hand, its padding included. */
static uint64_t
batch_checksum(uint64_t salt, const unsigned char *bytes, uint32_t bytes_count)
{
    uint64_t sum = checksum_bytes(salt, bytes, HEADER_SUMMED_BYTES);
    size_t body = log_batch_bytes(bytes_count) - LOG_BATCH_HEADER_BYTES;
    return checksum_bytes(sum, bytes + LOG_BATCH_HEADER_BYTES, body);
}

void
log_batch_write(struct log_batch *batch, uint64_t salt, unsigned char *bytes)
{
    uint32_t all = log_batch_bytes(batch->bytes_count);
    uint32_t used = LOG_BATCH_HEADER_BYTES + batch->bytes_count;
    struct cursor_out out;
    cursor_out_init(&out, bytes, LOG_BATCH_HEADER_BYTES);
    cursor_put_u64(&out, salt);
    cursor_put_u64(&out, batch->number);
    cursor_put_u64(&out, batch->position);
    cursor_put_u64(&out, batch->previous);
    cursor_put_u32(&out, batch->bytes_count);
    cursor_put_u32(&out, batch->commands);
    memset(bytes + used, 0, all - used);
    batch->checksum = batch_checksum(salt, bytes, batch->bytes_count);
    cursor_put_u64(&out, batch->checksum);
    ASSERT(!out.failed && cursor_out_bytes(&out) == LOG_BATCH_HEADER_BYTES);
    batch->end = batch->position + all;
    batch->bytes = bytes + LOG_BATCH_HEADER_BYTES;
    batch->at = 0;
}

int
log_batch_read(uint64_t salt, uint64_t position, const unsigned char *bytes, size_t count,
               struct log_batch *out)
{
    struct cursor_in in;
    cursor_in_init(&in, bytes, count);
    if (cursor_get_u64(&in) != salt) {
        return -EBADMSG;
    }
    struct log_batch batch = {0};
    batch.number = cursor_get_u64(&in);
    batch.position = cursor_get_u64(&in);
    batch.previous = cursor_get_u64(&in);
    batch.bytes_count = cursor_get_u32(&in);
    batch.commands = cursor_get_u32(&in);
    batch.checksum = cursor_get_u64(&in);
    /* The length is compared before it is used: it may be anything. */
    if (in.failed || batch.position != position || batch.bytes_count > cursor_in_left(&in) ||
        log_batch_bytes(batch.bytes_count) > count ||
        batch_checksum(salt, bytes, batch.bytes_count) != batch.checksum) {
        return -EBADMSG;
    }
    batch.bytes = in.at;
    batch.end = position + log_batch_bytes(batch.bytes_count);
    *out = batch;
    return 0;
}
