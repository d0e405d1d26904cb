/* SPDX-License-Identifier: Apache-2.0 */
/* Recycling takes a file away from one name and gives it to another; one sync of the folder makes
 * both durable. A crash in between may leave the old name on the new header: of a segment that lies
 * below every mark, which no scan reads any more. */
#include "store/log_segment.h"

#include "store/checksum.h"
#include "store/cursor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    NAME_DIGITS_GENERATION = 8,
    NAME_DIGITS_LOG = 3,
    NAME_DIGITS_SEGMENT = 8,
    NAME_BYTES = NAME_DIGITS_GENERATION + 1 + NAME_DIGITS_LOG + 1 + NAME_DIGITS_SEGMENT,
    HEADER_BYTES = 64,        /* zeros follow it */
    HEADER_SUMMED_BYTES = 56, /* all but the checksum, which is last */
};

static const char MAGIC[8] = {'l', 'i', 'n', 'n', 'e', 't', 'l', 'g'};
static const char UNFINISHED[] = ".new";

/* ---------------------------------------------------------------------------------------- names */

/* A path that does not fit is refused when the directory is opened (directory.c). */
static void
segment_path(const struct log_place *place, uint32_t number, const char *suffix,
             char out[LOG_PATH_BYTES_MAX])
{
    int count = snprintf(out, LOG_PATH_BYTES_MAX, "%s/%08" PRIx32 "-%03" PRIx32 "-%08" PRIx32 "%s",
                         place->folder, place->generation, place->log, number, suffix);
    ASSERT(count > 0 && count < LOG_PATH_BYTES_MAX);
}

void
log_segment_path(const struct log_place *place, uint32_t number, char out[LOG_PATH_BYTES_MAX])
{
    segment_path(place, number, "", out);
}

/* Exactly `digits` lower-case hexadecimal digits. */
static bool
name_number(const char **at, unsigned digits, uint32_t *out)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < digits; i++) {
        char c = (*at)[i];
        if (c >= '0' && c <= '9') {
            value = value << 4 | (uint32_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            value = value << 4 | (uint32_t)(c - 'a' + 10);
        } else {
            return false;
        }
    }
    *at += digits;
    *out = value;
    return true;
}

static bool
name_dash(const char **at)
{
    if (**at != '-') {
        return false;
    }
    (*at)++;
    return true;
}

struct segment_name {
    uint32_t generation;
    uint32_t log;
    uint32_t segment;
};

/* Whether the name is a segment's, followed by `suffix`. */
static bool
name_parse(const char *name, const char *suffix, struct segment_name *out)
{
    return name_number(&name, NAME_DIGITS_GENERATION, &out->generation) && name_dash(&name) &&
           name_number(&name, NAME_DIGITS_LOG, &out->log) && name_dash(&name) &&
           name_number(&name, NAME_DIGITS_SEGMENT, &out->segment) && strcmp(name, suffix) == 0;
}

struct list {
    int (*each)(void *context, uint32_t generation, uint32_t log, uint32_t segment);
    void *context;
};

static int
list_name(void *context, const char *name)
{
    const struct list *list = context;
    struct segment_name parsed;
    if (!name_parse(name, "", &parsed)) {
        return 0;
    }
    return list->each(list->context, parsed.generation, parsed.log, parsed.segment);
}

/* The digits are fixed in number, so the order of names is the order of numbers. */
int
log_segments_list(struct io_driver *driver, const char *folder,
                  int (*each)(void *context, uint32_t generation, uint32_t log, uint32_t segment),
                  void *context)
{
    struct list list = {each, context};
    return io_list_directory(driver, folder, list_name, &list);
}

/* -------------------------------------------------------------------------------------- headers */

static void
header_write(const struct log_place *place, const struct log_segment *segment,
             unsigned char out[LOG_SEGMENT_HEADER_BYTES])
{
    struct cursor_out cursor;
    memset(out, 0, LOG_SEGMENT_HEADER_BYTES);
    cursor_out_init(&cursor, out, HEADER_BYTES);
    cursor_put_bytes(&cursor, MAGIC, sizeof(MAGIC));
    cursor_put_u32(&cursor, LOG_FORMAT_VERSION);
    cursor_put_u32(&cursor, place->generation);
    cursor_put_u32(&cursor, place->log);
    cursor_put_u32(&cursor, segment->number);
    cursor_put_u32(&cursor, segment->bytes);
    cursor_put_u32(&cursor, 0);
    cursor_put_u64(&cursor, segment->salt);
    cursor_put_bytes(&cursor, place->identity, LOG_IDENTITY_BYTES);
    cursor_put_u64(&cursor, checksum_bytes(0, out, HEADER_SUMMED_BYTES));
    ASSERT(!cursor.failed && cursor_out_bytes(&cursor) == HEADER_BYTES);
}

static bool
is_zero(const unsigned char *bytes, size_t count)
{
    size_t at = 0;
    while (at < count && bytes[at] == 0) {
        at++;
    }
    return at == count;
}

/* Fills bytes and salt of *segment; NULL, or what is wrong. */
static const char *
header_read(const struct log_place *place, const unsigned char bytes[LOG_SEGMENT_HEADER_BYTES],
            struct log_segment *segment, int *out_error)
{
    struct cursor_in in;
    unsigned char magic[sizeof(MAGIC)];
    unsigned char identity[LOG_IDENTITY_BYTES];
    cursor_in_init(&in, bytes, HEADER_BYTES);
    *out_error = -EUCLEAN;
    cursor_get_copy(&in, magic, sizeof(magic));
    if (memcmp(magic, MAGIC, sizeof(MAGIC)) != 0) {
        return "is no log segment, or its header is damaged";
    }
    /* The version comes first: what follows, the checksum too, may differ in another. */
    if (cursor_get_u32(&in) != LOG_FORMAT_VERSION) {
        *out_error = -EPROTO;
        return "has a format version that this program does not know, or its header is damaged";
    }
    uint32_t generation = cursor_get_u32(&in);
    uint32_t log = cursor_get_u32(&in);
    uint32_t number = cursor_get_u32(&in);
    segment->bytes = cursor_get_u32(&in);
    (void)cursor_get_u32(&in);
    segment->salt = cursor_get_u64(&in);
    cursor_get_copy(&in, identity, sizeof(identity));
    if (cursor_get_u64(&in) != checksum_bytes(0, bytes, HEADER_SUMMED_BYTES) ||
        !is_zero(bytes + HEADER_BYTES, LOG_SEGMENT_HEADER_BYTES - HEADER_BYTES)) {
        return "has a damaged header (its checksum is wrong)";
    }
    if (memcmp(identity, place->identity, LOG_IDENTITY_BYTES) != 0) {
        return "belongs to another data directory";
    }
    if (generation != place->generation || log != place->log || number != segment->number) {
        return "has another segment's content (was it renamed?)";
    }
    if (segment->bytes < LOG_SEGMENT_BYTES_MIN || segment->bytes > LOG_SEGMENT_BYTES_MAX ||
        segment->bytes % LOG_ALIGN_BYTES != 0 || segment->salt == 0) {
        return "has a header that makes no sense";
    }
    return NULL;
}

int
log_segment_open(const struct log_place *place, uint32_t number, struct log_segment *out,
                 char why[LOG_WHY_BYTES])
{
    char path[LOG_PATH_BYTES_MAX];
    _Alignas(LOG_ALIGN_BYTES) unsigned char header[LOG_SEGMENT_HEADER_BYTES];
    struct log_segment segment = {.number = number};
    uint64_t bytes = 0;
    segment_path(place, number, "", path);
    int result = io_file_open(place->driver, path, IO_OPEN_READ | IO_OPEN_WRITE | IO_OPEN_DIRECT,
                              &segment.file);
    if (result < 0) {
        (void)snprintf(why, LOG_WHY_BYTES, "can't open %s: %s", path, strerrordesc_np(-result));
        return result;
    }
    const char *what = NULL;
    ssize_t got = io_file_read(place->driver, segment.file, header, sizeof(header), 0);
    if (got < 0) {
        result = (int)got;
        what = strerrordesc_np(-result);
    } else if (got < LOG_SEGMENT_HEADER_BYTES) {
        result = -EUCLEAN;
        what = "is shorter than a segment's header";
    } else {
        what = header_read(place, header, &segment, &result);
    }
    if (what == NULL) {
        result = io_file_size(place->driver, segment.file, &bytes);
        what = result < 0 ? strerrordesc_np(-result) : NULL;
    }
    if (what == NULL && bytes < segment.bytes) {
        result = -EUCLEAN;
        what = "is shorter than its header says";
    }
    if (what != NULL) {
        (void)snprintf(why, LOG_WHY_BYTES, "%s: %s", path, what);
        io_file_close(place->driver, segment.file);
        return result;
    }
    *out = segment;
    return 0;
}

/* --------------------------------------------------------------------------------------- making */

/* A file under the unfinished name: the recycled one, or a new one. */
static int
file_begin(const struct log_place *place, const char *path, uint32_t recycle, io_file *out)
{
    int result = io_remove(place->driver, path);
    if (result < 0 && result != -ENOENT) {
        return result;
    }
    if (recycle != 0) {
        char old[LOG_PATH_BYTES_MAX];
        segment_path(place, recycle, "", old);
        result = io_rename(place->driver, old, path);
        if (result < 0 && result != -ENOENT) {
            return result;
        }
    }
    return io_file_open(place->driver, path,
                        IO_OPEN_READ | IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_DIRECT, out);
}

static int
file_fill(const struct log_place *place, const struct log_segment *segment)
{
    _Alignas(LOG_ALIGN_BYTES) unsigned char header[LOG_SEGMENT_HEADER_BYTES];
    header_write(place, segment, header);
    int result = io_file_allocate(place->driver, segment->file, segment->bytes);
    if (result == 0) {
        result = io_file_write(place->driver, segment->file, header, sizeof(header), 0);
    }
    if (result == 0) {
        result = io_file_sync(place->driver, segment->file);
    }
    return result;
}

int
log_segment_make(const struct log_place *place, uint32_t number, uint32_t recycle,
                 struct log_segment *out)
{
    char unfinished[LOG_PATH_BYTES_MAX];
    char path[LOG_PATH_BYTES_MAX];
    struct log_segment segment = {
        .number = number,
        .bytes = place->segment_bytes > 0 ? place->segment_bytes : LOG_SEGMENT_BYTES,
    };
    ASSERT(number > 0 && segment.bytes >= LOG_SEGMENT_BYTES_MIN &&
           segment.bytes <= LOG_SEGMENT_BYTES_MAX && segment.bytes % LOG_ALIGN_BYTES == 0);
    while (segment.salt == 0) {
        io_random(io_of(place->driver, 0), &segment.salt, sizeof(segment.salt));
    }
    segment_path(place, number, UNFINISHED, unfinished);
    segment_path(place, number, "", path);
    int result = file_begin(place, unfinished, recycle, &segment.file);
    if (result < 0) {
        return result;
    }
    result = file_fill(place, &segment);
    if (result == 0) {
        result = io_rename(place->driver, unfinished, path);
    }
    if (result == 0) {
        result = io_sync_directory(place->driver, place->folder);
    }
    if (result < 0) {
        io_file_close(place->driver, segment.file);
        if (io_remove(place->driver, unfinished) < 0) {
            /* The first error is the one to tell; the file is swept at the next start. */
            return result;
        }
        return result;
    }
    *out = segment;
    return 0;
}

/* ------------------------------------------------------------------------------------- removing */

int
log_segments_remove(const struct log_place *place, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char path[LOG_PATH_BYTES_MAX];
        segment_path(place, first + i, "", path);
        int result = io_remove(place->driver, path);
        if (result < 0 && result != -ENOENT) {
            return result;
        }
    }
    return io_sync_directory(place->driver, place->folder);
}

struct sweep {
    struct io_driver *driver;
    const char *folder;
};

static int
sweep_name(void *context, const char *name)
{
    const struct sweep *sweep = context;
    struct segment_name parsed;
    char path[LOG_PATH_BYTES_MAX];
    if (!name_parse(name, UNFINISHED, &parsed)) {
        return 0;
    }
    int count = snprintf(path, sizeof(path), "%s/%s", sweep->folder, name);
    ASSERT(count > 0 && (size_t)count < sizeof(path));
    return io_remove(sweep->driver, path);
}

int
log_segments_sweep(struct io_driver *driver, const char *folder)
{
    struct sweep sweep = {driver, folder};
    return io_list_directory(driver, folder, sweep_name, &sweep);
}
