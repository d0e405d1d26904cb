/* SPDX-License-Identifier: Apache-2.0 */
/* One segment at a time is read into memory. Within it the chain is followed as far as it goes;
 * then every multiple of
 * 8 behind the break is tried for the start of a good batch. Comparing the salt alone rules out
 * nearly all of them, so that takes milliseconds, and nothing good is ever passed over because a
 * length was damaged. */
#include "store/log_scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    const struct log_place *place;
    uint32_t first; /* of the unbroken row that ends with last; 0: there is no segment */
    uint32_t last;
    uint32_t oldest; /* that exists at all */
};

struct chain {
    struct log_scan *scan;
    struct log_end end;
    uint32_t first;        /* segment that is read */
    bool begun;            /* number and previous are known */
    unsigned char *memory; /* the segment at hand */
    size_t memory_bytes;
    struct log_segment segment;
};

PRINTF_LIKE(2, 3)
static int
damage(struct log_scan *scan, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(scan->why, sizeof(scan->why), format, arguments);
    va_end(arguments);
    return -EUCLEAN;
}

/* ------------------------------------------------------------------------------- which segments */

static int
row_segment(void *context, uint32_t generation, uint32_t log, uint32_t segment)
{
    struct row *row = context;
    if (generation != row->place->generation || log != row->place->log) {
        return 0;
    }
    if (row->oldest == 0) {
        row->oldest = segment;
    }
    if (row->last == 0 || segment != row->last + 1) {
        row->first = segment;
    }
    row->last = segment;
    return 0;
}

/* All segments from the one of `from` on must be there. */
static int
row_check(struct log_scan *scan, const struct row *row)
{
    char path[LOG_PATH_BYTES_MAX];
    uint32_t needed = log_position_segment(scan->from);
    if (scan->from == 0 || (row->last != 0 && row->first <= needed && needed <= row->last)) {
        return 0;
    }
    if (row->last == 0 && scan->from == log_position_first()) {
        return 0;
    }
    /* The one before the unbroken row is missing, or all from `needed` on are. */
    uint32_t missing = row->last != 0 && row->first > needed ? row->first - 1 : needed;
    log_segment_path(scan->place, missing, path);
    return damage(scan, "the log segment %s is missing", path);
}

/* ---------------------------------------------------------------------------------- one segment */

static int
segment_load(struct chain *chain, uint32_t number)
{
    struct log_scan *scan = chain->scan;
    const struct log_place *place = scan->place;
    int result = log_segment_open(place, number, &chain->segment, scan->why);
    if (result < 0) {
        return result;
    }
    if (chain->segment.bytes > chain->memory_bytes) {
        free(chain->memory);
        chain->memory = log_memory(chain->segment.bytes);
        chain->memory_bytes = chain->memory != NULL ? chain->segment.bytes : 0;
    }
    ssize_t got = -ENOMEM;
    if (chain->memory != NULL) {
        got = io_file_read(place->driver, chain->segment.file, chain->memory, chain->segment.bytes,
                           0);
    }
    io_file_close(place->driver, chain->segment.file);
    if (got < 0 || (size_t)got < chain->segment.bytes) {
        char path[LOG_PATH_BYTES_MAX];
        result = got < 0 ? (int)got : -EIO;
        log_segment_path(place, number, path);
        (void)snprintf(scan->why, sizeof(scan->why), "can't read %s: %s", path,
                       strerrordesc_np(-result));
        return result;
    }
    return 0;
}

/* Whether a good batch lies at the offset of the segment at hand. */
static bool
segment_batch(const struct chain *chain, uint32_t offset, struct log_batch *out)
{
    const struct log_segment *segment = &chain->segment;
    return offset < segment->bytes &&
           log_batch_read(segment->salt, log_position(segment->number, offset),
                          chain->memory + offset, segment->bytes - offset, out) == 0;
}

/* The first good batch at `offset` or later in the segment at hand. */
static bool
segment_search(const struct chain *chain, uint32_t offset, struct log_batch *out)
{
    for (; offset < chain->segment.bytes; offset += LOG_ALIGN_BYTES) {
        if (segment_batch(chain, offset, out)) {
            return true;
        }
    }
    return false;
}

/* How many bytes of a batch that was cut off lie at the offset: as its length says, if its
 * beginning got there. */
static uint64_t
segment_torn(const struct chain *chain, uint32_t offset)
{
    uint32_t left = chain->segment.bytes - offset;
    uint64_t salt;
    uint32_t bytes_count;
    if (left < LOG_BATCH_HEADER_BYTES) {
        return 0;
    }
    memcpy(&salt, chain->memory + offset, sizeof(salt));
    memcpy(&bytes_count, chain->memory + offset + 32, sizeof(bytes_count));
    if (salt != chain->segment.salt) {
        return 0;
    }
    return bytes_count < left ? log_batch_bytes(bytes_count) : left;
}

/* ------------------------------------------------------------------------------------ the chain */

static bool
chain_continues(const struct chain *chain, const struct log_batch *batch)
{
    return !chain->begun ||
           (batch->number == chain->end.number && batch->previous == chain->end.previous);
}

/* Takes a good batch that continues the chain. */
static int
chain_take(struct chain *chain, struct log_batch *batch)
{
    struct log_scan *scan = chain->scan;
    chain->begun = true;
    chain->end.position = batch->end;
    chain->end.last_position = batch->position;
    chain->end.number = batch->number + 1;
    chain->end.previous = batch->checksum;
    chain->end.torn_bytes = 0;
    if (batch->position >= scan->from) {
        return scan->each != NULL ? scan->each(scan->context, batch) : 0;
    }
    if (batch->end > scan->from) {
        char path[LOG_PATH_BYTES_MAX];
        log_segment_path(scan->place, chain->segment.number, path);
        return damage(scan,
                      "%s: what was folded ends at offset %u, within a batch that begins at %u",
                      path, log_position_offset(scan->from), log_position_offset(batch->position));
    }
    return 0;
}

/* The chain broke off at its end, and yet there is a good batch. */
static int
chain_broken(struct chain *chain, const struct log_batch *later)
{
    char path[LOG_PATH_BYTES_MAX];
    char later_path[LOG_PATH_BYTES_MAX];
    uint32_t segment = log_position_segment(chain->end.position);
    uint32_t later_segment = log_position_segment(later->position);
    log_segment_path(chain->scan->place, segment, path);
    log_segment_path(chain->scan->place, later_segment, later_path);
    return damage(
        chain->scan,
        "%s is damaged at offset %u: batch %llu is expected there, and batch %llu is intact at "
        "offset %u of %s",
        path, log_position_offset(chain->end.position), (unsigned long long)chain->end.number,
        (unsigned long long)later->number, log_position_offset(later->position),
        later_segment == segment ? "the same file" : strrchr(later_path, '/') + 1);
}

/* Follows the chain through the segment at hand. */
static int
chain_follow(struct chain *chain)
{
    struct log_batch batch;
    uint32_t number = chain->segment.number;
    uint32_t offset = LOG_SEGMENT_HEADER_BYTES;
    /* The first segment begins the chain; another goes on with it when the one before is where it
     * broke off. */
    bool follows =
        number == chain->first || log_position_segment(chain->end.position) + 1 == number;
    while (follows && segment_batch(chain, offset, &batch) && chain_continues(chain, &batch)) {
        offset = log_position_offset(batch.end);
        int result = chain_take(chain, &batch);
        if (result != 0) {
            return result;
        }
    }
    if (segment_search(chain, offset, &batch)) {
        return chain_broken(chain, &batch);
    }
    if (follows && chain->end.torn_bytes == 0) {
        chain->end.torn_bytes = segment_torn(chain, offset);
    }
    return 0;
}

/* A generation begins with number 1; the oldest of later segments tells its own number. */
static void
chain_begin(struct chain *chain, uint32_t first)
{
    log_end_fresh(&chain->end);
    chain->first = first;
    chain->begun = first == log_position_segment(log_position_first());
    if (!chain->begun) {
        chain->end.position = log_position(first, LOG_SEGMENT_HEADER_BYTES);
    }
}

/* Whether the chain reached all that is known to have been durable. */
static int
chain_check(const struct chain *chain, bool segments)
{
    struct log_scan *scan = chain->scan;
    uint64_t needed = scan->at_least > scan->from ? scan->at_least : scan->from;
    char path[LOG_PATH_BYTES_MAX];
    log_segment_path(scan->place, log_position_segment(chain->end.position), path);
    if (segments && !chain->begun) {
        return damage(scan, "%s: no batch is left where one must be", path);
    }
    if (chain->end.position < needed) {
        return damage(scan, "%s: the log ends at offset %u, before what has been folded from it",
                      path, log_position_offset(chain->end.position));
    }
    return 0;
}

int
log_scan_run(struct log_scan *scan, struct log_end *out)
{
    struct row row = {.place = scan->place};
    struct chain chain = {.scan = scan};
    int result = log_segments_list(scan->place->driver, scan->place->folder, row_segment, &row);
    if (result < 0) {
        (void)snprintf(scan->why, sizeof(scan->why), "can't list %s: %s", scan->place->folder,
                       strerrordesc_np(-result));
        return result;
    }
    result = row_check(scan, &row);
    if (result < 0) {
        return result;
    }
    uint32_t first = row.last != 0 ? row.first : log_position_segment(log_position_first());
    if (scan->from != 0) {
        first = log_position_segment(scan->from);
    }
    chain_begin(&chain, first);
    for (uint32_t number = first; result == 0 && row.last != 0 && number <= row.last; number++) {
        result = segment_load(&chain, number);
        if (result == 0) {
            result = chain_follow(&chain);
        }
    }
    free(chain.memory);
    if (result == 0) {
        result = chain_check(&chain, row.last != 0);
    }
    if (result == 0) {
        chain.end.first_segment = row.oldest;
        chain.end.last_segment = row.last;
        *out = chain.end;
    }
    return result;
}

/* ------------------------------------------------------------------------------------- removing */

int
log_scan_remove(const struct log_place *place)
{
    struct row row = {.place = place};
    int result = log_segments_list(place->driver, place->folder, row_segment, &row);
    if (result < 0 || row.last == 0) {
        return result;
    }
    return log_segments_remove(place, row.oldest, row.last - row.oldest + 1);
}
