/* SPDX-License-Identifier: Apache-2.0 */
/* Two buffers change places: one is filled while the other is in flight. The header's room stands
 * at the start of each, so that a batch is one piece of memory and is never copied. */
#include "store/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A batch as it grows: commands follow the room for its header. */
struct gathering {
    unsigned char *memory; /* batch_bytes_max */
    uint32_t bytes_count;  /* of commands */
    uint32_t commands;
};

struct log {
    struct log_place place;
    char *folder;
    uint32_t batch_bytes_max;
    struct log_segment current;
    struct log_segment next; /* when next_ready */
    bool next_ready;
    bool next_asked;
    bool next_needed; /* a batch waits for it */
    bool in_flight;
    uint64_t position; /* where the next batch goes if it fits: the end of the one in flight */
    uint64_t durable_position;
    uint64_t number;
    uint64_t previous;
    uint32_t first_segment; /* the oldest that was not yet trimmed */
    uint32_t spare_segment; /* trimmed, and kept for its file; 0: none */
    struct gathering open;
    struct gathering flying;
};

void
log_end_fresh(struct log_end *out)
{
    *out = (struct log_end){.position = log_position_first(), .number = 1};
}

/* -------------------------------------------------------------------------------------- opening */

/* The last batch as it lies in its file goes there once more, and is synced. */
static int
last_batch_rewrite(struct log *log, const struct log_end *end)
{
    if (end->last_position == 0) {
        return io_file_sync(log->place.driver, log->current.file);
    }
    ASSERT(log_position_segment(end->last_position) == log->current.number &&
           end->last_position < end->position);
    size_t bytes = (size_t)(end->position - end->last_position);
    uint64_t offset = log_position_offset(end->last_position);
    unsigned char *memory = log_memory(bytes);
    if (memory == NULL) {
        return -ENOMEM;
    }
    struct log_batch batch;
    ssize_t got = io_file_read(log->place.driver, log->current.file, memory, bytes, offset);
    int result = got < 0 ? (int)got : 0;
    if (result == 0 &&
        log_batch_read(log->current.salt, end->last_position, memory, (size_t)got, &batch) < 0) {
        result = -EUCLEAN; /* it was good when it was scanned */
    }
    if (result == 0) {
        result = io_file_write(log->place.driver, log->current.file, memory, bytes, offset);
    }
    if (result == 0) {
        result = io_file_sync(log->place.driver, log->current.file);
    }
    free(memory);
    return result;
}

static int
segments_open(struct log *log, const struct log_end *end, char why[LOG_WHY_BYTES])
{
    char path[LOG_PATH_BYTES_MAX];
    if (end->last_segment == 0) {
        int result =
            log_segment_make(&log->place, log_position_segment(end->position), 0, &log->current);
        if (result < 0) {
            log_segment_path(&log->place, log_position_segment(end->position), path);
            (void)snprintf(why, LOG_WHY_BYTES, "can't make the log segment %s: %s", path,
                           strerrordesc_np(-result));
            return result;
        }
        log->first_segment = log->current.number;
        return 0;
    }
    uint32_t number = log_position_segment(end->position);
    int result = log_segment_open(&log->place, number, &log->current, why);
    if (result < 0) {
        return result;
    }
    log->first_segment = end->first_segment;
    result = last_batch_rewrite(log, end);
    if (result < 0) {
        log_segment_path(&log->place, number, path);
        (void)snprintf(why, LOG_WHY_BYTES, "can't write the last batch of %s again: %s", path,
                       strerrordesc_np(-result));
        return result;
    }
    /* A segment's name may be as little durable: whoever made it may have been killed before. */
    result = io_sync_directory(log->place.driver, log->folder);
    if (result < 0) {
        (void)snprintf(why, LOG_WHY_BYTES, "can't sync %s: %s", log->folder,
                       strerrordesc_np(-result));
        return result;
    }
    if (end->last_segment > number) {
        result = log_segment_open(&log->place, number + 1, &log->next, why);
        log->next_ready = result == 0;
    }
    return result;
}

/* The largest batch must fit into an empty segment, whichever is smaller: the next one may be an
 * old file. */
static uint32_t
batch_bytes_max(const struct log *log)
{
    uint32_t wanted =
        log->place.batch_bytes_max > 0 ? log->place.batch_bytes_max : LOG_BATCH_BYTES_MAX;
    uint32_t segment = log->place.segment_bytes;
    if (log->next_ready && log->next.bytes < segment) {
        segment = log->next.bytes;
    }
    uint32_t room = segment - LOG_SEGMENT_HEADER_BYTES;
    return (wanted < room ? wanted : room) / LOG_ALIGN_BYTES * LOG_ALIGN_BYTES;
}

int
log_open(const struct log_place *place, const struct log_end *end, struct log **out,
         char why[LOG_WHY_BYTES])
{
    struct log *log = calloc(1, sizeof(*log));
    if (log == NULL) {
        (void)snprintf(why, LOG_WHY_BYTES, "no memory for a log");
        return -ENOMEM;
    }
    log->place = *place;
    log->place.segment_bytes = place->segment_bytes > 0
                                   ? place->segment_bytes / LOG_ALIGN_BYTES * LOG_ALIGN_BYTES
                                   : LOG_SEGMENT_BYTES;
    log->current.file = -1;
    log->folder = strdup(place->folder);
    log->place.folder = log->folder;
    log->position = end->position;
    log->durable_position = end->position;
    log->number = end->number;
    log->previous = end->previous;
    int result = log->folder != NULL ? segments_open(log, end, why) : -ENOMEM;
    if (result == 0) {
        log->batch_bytes_max = batch_bytes_max(log);
        log->open.memory = log_memory(log->batch_bytes_max);
        log->flying.memory = log_memory(log->batch_bytes_max);
        result = log->open.memory != NULL && log->flying.memory != NULL ? 0 : -ENOMEM;
    }
    if (result < 0) {
        if (result == -ENOMEM) {
            (void)snprintf(why, LOG_WHY_BYTES, "no memory for a log");
        }
        log_close(&log);
        return result;
    }
    *out = log;
    return 0;
}

void
log_close(struct log **log)
{
    struct log *closed = *log;
    if (closed == NULL) {
        return;
    }
    ASSERT(!closed->in_flight);
    if (closed->current.file >= 0) {
        io_file_close(closed->place.driver, closed->current.file);
    }
    if (closed->next_ready) {
        io_file_close(closed->place.driver, closed->next.file);
    }
    free(closed->open.memory);
    free(closed->flying.memory);
    free(closed->folder);
    free(closed);
    *log = NULL;
}

/* ------------------------------------------------------------------------------------ appending */

uint32_t
log_body_bytes_max(const struct log *log)
{
    return log->batch_bytes_max - LOG_BATCH_HEADER_BYTES - LOG_COMMAND_HEADER_BYTES;
}

unsigned char *
log_body_room(const struct log *log, size_t *out_bytes)
{
    uint32_t at = LOG_BATCH_HEADER_BYTES + log->open.bytes_count + LOG_COMMAND_HEADER_BYTES;
    *out_bytes = at < log->batch_bytes_max ? log->batch_bytes_max - at : 0;
    return log->open.memory + at;
}

int
log_append(struct log *log, const struct log_command *command)
{
    ASSERT(command->body_bytes <= log_body_bytes_max(log));
    uint32_t bytes = LOG_COMMAND_HEADER_BYTES + command->body_bytes;
    uint32_t used = LOG_BATCH_HEADER_BYTES + log->open.bytes_count;
    if (bytes > log->batch_bytes_max - used) {
        return -EAGAIN;
    }
    log_command_write(command, log->open.memory + used);
    log->open.bytes_count += bytes;
    log->open.commands++;
    return 0;
}

uint32_t
log_open_commands(const struct log *log)
{
    return log->open.commands;
}

uint32_t
log_open_bytes(const struct log *log)
{
    return log->open.bytes_count;
}

/* The next segment becomes the current one. */
static int
log_roll(struct log *log)
{
    if (!log->next_ready) {
        log->next_needed = true;
        return -EAGAIN;
    }
    io_file_close(log->place.driver, log->current.file);
    log->current = log->next;
    log->next_ready = false;
    log->next_needed = false;
    log->position = log_position(log->current.number, LOG_SEGMENT_HEADER_BYTES);
    return 0;
}

int
log_seal(struct log *log, struct log_batch *out_batch, struct log_write *out_write)
{
    ASSERT(!log->in_flight && log->open.commands > 0);
    uint32_t bytes = log_batch_bytes(log->open.bytes_count);
    if (bytes > log->current.bytes - log_position_offset(log->position)) {
        int result = log_roll(log);
        if (result < 0) {
            return result;
        }
    }
    struct gathering sealed = log->open;
    struct log_batch batch = {
        .position = log->position,
        .number = log->number,
        .previous = log->previous,
        .commands = sealed.commands,
        .bytes_count = sealed.bytes_count,
    };
    log_batch_write(&batch, log->current.salt, sealed.memory);
    log->open = (struct gathering){.memory = log->flying.memory};
    log->flying = sealed;
    log->in_flight = true;
    log->position = batch.end;
    log->number++;
    log->previous = batch.checksum;
    *out_batch = batch;
    *out_write = (struct log_write){
        .file = log->current.file,
        .offset = log_position_offset(batch.position),
        .piece = {.iov_base = sealed.memory, .iov_len = bytes},
    };
    return 0;
}

void
log_written(struct log *log)
{
    ASSERT(log->in_flight);
    log->in_flight = false;
    log->durable_position = log->position;
}

bool
log_in_flight(const struct log *log)
{
    return log->in_flight;
}

uint64_t
log_durable_position(const struct log *log)
{
    return log->durable_position;
}

const struct log_place *
log_place_of(const struct log *log)
{
    return &log->place;
}

/* ------------------------------------------------------------------------------------- segments */

bool
log_segment_wanted(struct log *log, uint32_t *out_number, uint32_t *out_recycle)
{
    bool soon = log->next_needed || log_position_offset(log->position) >= log->current.bytes / 2;
    if (!soon || log->next_ready || log->next_asked) {
        return false;
    }
    log->next_asked = true;
    *out_number = log->current.number + 1;
    *out_recycle = log->spare_segment;
    log->spare_segment = 0;
    return true;
}

void
log_segment_ready(struct log *log, const struct log_segment *segment)
{
    ASSERT(log->next_asked && segment->number == log->current.number + 1);
    ASSERT(segment->bytes >= log->batch_bytes_max + LOG_SEGMENT_HEADER_BYTES);
    log->next_asked = false;
    log->next_ready = true;
    log->next = *segment;
}

void
log_segment_failed(struct log *log)
{
    ASSERT(log->next_asked);
    log->next_asked = false;
}

bool
log_trim(struct log *log, uint64_t position, uint32_t *out_first, uint32_t *out_count)
{
    uint32_t end = log_position_segment(position);
    ASSERT(position <= log->durable_position);
    if (end <= log->first_segment) {
        return false;
    }
    uint32_t first = log->spare_segment != 0 ? log->spare_segment : log->first_segment;
    log->first_segment = end;
    log->spare_segment = end - 1;
    *out_first = first;
    *out_count = end - 1 - first;
    return *out_count > 0;
}
