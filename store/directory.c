/* SPDX-License-Identifier: Apache-2.0 */
/* linnet.data is 88 bytes, little-endian:
 *
 *     magic 8 | version 4 | cells 4 | log generation 4 | schedulers 4 | created at 8 |
 *     identity 16 | secret 32 | checksum 8
 *
 * Creation, step by step; a crash after any of them leads the next start back to the first:
 *
 *     DIR, lock | linnet.creating, synced | log/, cells/, each cell's environment, synced |
 *     linnet.data.new, synced | renamed to linnet.data, synced | linnet.creating removed
 */
#include "store/directory.h"

#include "store/checksum.h"
#include "store/cursor.h"
#include "store/environment.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DATA_BYTES = 88,
    DATA_SUMMED_BYTES = 80,
    /* Address space while an environment is made: it begins with a handful of pages, and whoever
     * opens it says how large it may become. */
    CELL_CREATE_MAP_BYTES = 1 << 20,
};

static const char MAGIC[8] = {'l', 'i', 'n', 'n', 'e', 't', 'd', 'd'};

struct directory {
    struct io_driver *driver;
    char path[DIRECTORY_PATH_BYTES_MAX];
    char log_path[LOG_PATH_BYTES_MAX];
    char named[LOG_PATH_BYTES_MAX]; /* path_of's */
    struct directory_facts facts;
    io_file lock; /* -1: not held */
};

PRINTF_LIKE(4, 5)
static int
explain(const struct directory *directory, char why[LOG_WHY_BYTES], int error, const char *format,
        ...)
{
    va_list arguments;
    int used = snprintf(why, LOG_WHY_BYTES, "the data directory %s ", directory->path);
    va_start(arguments, format);
    if (used > 0 && used < LOG_WHY_BYTES) {
        (void)vsnprintf(why + used, (size_t)(LOG_WHY_BYTES - used), format, arguments);
    }
    va_end(arguments);
    return error;
}

static void
name_path(const struct directory *directory, const char *name, char out[LOG_PATH_BYTES_MAX])
{
    int count = snprintf(out, LOG_PATH_BYTES_MAX, "%s/%s", directory->path, name);
    ASSERT(count > 0 && count < LOG_PATH_BYTES_MAX);
}

/* The path of a name in the directory, good until the next call: stacks are too small for many. */
static const char *
path_of(struct directory *directory, const char *name)
{
    name_path(directory, name, directory->named);
    return directory->named;
}

/* ------------------------------------------------------------------------ linnet.data */

static void
data_encode(const struct directory_facts *facts, unsigned char out[DATA_BYTES])
{
    struct cursor_out cursor;
    cursor_out_init(&cursor, out, DATA_BYTES);
    cursor_put_bytes(&cursor, MAGIC, sizeof(MAGIC));
    cursor_put_u32(&cursor, DIRECTORY_FORMAT_VERSION);
    cursor_put_u32(&cursor, facts->cells);
    cursor_put_u32(&cursor, facts->log_generation);
    cursor_put_u32(&cursor, facts->schedulers);
    cursor_put_u64(&cursor, (uint64_t)facts->created_at_ms);
    cursor_put_bytes(&cursor, facts->identity, LOG_IDENTITY_BYTES);
    cursor_put_bytes(&cursor, facts->secret, DIRECTORY_SECRET_BYTES);
    cursor_put_u64(&cursor, checksum_bytes(0, out, DATA_SUMMED_BYTES));
    ASSERT(!cursor.failed && cursor_out_bytes(&cursor) == DATA_BYTES);
}

static bool
facts_valid(const struct directory_facts *facts)
{
    return facts->cells >= DIRECTORY_CELLS_MIN && facts->cells <= DIRECTORY_CELLS_MAX &&
           (facts->cells & (facts->cells - 1)) == 0 && facts->schedulers >= 1 &&
           facts->schedulers <= DIRECTORY_SCHEDULERS_MAX && facts->log_generation >= 1;
}

static int
data_decode(struct directory *directory, const unsigned char *bytes, size_t count,
            char why[LOG_WHY_BYTES])
{
    struct cursor_in in;
    unsigned char magic[sizeof(MAGIC)];
    struct directory_facts facts = {0};
    cursor_in_init(&in, bytes, count);
    cursor_get_copy(&in, magic, sizeof(magic));
    uint32_t version = cursor_get_u32(&in);
    if (memcmp(magic, MAGIC, sizeof(MAGIC)) != 0) {
        return explain(directory, why, -EUCLEAN,
                       "is damaged: linnet.data is not what it should be");
    }
    if (version != DIRECTORY_FORMAT_VERSION) {
        return explain(directory, why, -EPROTO,
                       "has format version %u, and this program knows version %u only", version,
                       DIRECTORY_FORMAT_VERSION);
    }
    facts.cells = cursor_get_u32(&in);
    facts.log_generation = cursor_get_u32(&in);
    facts.schedulers = cursor_get_u32(&in);
    facts.created_at_ms = (int64_t)cursor_get_u64(&in);
    cursor_get_copy(&in, facts.identity, LOG_IDENTITY_BYTES);
    cursor_get_copy(&in, facts.secret, DIRECTORY_SECRET_BYTES);
    uint64_t checksum = cursor_get_u64(&in);
    if (cursor_in_end(&in) < 0 || checksum != checksum_bytes(0, bytes, DATA_SUMMED_BYTES) ||
        !facts_valid(&facts)) {
        return explain(directory, why, -EUCLEAN,
                       "is damaged: linnet.data is not as it was written");
    }
    facts.seed = checksum_bytes(0, facts.secret, DIRECTORY_SECRET_BYTES);
    directory->facts = facts;
    return 0;
}

/* 0, or -ENOENT without a sentence when there is no linnet.data, or another error with one. */
static int
data_read(struct directory *directory, char why[LOG_WHY_BYTES])
{
    unsigned char bytes[DATA_BYTES + 1]; /* one more, to notice a longer file */
    io_file file = -1;
    int result =
        io_file_open(directory->driver, path_of(directory, "linnet.data"), IO_OPEN_READ, &file);
    if (result == -ENOENT) {
        return result;
    }
    ssize_t got = result;
    if (result == 0) {
        got = io_file_read(directory->driver, file, bytes, sizeof(bytes), 0);
        io_file_close(directory->driver, file);
    }
    if (got < 0) {
        return explain(directory, why, (int)got, "can't be used: linnet.data: %s",
                       strerrordesc_np((int)-got));
    }
    return data_decode(directory, bytes, (size_t)got, why);
}

/* A new file with this content, synced; its name is durable only after the directory is synced. */
static int
file_write(struct directory *directory, const char *name, const void *bytes, size_t count)
{
    const char *path = path_of(directory, name);
    io_file file = -1;
    int result = io_remove(directory->driver, path);
    if (result < 0 && result != -ENOENT) {
        return result;
    }
    result = io_file_open(directory->driver, path,
                          IO_OPEN_WRITE | IO_OPEN_CREATE | IO_OPEN_EXCLUSIVE, &file);
    if (result < 0) {
        return result;
    }
    result = io_file_write(directory->driver, file, bytes, count, 0);
    if (result == 0) {
        result = io_file_sync(directory->driver, file);
    }
    io_file_close(directory->driver, file);
    return result;
}

static int
data_write(struct directory *directory, const struct directory_facts *facts)
{
    unsigned char bytes[DATA_BYTES];
    char unfinished[LOG_PATH_BYTES_MAX];
    data_encode(facts, bytes);
    name_path(directory, "linnet.data.new", unfinished);
    int result = file_write(directory, "linnet.data.new", bytes, sizeof(bytes));
    if (result == 0) {
        result = io_rename(directory->driver, unfinished, path_of(directory, "linnet.data"));
    }
    if (result == 0) {
        result = io_sync_directory(directory->driver, directory->path);
    }
    return result;
}

/* ------------------------------------------------------------------------ creation */

static int
name_any(void *context, const char *name)
{
    (void)context;
    (void)name;
    return 1;
}

/* 1 when there is something in it, 0 when not or when it does not exist, or a negative errno. */
static int
folder_used(struct directory *directory, const char *name)
{
    int result = io_list_directory(directory->driver, path_of(directory, name), name_any, NULL);
    return result == -ENOENT ? 0 : result;
}

static int
file_exists(struct directory *directory, const char *name)
{
    io_file file = -1;
    int result = io_file_open(directory->driver, path_of(directory, name), IO_OPEN_READ, &file);
    if (result < 0) {
        return result == -ENOENT ? 0 : result;
    }
    io_file_close(directory->driver, file);
    return 1;
}

static int
folder_make(struct directory *directory, const char *name)
{
    return io_make_directory(directory->driver, path_of(directory, name));
}

static int
cell_create(struct directory *directory, unsigned cell, char why[LOG_WHY_BYTES])
{
    char path[LOG_PATH_BYTES_MAX];
    struct environment_options options = {
        .driver = directory->driver,
        .path = path,
        .map_bytes = CELL_CREATE_MAP_BYTES,
        .cell = cell,
    };
    directory_cell_path(directory, cell, path);
    memcpy(options.identity, directory->facts.identity, LOG_IDENTITY_BYTES);
    int result = io_make_directory(directory->driver, path);
    if (result < 0) {
        return explain(directory, why, result, "can't be created: %s", strerrordesc_np(-result));
    }
    return environment_create(&options, why);
}

/* "/srv/linnet": "/srv", "/srv": "/", "var": "." */
static void
path_parent(const struct directory *directory, char out[DIRECTORY_PATH_BYTES_MAX])
{
    const char *slash = strrchr(directory->path, '/');
    size_t bytes = slash != NULL ? (size_t)(slash - directory->path) : 0;
    memcpy(out, directory->path, bytes);
    out[bytes] = '\0';
    if (bytes == 0) {
        (void)snprintf(out, DIRECTORY_PATH_BYTES_MAX, "%s", slash != NULL ? "/" : ".");
    }
}

/* Everything between linnet.creating and linnet.data. */
static int
folders_create(struct directory *directory, char why[LOG_WHY_BYTES])
{
    int result = folder_make(directory, "log");
    if (result == 0) {
        result = folder_make(directory, "cells");
    }
    if (result < 0) {
        return explain(directory, why, result, "can't be created: %s", strerrordesc_np(-result));
    }
    for (unsigned cell = 0; cell < directory->facts.cells; cell++) {
        result = cell_create(directory, cell, why);
        if (result < 0) {
            return result;
        }
    }
    result = io_sync_directory(directory->driver, path_of(directory, "cells"));
    if (result == 0) {
        result = io_sync_directory(directory->driver, directory->path);
    }
    if (result < 0) {
        return explain(directory, why, result, "can't be created: %s", strerrordesc_np(-result));
    }
    return 0;
}

/* Whether a creation may begin, or begin anew: not over something that may be somebody's data. */
static int
creation_allowed(struct directory *directory, char why[LOG_WHY_BYTES])
{
    int creating = file_exists(directory, "linnet.creating");
    int log_used = creating < 0 ? creating : folder_used(directory, "log");
    int cells_used = log_used < 0 ? log_used : folder_used(directory, "cells");
    if (cells_used < 0) {
        return explain(directory, why, cells_used, "can't be read: %s",
                       strerrordesc_np(-cells_used));
    }
    if (log_used == 1 || (cells_used == 1 && creating == 0)) {
        return explain(directory, why, -EUCLEAN,
                       "is damaged: linnet.data is missing, but there are data in %s/",
                       log_used == 1 ? "log" : "cells");
    }
    return 0;
}

static int
directory_create(struct directory *directory, const struct directory_options *options,
                 char why[LOG_WHY_BYTES])
{
    struct io *io = io_of(directory->driver, 0);
    char parent[DIRECTORY_PATH_BYTES_MAX];
    struct directory_facts *facts = &directory->facts;
    int result = creation_allowed(directory, why);
    if (result < 0) {
        return result;
    }
    *facts = (struct directory_facts){
        .created_at_ms = io_wall_ms(io),
        .cells = options->cells,
        .log_generation = 1,
        .schedulers = options->schedulers,
        .created = true,
    };
    io_random(io, facts->identity, sizeof(facts->identity));
    io_random(io, facts->secret, sizeof(facts->secret));
    facts->seed = checksum_bytes(0, facts->secret, DIRECTORY_SECRET_BYTES);
    path_parent(directory, parent);
    result = file_write(directory, "linnet.creating", MAGIC, sizeof(MAGIC));
    if (result == 0) {
        result = io_sync_directory(directory->driver, directory->path);
    }
    /* DIR itself: who made it, this start or an earlier one, may not have got so far. */
    if (result == 0) {
        result = io_sync_directory(directory->driver, parent);
    }
    if (result < 0) {
        return explain(directory, why, result, "can't be created: %s", strerrordesc_np(-result));
    }
    result = folders_create(directory, why);
    if (result < 0) {
        return result;
    }
    result = data_write(directory, facts);
    if (result < 0) {
        return explain(directory, why, result, "can't be created: %s", strerrordesc_np(-result));
    }
    return 0;
}

/* What a creation or a change of linnet.data may have left behind when it was cut off at its
 * end. */
static int
leftovers_remove(struct directory *directory, char why[LOG_WHY_BYTES])
{
    static const char *const names[] = {"linnet.creating", "linnet.data.new"};
    int result = 0;
    for (unsigned i = 0; result == 0 && i < sizeof(names) / sizeof(names[0]); i++) {
        result = io_remove(directory->driver, path_of(directory, names[i]));
        result = result == -ENOENT ? 0 : result;
    }
    if (result == 0) {
        result = io_sync_directory(directory->driver, directory->path);
    }
    if (result < 0) {
        return explain(directory, why, result, "can't be used: %s", strerrordesc_np(-result));
    }
    return 0;
}

/* ------------------------------------------------------------------------ opening */

static int
options_check(const struct directory_options *options, char why[LOG_WHY_BYTES])
{
    size_t bytes = strlen(options->path);
    if (bytes == 0 || bytes >= DIRECTORY_PATH_BYTES_MAX) {
        (void)snprintf(why, LOG_WHY_BYTES, "the data directory's path must have 1 to %d bytes",
                       DIRECTORY_PATH_BYTES_MAX - 1);
        return -EINVAL;
    }
    struct directory_facts facts = {
        .cells = options->cells,
        .schedulers = options->schedulers,
        .log_generation = 1,
    };
    if (!facts_valid(&facts)) {
        (void)snprintf(why, LOG_WHY_BYTES,
                       "cells must be a power of two from %d to %d, and schedulers from 1 to %d",
                       DIRECTORY_CELLS_MIN, DIRECTORY_CELLS_MAX, DIRECTORY_SCHEDULERS_MAX);
        return -EINVAL;
    }
    return 0;
}

/* The path without slashes at its end. */
static void
path_set(struct directory *directory, const char *path)
{
    size_t bytes = strlen(path);
    while (bytes > 1 && path[bytes - 1] == '/') {
        bytes--;
    }
    memcpy(directory->path, path, bytes);
    directory->path[bytes] = '\0';
    name_path(directory, "log", directory->log_path);
}

/* Makes DIR where there is none. */
static int
root_make(struct directory *directory, char why[LOG_WHY_BYTES])
{
    int result = io_list_directory(directory->driver, directory->path, name_any, NULL);
    if (result == -ENOENT) {
        result = io_make_directory(directory->driver, directory->path);
    }
    if (result < 0) {
        return explain(directory, why, result, "can't be opened: %s", strerrordesc_np(-result));
    }
    return 0;
}

static int
lock_take(struct directory *directory, char why[LOG_WHY_BYTES])
{
    int result = io_file_open(directory->driver, path_of(directory, "lock"),
                              IO_OPEN_READ | IO_OPEN_WRITE | IO_OPEN_CREATE, &directory->lock);
    if (result == 0) {
        result = io_file_lock(directory->driver, directory->lock);
    }
    if (result == -EWOULDBLOCK) {
        return explain(directory, why, result, "is in use by another process");
    }
    if (result < 0) {
        return explain(directory, why, result, "can't be locked: %s", strerrordesc_np(-result));
    }
    return 0;
}

/* With the lock held. */
static int
contents_open(struct directory *directory, const struct directory_options *options,
              char why[LOG_WHY_BYTES])
{
    int result = data_read(directory, why);
    if (result == -ENOENT) {
        result = directory_create(directory, options, why);
    }
    return result < 0 ? result : leftovers_remove(directory, why);
}

int
directory_open(const struct directory_options *options, struct directory **out,
               char why[LOG_WHY_BYTES])
{
    int result = options_check(options, why);
    if (result < 0) {
        return result;
    }
    struct directory *directory = calloc(1, sizeof(*directory));
    if (directory == NULL) {
        (void)snprintf(why, LOG_WHY_BYTES, "no memory for the data directory");
        return -ENOMEM;
    }
    directory->driver = options->driver;
    directory->lock = -1;
    path_set(directory, options->path);
    result = root_make(directory, why);
    if (result == 0) {
        result = lock_take(directory, why);
    }
    if (result == 0) {
        result = contents_open(directory, options, why);
    }
    if (result < 0) {
        directory_close(&directory);
        return result;
    }
    *out = directory;
    return 0;
}

void
directory_close(struct directory **directory)
{
    struct directory *closed = *directory;
    if (closed == NULL) {
        return;
    }
    if (closed->lock >= 0) {
        io_file_close(closed->driver, closed->lock);
    }
    free(closed);
    *directory = NULL;
}

/* ------------------------------------------------------------------------ facts */

const struct directory_facts *
directory_facts(const struct directory *directory)
{
    return &directory->facts;
}

int
directory_begin_generation(struct directory *directory, uint32_t schedulers)
{
    struct directory_facts facts = directory->facts;
    facts.log_generation++;
    facts.schedulers = schedulers;
    ASSERT(facts_valid(&facts));
    int result = data_write(directory, &facts);
    if (result == 0) {
        directory->facts = facts;
    }
    return result;
}

const char *
directory_path(const struct directory *directory)
{
    return directory->path;
}

const char *
directory_log_path(const struct directory *directory)
{
    return directory->log_path;
}

void
directory_cell_path(const struct directory *directory, unsigned cell, char out[LOG_PATH_BYTES_MAX])
{
    int count = snprintf(out, LOG_PATH_BYTES_MAX, "%s/cells/c%02x", directory->path, cell);
    ASSERT(count > 0 && count < LOG_PATH_BYTES_MAX);
}
