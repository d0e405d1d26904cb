/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/powercut/recorder.h"

#include "runtime/check.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    /* The data directory's files are opened early and are few; sockets may have any number. */
    DESCRIPTORS_MAX = 65536,
    /* One for each log that appends, and there is one log per scheduler. */
    APPENDS_MAX = 256,
    ROOT_BYTES_MAX = 4096,
    JOURNAL_MODE = 0600,
};

/* disk.py knows them by these letters. */
enum entry_kind {
    ENTRY_OPEN = 'O',     /* offset: flags; then the path */
    ENTRY_CLOSE = 'C',    /* is about to be closed */
    ENTRY_WRITE = 'W',    /* then the bytes */
    ENTRY_TRUNCATE = 'T', /* offset: the new size */
    ENTRY_ALLOCATE = 'A', /* offset: the size it has at least */
    ENTRY_SYNC = 'S',     /* offset: entries before this one are confirmed */
    ENTRY_CONFIRM = 'R',  /* offset, and then a u64: that many bytes there are confirmed */
    ENTRY_APPEND = 'P',   /* the same, of an append through the ring */
    ENTRY_RENAME = 'N',   /* then "from\0to" */
    ENTRY_REMOVE = 'U',   /* then the path */
    ENTRY_MKDIR = 'M',    /* then the path */
};

/* In front of each entry; `bytes` follow. Little endian, as the machines are on which this runs. */
struct entry {
    uint32_t kind;
    int32_t file;
    uint64_t offset;
    uint64_t bytes;
};
static_assert(sizeof(struct entry) == 24, "disk.py unpacks <IiQQ");

struct append {
    const struct io_op *op; /* NULL: free */
    int file;
    uint64_t offset; /* of what is not confirmed yet */
    uint64_t bytes;  /* not confirmed yet */
    uint64_t begun;  /* the journal's length then */
};

/* The lock orders the journal; it guards `length` and `appends` too. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int journal = -1;
static uint64_t length; /* in entries */
static struct append appends[APPENDS_MAX];
static char root[ROOT_BYTES_MAX];
static atomic_bool seen[DESCRIPTORS_MAX];
static atomic_bool synchronous[DESCRIPTORS_MAX]; /* opened with O_DSYNC or O_SYNC */

/* ------------------------------------------------------------------------ the journal */

static void
enter(void)
{
    ASSERT(pthread_mutex_lock(&lock) == 0);
}

static void
leave(void)
{
    ASSERT(pthread_mutex_unlock(&lock) == 0);
}

/* Under the lock. A journal with a hole would be worse than
 * an end. */
static void
add(enum entry_kind kind, int file, uint64_t offset, const struct iovec *pieces, unsigned count)
{
    struct iovec all[1 + IO_SEND_PIECES_MAX];
    struct entry entry = {.kind = (uint32_t)kind, .file = file, .offset = offset};
    ASSERT(count <= IO_SEND_PIECES_MAX);
    all[0] = (struct iovec){&entry, sizeof(entry)};
    for (unsigned i = 0; i < count; i++) {
        all[1 + i] = pieces[i];
        entry.bytes += pieces[i].iov_len;
    }
    ssize_t put = __real_writev(journal, all, (int)(1 + count));
    ASSERT(put == (ssize_t)(sizeof(entry) + entry.bytes));
    length++;
}

static void
add_number(enum entry_kind kind, int file, uint64_t offset, uint64_t number)
{
    struct iovec piece = {&number, sizeof(number)};
    add(kind, file, offset, &piece, 1);
}

static void
record(enum entry_kind kind, int file, uint64_t offset)
{
    enter();
    add(kind, file, offset, NULL, 0);
    leave();
}

static uint64_t
now(void)
{
    enter();
    uint64_t entries = length;
    leave();
    return entries;
}

static const char *
variable(const char *name)
{
    const char *text = getenv(name); // NOLINT(concurrency-mt-unsafe): before main
    if (text == NULL || text[0] != '/' || strlen(text) >= ROOT_BYTES_MAX) {
        (void)fprintf(stderr, "linnetd_recorded: %s must be an absolute path\n", name);
        _exit(2);
    }
    return text;
}

__attribute__((constructor)) static void
recorder_start(void)
{
    (void)snprintf(root, sizeof(root), "%s", variable("LINNET_POWERCUT_DATA"));
    const char *path = variable("LINNET_POWERCUT_JOURNAL");
    journal = __real_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, JOURNAL_MODE);
    if (journal < 0) {
        perror(path);
        _exit(2);
    }
}

/* ------------------------------------------------------------------------ names */

/* The path below the data directory, "" for that itself; NULL: it is elsewhere. */
static const char *
path_inside(const char *path)
{
    size_t bytes = strlen(root);
    if (strncmp(path, root, bytes) != 0 || (path[bytes] != '/' && path[bytes] != '\0')) {
        return NULL;
    }
    return path + bytes + (path[bytes] == '/' ? 1 : 0);
}

static struct iovec
piece_of(const char *text, size_t bytes)
{
    return (struct iovec){(void *)(uintptr_t)text, bytes};
}

int
__wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    int file = __real_open(path, flags, mode);
    const char *inside = path_inside(path);
    if (file < 0 || inside == NULL) {
        return file;
    }
    ASSERT(file < DESCRIPTORS_MAX);
    struct iovec name = piece_of(inside, strlen(inside));
    enter();
    add(ENTRY_OPEN, file, (uint64_t)flags, &name, 1);
    leave();
    atomic_store(&synchronous[file], (flags & O_DSYNC) != 0); /* O_SYNC has that bit too */
    atomic_store(&seen[file], true);
    return file;
}

static bool
is_seen(int file)
{
    return file >= 0 && file < DESCRIPTORS_MAX && atomic_load(&seen[file]);
}

int
__wrap_close(int file)
{
    if (is_seen(file)) {
        atomic_store(&seen[file], false);
        record(ENTRY_CLOSE, file, 0); /* before another open can get the number */
    }
    return __real_close(file);
}

static void
record_name(enum entry_kind kind, const char *path)
{
    const char *inside = path_inside(path);
    if (inside != NULL) {
        struct iovec name = piece_of(inside, strlen(inside));
        enter();
        add(kind, -1, 0, &name, 1);
        leave();
    }
}

int
__wrap_rename(const char *from, const char *to)
{
    int result = __real_rename(from, to);
    const char *old = path_inside(from);
    const char *new = path_inside(to);
    ASSERT((old == NULL) == (new == NULL));
    if (result == 0 && old != NULL) {
        struct iovec names[2] = {piece_of(old, strlen(old) + 1), piece_of(new, strlen(new))};
        enter();
        add(ENTRY_RENAME, -1, 0, names, 2);
        leave();
    }
    return result;
}

int
__wrap_remove(const char *path)
{
    int result = __real_remove(path);
    if (result == 0) {
        record_name(ENTRY_REMOVE, path);
    }
    return result;
}

int
__wrap_mkdir(const char *path, mode_t mode)
{
    int result = __real_mkdir(path, mode);
    if (result == 0) {
        record_name(ENTRY_MKDIR, path);
    }
    return result;
}

/* ------------------------------------------------------------------------ bytes */

static void
record_write(int file, const struct iovec *pieces, unsigned count, uint64_t offset)
{
    uint64_t bytes = 0;
    for (unsigned i = 0; i < count; i++) {
        bytes += pieces[i].iov_len;
    }
    enter();
    add(ENTRY_WRITE, file, offset, pieces, count);
    if (atomic_load(&synchronous[file])) {
        add_number(ENTRY_CONFIRM, file, offset, bytes);
    }
    leave();
}

ssize_t
__wrap_pwrite(int file, const void *bytes, size_t count, off_t offset)
{
    ssize_t put = __real_pwrite(file, bytes, count, offset);
    if (put > 0 && is_seen(file)) {
        struct iovec piece = piece_of(bytes, (size_t)put);
        record_write(file, &piece, 1, (uint64_t)offset);
    }
    return put;
}

ssize_t
__wrap_write(int file, const void *bytes, size_t count)
{
    struct iovec piece = piece_of(bytes, count);
    return is_seen(file) ? __wrap_writev(file, &piece, 1) : __real_write(file, bytes, count);
}

ssize_t
__wrap_writev(int file, const struct iovec *pieces, int count)
{
    if (!is_seen(file)) {
        return __real_writev(file, pieces, count);
    }
    off_t offset = lseek(file, 0, SEEK_CUR);
    ssize_t put = __real_writev(file, pieces, count);
    ASSERT(offset >= 0 && count >= 0 && count <= IO_SEND_PIECES_MAX);
    struct iovec written[IO_SEND_PIECES_MAX];
    size_t left = put > 0 ? (size_t)put : 0;
    unsigned used = 0;
    while (left > 0) {
        written[used] = pieces[used];
        written[used].iov_len = left < pieces[used].iov_len ? left : pieces[used].iov_len;
        left -= written[used].iov_len;
        used++;
    }
    if (used > 0) {
        record_write(file, written, used, (uint64_t)offset);
    }
    return put;
}

int
__wrap_ftruncate(int file, off_t bytes)
{
    int result = __real_ftruncate(file, bytes);
    if (result == 0 && is_seen(file)) {
        record(ENTRY_TRUNCATE, file, (uint64_t)bytes);
    }
    return result;
}

int
__wrap_fallocate(int file, int mode, off_t offset, off_t bytes)
{
    int result = __real_fallocate(file, mode, offset, bytes);
    if (result == 0 && is_seen(file)) {
        ASSERT(mode == 0);
        record(ENTRY_ALLOCATE, file, (uint64_t)(offset + bytes));
    }
    return result;
}

static int
sync_with(int (*sync)(int), int file)
{
    if (!is_seen(file)) {
        return sync(file);
    }
    uint64_t begun = now();
    int result = sync(file);
    if (result == 0) {
        record(ENTRY_SYNC, file, begun);
    }
    return result;
}

int
__wrap_fdatasync(int file)
{
    return sync_with(__real_fdatasync, file);
}

int
__wrap_fsync(int file)
{
    return sync_with(__real_fsync, file);
}

/* ------------------------------------------------------------------------ appends */

/* Under the lock. The op's place, or a free one. */
static struct append *
append_of(const struct io_op *op)
{
    struct append *free_one = NULL;
    for (unsigned i = 0; i < APPENDS_MAX; i++) {
        if (appends[i].op == op) {
            return &appends[i];
        }
        if (free_one == NULL && appends[i].op == NULL) {
            free_one = &appends[i];
        }
    }
    ASSERT(free_one != NULL);
    return free_one;
}

void
__wrap_uring_write_sync(struct io *io, struct io_op *op, io_file file, const struct iovec *pieces,
                        unsigned count, uint64_t offset)
{
    ASSERT(is_seen(file)); /* whatever is appended to durably lies in the data directory */
    enter();
    struct append *append = append_of(op);
    *append = (struct append){.op = op, .file = file, .offset = offset, .begun = length};
    for (unsigned i = 0; i < count; i++) {
        append->bytes += pieces[i].iov_len;
    }
    add(ENTRY_WRITE, file, offset, pieces, count);
    leave();
    __real_uring_write_sync(io, op, file, pieces, count, offset);
}

void
__wrap_uring_write_sync_complete(struct uring *uring, struct io_op *op, int32_t result)
{
    enter();
    struct append *append = append_of(op);
    ASSERT(append->op == op);
    if (result > 0) {
        ASSERT((uint64_t)result <= append->bytes);
        add_number(ENTRY_APPEND, append->file, append->offset, (uint64_t)result);
        append->offset += (uint64_t)result;
        append->bytes -= (uint64_t)result;
    } else if (result == 0 && append->bytes == 0) {
        add(ENTRY_SYNC, append->file, append->begun, NULL, 0);
    }
    bool over = append->bytes == 0 || (result < 0 && result != -EINTR);
    if (over) {
        append->op = NULL;
    }
    leave();
    __real_uring_write_sync_complete(uring, op, result);
}
