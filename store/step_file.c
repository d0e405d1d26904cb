/* SPDX-License-Identifier: Apache-2.0 */
#include "store/step_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_BYTES = 12, /* "001-0000002a" */
    NAME_DASH_AT = 3,
};

/* Its last two digits are the version. */
static const char MAGIC[8] = {'l', 'n', 's', 't', 'e', 'p', '0', '1'};

/* ---------------------------------------------------------------------------------------- names */

static void
segment_path(const char *folder, const struct step_segment *segment, char out[STEP_PATH_BYTES])
{
    int count = snprintf(out, STEP_PATH_BYTES, "%s/%03" PRIx32 "-%08" PRIx32, folder, segment->row,
                         segment->number);
    ASSERT(count > 0 && count < STEP_PATH_BYTES);
}

static int
segment_remove(struct io_driver *driver, const char *folder, const struct step_segment *segment)
{
    char path[STEP_PATH_BYTES];
    segment_path(folder, segment, path);
    int error = io_remove(driver, path);
    return error == -ENOENT ? 0 : error;
}

static bool
name_parse(const char *name, struct step_segment *out)
{
    uint32_t numbers[2] = {0, 0};
    unsigned at = 0;
    for (; at < NAME_BYTES && name[at] != '\0'; at++) {
        char c = name[at];
        uint32_t *number = &numbers[at > NAME_DASH_AT];
        if (at == NAME_DASH_AT ? c != '-' : !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return false;
        }
        if (at != NAME_DASH_AT) {
            *number = *number << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
    }
    *out = (struct step_segment){.row = numbers[0], .number = numbers[1]};
    return at == NAME_BYTES && name[at] == '\0';
}

/* -------------------------------------------------------------------------------------- headers */

static void
header_write(const struct step_segment *segment, uint64_t out[STEP_WORDS])
{
    memcpy(&out[0], MAGIC, sizeof MAGIC);
    out[1] = segment->row | (uint64_t)segment->number << 32;
    out[2] = segment->begun;
    out[3] = 0;
}

/* Size and time of a file with a segment's name. 0; -EBADMSG when it is none, or another version's;
 * or why it can't be read. */
static int
header_read(struct io_driver *driver, const char *folder, struct step_segment *segment)
{
    char path[STEP_PATH_BYTES];
    uint64_t header[STEP_WORDS];
    io_file file;
    segment_path(folder, segment, path);
    int error = io_file_open(driver, path, IO_OPEN_READ, &file);
    if (error < 0) {
        return error;
    }
    ssize_t got = io_file_read(driver, file, header, sizeof header, 0);
    error = io_file_size(driver, file, &segment->bytes);
    io_file_close(driver, file);
    if (got < 0 || error < 0) {
        return got < 0 ? (int)got : error;
    }
    segment->begun = got == (ssize_t)sizeof header ? header[2] : 0;
    bool good = got == (ssize_t)sizeof header && memcmp(&header[0], MAGIC, sizeof MAGIC) == 0 &&
                header[1] == (segment->row | (uint64_t)segment->number << 32);
    return good ? 0 : -EBADMSG;
}

/* ---------------------------------------------------------------------------------------- lists */

struct list {
    struct io_driver *driver;
    const char *folder;
    uint32_t row, rows; /* only those that this row looks after; rows 1: all */
    struct step_segment *out;
    unsigned count, max;
    bool sweeps; /* removes what has a segment's name and is none */
};

/* Leaves the oldest of the list and this one in *segment. */
static void
keep_newer(struct list *list, struct step_segment *segment)
{
    unsigned oldest = 0;
    for (unsigned i = 1; i < list->count; i++) {
        oldest = list->out[i].begun < list->out[oldest].begun ? i : oldest;
    }
    if (list->out[oldest].begun < segment->begun) {
        struct step_segment older = list->out[oldest];
        list->out[oldest] = *segment;
        *segment = older;
    }
}

static int
list_name(void *context, const char *name)
{
    struct list *list = context;
    struct step_segment segment;
    if (!name_parse(name, &segment) || segment.row % list->rows != list->row) {
        return 0;
    }
    int error = header_read(list->driver, list->folder, &segment);
    if (error < 0 && error != -EBADMSG) {
        return error == -ENOENT ? 0 : error; /* it has gone meanwhile */
    }
    if (error == 0 && list->count < list->max) {
        list->out[list->count++] = segment;
        return 0;
    }
    if (error == 0) {
        keep_newer(list, &segment);
    }
    return list->sweeps ? segment_remove(list->driver, list->folder, &segment) : 0;
}

int
step_segments_list(struct io_driver *driver, const char *folder, struct step_segment *out,
                   unsigned max)
{
    struct list list = {.driver = driver, .folder = folder, .rows = 1, .out = out, .max = max};
    int error = io_list_directory(driver, folder, list_name, &list);
    return error < 0 && error != -ENOENT ? error : (int)list.count;
}

int
step_segment_open(struct io_driver *driver, const char *folder, const struct step_segment *segment,
                  io_file *out)
{
    char path[STEP_PATH_BYTES];
    segment_path(folder, segment, path);
    return io_file_open(driver, path, IO_OPEN_READ, out);
}

/* -------------------------------------------------------------------------------- opening a row */

/* By time; of one row, by number. */
static void
sort(struct step_files *files)
{
    for (unsigned i = 1; i < files->count; i++) {
        struct step_segment moving = files->segments[i];
        unsigned at = i;
        for (; at > 0 && (files->segments[at - 1].begun > moving.begun ||
                          (files->segments[at - 1].begun == moving.begun &&
                           files->segments[at - 1].number > moving.number));
             at--) {
            files->segments[at] = files->segments[at - 1];
        }
        files->segments[at] = moving;
    }
}

static int
drop_oldest(struct step_files *files)
{
    int error = segment_remove(files->place.driver, files->place.folder, &files->segments[0]);
    if (error < 0) {
        return error;
    }
    files->bytes -= files->segments[0].bytes;
    files->count--;
    memmove(&files->segments[0], &files->segments[1], files->count * sizeof files->segments[0]);
    return 0;
}

/* Until so many more bytes fit. */
static int
make_room(struct step_files *files, uint64_t bytes)
{
    int error = 0;
    while (error == 0 && files->count > 0 && files->bytes + bytes > files->place.bytes_max) {
        if (files->count == 1 && files->file >= 0) {
            io_file_close(files->place.driver, files->file);
            files->file = -1;
        }
        error = drop_oldest(files);
    }
    return error;
}

int
step_files_open(struct step_files *files, const struct step_place *place)
{
    *files = (struct step_files){.place = *place, .file = -1};
    struct list list = {
        .driver = place->driver,
        .folder = files->place.folder,
        .row = place->row,
        .rows = place->rows,
        .out = files->segments,
        .max = STEP_SEGMENTS_MAX,
        .sweeps = true,
    };
    int error = io_list_directory(place->driver, files->place.folder, list_name, &list);
    files->count = list.count;
    for (unsigned i = 0; i < files->count; i++) {
        files->bytes += files->segments[i].bytes;
    }
    sort(files);
    if (error < 0) {
        return error == -ENOENT ? 0 : error;
    }
    return make_room(files, 0);
}

void
step_files_close(struct step_files *files)
{
    if (files->file >= 0) {
        io_file_close(files->place.driver, files->file);
        files->file = -1;
    }
}

/* ------------------------------------------------------------------------------------ appending */

static uint64_t
segment_bytes_max(const struct step_files *files)
{
    uint64_t bytes = files->place.bytes_max / STEP_ROW_SEGMENTS;
    bytes = bytes > STEP_SEGMENT_BYTES_MAX ? STEP_SEGMENT_BYTES_MAX : bytes;
    return bytes < STEP_SEGMENT_BYTES_MIN ? STEP_SEGMENT_BYTES_MIN : bytes;
}

static uint32_t
next_number(const struct step_files *files)
{
    uint32_t last = 0;
    for (unsigned i = 0; i < files->count; i++) {
        const struct step_segment *segment = &files->segments[i];
        if (segment->row == files->place.row && segment->number > last) {
            last = segment->number;
        }
    }
    return last + 1;
}

static int
make_file(struct io_driver *driver, const char *path, io_file *out)
{
    return io_file_open(driver, path,
                        IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_EXCLUSIVE | IO_OPEN_DIRECT, out);
}

static int
begin_segment(struct step_files *files, uint64_t ticks)
{
    struct io_driver *driver = files->place.driver;
    struct step_segment segment = {.row = files->place.row,
                                   .number = next_number(files),
                                   .bytes = STEP_HEADER_BYTES,
                                   .begun = ticks};
    _Alignas(IO_DIRECT_BYTES) uint64_t header[STEP_HEADER_BYTES / sizeof(uint64_t)] = {0};
    char path[STEP_PATH_BYTES];
    step_files_close(files);
    int error = files->count == STEP_SEGMENTS_MAX ? drop_oldest(files) : 0;
    if (error < 0) {
        return error;
    }
    segment_path(files->place.folder, &segment, path);
    error = make_file(driver, path, &files->file);
    if (error == -ENOENT && (error = io_make_directory(driver, files->place.folder)) == 0) {
        error = make_file(driver, path, &files->file);
    }
    if (error < 0) {
        files->file = -1;
        return error;
    }
    /* In the row before it is good, so that what can't be written is let go of in its turn. */
    files->segments[files->count++] = segment;
    files->bytes += segment.bytes;
    header_write(&segment, header);
    return io_file_write(driver, files->file, header, sizeof header, 0);
}

/* A segment in which nothing could be written: a disk that stays full must not let go of the others
 * for a row of those. */
static void
abandon_empty(struct step_files *files)
{
    unsigned last = files->count - 1;
    if (files->count > 0 && files->segments[last].bytes == STEP_HEADER_BYTES &&
        segment_remove(files->place.driver, files->place.folder, &files->segments[last]) == 0) {
        files->bytes -= STEP_HEADER_BYTES;
        files->count--;
    }
}

uint64_t *
step_memory(size_t count)
{
    return aligned_alloc(IO_DIRECT_BYTES, count * STEP_BYTES);
}

/* Behind `count` steps; how many there are then. */
static size_t
add_holes(uint64_t *words, size_t count)
{
    size_t whole = (count + STEP_SECTOR_STEPS - 1) / STEP_SECTOR_STEPS * STEP_SECTOR_STEPS;
    memset(words + count * STEP_WORDS, 0, (whole - count) * STEP_BYTES);
    return whole;
}

int
step_files_append(struct step_files *files, uint64_t *words, size_t count)
{
    uint64_t bytes = (uint64_t)add_holes(words, count) * STEP_BYTES;
    int error = make_room(files, bytes + STEP_HEADER_BYTES);
    if (error == 0 && (files->file < 0 || files->segments[files->count - 1].bytes + bytes >
                                              segment_bytes_max(files))) {
        error = begin_segment(files, step_ticks(words));
    }
    if (error == 0) {
        struct step_segment *newest = &files->segments[files->count - 1];
        error = io_file_write(files->place.driver, files->file, words, bytes, newest->bytes);
        if (error == 0) {
            newest->bytes += bytes;
            files->bytes += bytes;
        }
    }
    if (error < 0) {
        step_files_close(files);
        abandon_empty(files);
    }
    return error;
}
