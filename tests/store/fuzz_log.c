/* SPDX-License-Identifier: Apache-2.0 */
/* A log in memory is written as the input says, then damaged as the input says, then scanned.
 * Whatever the damage: what the scan tells is a beginning of what was written, and nothing else.
 *
 *     byte 0:  0  the rest are the commands of one batch with a right checksum
 *              1  the rest are the bytes where a batch is looked for
 *              2  byte 1: how many batches; a byte for each: how many eighths of it; then triples:
 *                 offset (2 bytes, little-endian) and what to xor there */
#include "runtime/io/io_priv.h"
#include "store/log_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SEGMENT_BYTES = LOG_SEGMENT_BYTES_MIN, SEGMENTS_MAX = 4, BATCHES_MAX = 32, SALT = 0x5eed };

/* ------------------------------------------------------------------------ a disk in memory */

struct memory {
    struct io_driver driver;
    struct io io;
    struct io *ios[1];
    unsigned char files[SEGMENTS_MAX][SEGMENT_BYTES];
    char names[SEGMENTS_MAX][64];
    unsigned count;
};

static struct memory memory;

static int
file_open(struct io_driver *driver, const char *path, int flags, io_file *out)
{
    (void)driver;
    for (unsigned i = 0; i < memory.count; i++) {
        if (strcmp(strrchr(path, '/') + 1, memory.names[i]) == 0) {
            *out = (io_file)i;
            return 0;
        }
    }
    /* A new one is made under its unfinished name. */
    if ((flags & IO_OPEN_CREATE) == 0 || memory.count == SEGMENTS_MAX) {
        return (flags & IO_OPEN_CREATE) == 0 ? -ENOENT : -ENOSPC;
    }
    strcpy(memory.names[memory.count], strrchr(path, '/') + 1);
    memset(memory.files[memory.count], 0, SEGMENT_BYTES);
    *out = (io_file)memory.count++;
    return 0;
}

static void
file_close(struct io_driver *driver, io_file file)
{
    (void)driver;
    ASSERT(file >= 0 && (unsigned)file < memory.count);
}

static ssize_t
file_read(struct io_driver *driver, io_file file, void *out, size_t bytes, uint64_t offset)
{
    (void)driver;
    size_t left = offset < SEGMENT_BYTES ? SEGMENT_BYTES - (size_t)offset : 0;
    size_t got = bytes < left ? bytes : left;
    memcpy(out, memory.files[file] + offset, got);
    return (ssize_t)got;
}

static int
file_write(struct io_driver *driver, io_file file, const void *in, size_t bytes, uint64_t offset)
{
    (void)driver;
    ASSERT(offset + bytes <= SEGMENT_BYTES);
    memcpy(memory.files[file] + offset, in, bytes);
    return 0;
}

static int
file_nothing(struct io_driver *driver, io_file file)
{
    (void)driver;
    (void)file;
    return 0;
}

static int
file_size(struct io_driver *driver, io_file file, uint64_t *out_bytes)
{
    (void)driver;
    (void)file;
    *out_bytes = SEGMENT_BYTES;
    return 0;
}

static int
file_allocate(struct io_driver *driver, io_file file, uint64_t bytes)
{
    (void)driver;
    (void)file;
    ASSERT(bytes == SEGMENT_BYTES);
    return 0;
}

static int
file_rename(struct io_driver *driver, const char *from, const char *to)
{
    io_file file = -1;
    int result = file_open(driver, from, IO_OPEN_READ, &file);
    if (result == 0) {
        strcpy(memory.names[file], strrchr(to, '/') + 1);
    }
    return result;
}

static int
file_remove(struct io_driver *driver, const char *path)
{
    io_file file = -1;
    return file_open(driver, path, IO_OPEN_READ, &file) < 0 ? -ENOENT : -EBUSY;
}

static int
folder_sync(struct io_driver *driver, const char *path)
{
    (void)driver;
    (void)path;
    return 0;
}

/* The names were made in order. */
static int
folder_list(struct io_driver *driver, const char *path,
            int (*each)(void *context, const char *name), void *context)
{
    (void)driver;
    (void)path;
    int result = 0;
    for (unsigned i = 0; result == 0 && i < memory.count; i++) {
        result = each(context, memory.names[i]);
    }
    return result;
}

static void
random_bytes(struct io *io, void *out, size_t bytes)
{
    (void)io;
    memset(out, 0x5a, bytes);
}

static void
memory_init(void)
{
    static const struct io_ops ops = {
        .random = random_bytes,
        .file_open = file_open,
        .file_close = file_close,
        .file_read = file_read,
        .file_write = file_write,
        .file_sync = file_nothing,
        .file_size = file_size,
        .file_allocate = file_allocate,
        .rename = file_rename,
        .remove = file_remove,
        .sync_directory = folder_sync,
        .list_directory = folder_list,
    };
    memory.driver = (struct io_driver){.ops = &ops, .loops = 1, .io = memory.ios};
    memory.io = (struct io){.ops = &ops, .driver = &memory.driver};
    memory.ios[0] = &memory.io;
    memory.count = 0;
}

/* ------------------------------------------------------------------------ one batch */

/* Commands are told within the batch, in order, until the end or the first that makes no sense. */
static void
commands_walk(struct log_batch *batch)
{
    struct log_command command;
    uint64_t position;
    uint64_t last = batch->position + LOG_BATCH_HEADER_BYTES;
    while (log_batch_next(batch, &command, &position) > 0) {
        ASSERT(position == last);
        ASSERT(command.body >= batch->bytes);
        ASSERT(command.body + command.body_bytes <= batch->bytes + batch->bytes_count);
        last = position + LOG_COMMAND_HEADER_BYTES + command.body_bytes;
    }
    ASSERT(last <= batch->end);
}

static void
batch_of_commands(const uint8_t *data, size_t size)
{
    uint32_t count = (uint32_t)size;
    unsigned char *bytes = malloc(log_batch_bytes(count));
    ASSERT(bytes != NULL);
    if (size > 0) {
        memcpy(bytes + LOG_BATCH_HEADER_BYTES, data, size);
    }
    struct log_batch batch = {.position = log_position_first(), .number = 1, .bytes_count = count};
    struct log_batch read;
    log_batch_write(&batch, SALT, bytes);
    int result = log_batch_read(SALT, batch.position, bytes, log_batch_bytes(count), &read);
    ASSERT(result == 0 && read.checksum == batch.checksum && read.end == batch.end);
    commands_walk(&read);
    free(bytes);
}

static void
batch_of_bytes(const uint8_t *data, size_t size)
{
    struct log_batch batch;
    uint64_t salt = 0;
    uint64_t position = 0;
    if (size >= 24) {
        memcpy(&salt, data, sizeof(salt));
        memcpy(&position, data + 16, sizeof(position));
    }
    if (log_batch_read(salt, position, data, size, &batch) == 0) {
        ASSERT(log_batch_bytes(batch.bytes_count) <= size);
        commands_walk(&batch);
    }
}

/* ------------------------------------------------------------------------ a damaged log */

struct story {
    struct log_batch written[BATCHES_MAX];
    unsigned count;
    unsigned told;
};

static void
segment_make(struct log *log)
{
    uint32_t number;
    uint32_t recycle;
    struct log_segment segment;
    if (!log_segment_wanted(log, &number, &recycle)) {
        return;
    }
    if (log_segment_make(log_place_of(log), number, recycle, &segment) == 0) {
        log_segment_ready(log, &segment);
    } else {
        log_segment_failed(log);
    }
}

/* Writes one batch; false when the disk is full. */
static bool
story_write(struct story *story, struct log *log, unsigned eighths)
{
    static const unsigned char body[255 * 8];
    struct log_command command = {.kind = 1, .version = 1, .body = body, .body_bytes = eighths * 8};
    struct log_batch batch;
    struct log_write write;
    if (log_append(log, &command) < 0) {
        return false;
    }
    int result = log_seal(log, &batch, &write);
    segment_make(log);
    if (result < 0 && log_seal(log, &batch, &write) < 0) {
        return false;
    }
    result = io_file_write(&memory.driver, write.file, write.piece.iov_base, write.piece.iov_len,
                           write.offset);
    ASSERT(result == 0);
    log_written(log);
    story->written[story->count++] = batch;
    return true;
}

static int
story_tell(void *context, struct log_batch *batch)
{
    struct story *story = context;
    ASSERT(story->told < story->count);
    const struct log_batch *written = &story->written[story->told++];
    ASSERT(batch->position == written->position && batch->number == written->number);
    ASSERT(batch->checksum == written->checksum);
    commands_walk(batch);
    return 0;
}

static void
damaged_log(const uint8_t *data, size_t size)
{
    struct log_place place = {
        .driver = &memory.driver,
        .folder = "log",
        .generation = 1,
        .segment_bytes = SEGMENT_BYTES,
    };
    struct story story = {0};
    struct log_end end;
    struct log *log = NULL;
    char why[LOG_WHY_BYTES];
    unsigned batches = size > 0 ? data[0] % BATCHES_MAX : 0;
    memory_init();
    log_end_fresh(&end);
    int result = log_open(&place, &end, &log, why);
    ASSERT(result == 0);
    size_t at = 1;
    for (unsigned i = 0; i < batches && at < size && story_write(&story, log, data[at]); i++) {
        at++;
    }
    log_close(&log);
    for (; at + 3 <= size; at += 3) {
        size_t where =
            (size_t)(data[at] | data[at + 1] << 8) % ((size_t)memory.count * SEGMENT_BYTES);
        memory.files[where / SEGMENT_BYTES][where % SEGMENT_BYTES] ^= data[at + 2];
    }
    struct log_scan scan = {.place = &place, .each = story_tell, .context = &story};
    result = log_scan_run(&scan, &end);
    ASSERT(result == 0 || result == -EUCLEAN || result == -EPROTO);
    ASSERT(result == 0 ? end.number == story.told + 1 : scan.why[0] != '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    switch (data[0] % 3) {
    case 0:
        batch_of_commands(data + 1, size - 1);
        break;
    case 1:
        batch_of_bytes(data + 1, size - 1);
        break;
    default:
        damaged_log(data + 1, size - 1);
        break;
    }
    return 0;
}
