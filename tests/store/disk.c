/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/store/disk.h"

#include "runtime/io/posix_file.h"
#include "runtime/io/sim_tree.h"
#include "tests/spec.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct disk *
disk_of(struct io_driver *driver)
{
    return (struct disk *)((char *)driver - offsetof(struct disk, driver));
}

/* Counts a call that changes something: 0, or the error it is to fail with. */
static int
change(struct io_driver *driver)
{
    struct disk *disk = disk_of(driver);
    disk->calls++;
    return disk->calls == disk->fail_at ? disk->fail_error : 0;
}

static void
random_bytes(struct io *io, void *out, size_t bytes)
{
    unsigned char *at = out;
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (unsigned char)chance_next(&disk_of(io->driver)->chance);
    }
}

static int64_t
wall_ms(struct io *io)
{
    (void)io;
    return 1767225600000; /* 2026-01-01 */
}

static int
file_open(struct io_driver *driver, const char *path, int flags, io_file *out)
{
    int error = (flags & IO_OPEN_CREATE) != 0 ? change(driver) : 0;
    /* Through the page cache: a device would be waited for at each of many thousand reads. That
     * what goes past it is aligned is the simulated disk's to see. */
    return error < 0 ? error : posix_file_open(path, flags & ~IO_OPEN_DIRECT, out);
}

static void
file_close(struct io_driver *driver, io_file file)
{
    (void)driver;
    posix_file_close(file);
}

static ssize_t
file_read(struct io_driver *driver, io_file file, void *out, size_t bytes, uint64_t offset)
{
    (void)driver;
    return posix_file_read(file, out, bytes, offset);
}

static int
file_write(struct io_driver *driver, io_file file, const void *in, size_t bytes, uint64_t offset)
{
    int error = change(driver);
    return error < 0 ? error : posix_file_write(file, in, bytes, offset);
}

static int
file_sync(struct io_driver *driver, io_file file)
{
    (void)file; /* nothing cuts the power here: sim does that */
    return change(driver);
}

static int
file_size(struct io_driver *driver, io_file file, uint64_t *out_bytes)
{
    (void)driver;
    return posix_file_size(file, out_bytes);
}

static int
file_truncate(struct io_driver *driver, io_file file, uint64_t bytes)
{
    int error = change(driver);
    return error < 0 ? error : posix_file_truncate(file, bytes);
}

static int
file_allocate(struct io_driver *driver, io_file file, uint64_t bytes)
{
    int error = change(driver);
    uint64_t size = 0;
    if (error == 0) {
        error = posix_file_size(file, &size);
    }
    return error < 0 || size >= bytes ? error : posix_file_truncate(file, bytes);
}

static int
file_lock(struct io_driver *driver, io_file file)
{
    (void)driver;
    return posix_file_lock(file);
}

static int
file_rename(struct io_driver *driver, const char *from, const char *to)
{
    int error = change(driver);
    return error < 0 ? error : posix_file_rename(from, to);
}

static int
file_remove(struct io_driver *driver, const char *path)
{
    int error = change(driver);
    return error < 0 ? error : posix_file_remove(path);
}

static int
make_directory(struct io_driver *driver, const char *path)
{
    int error = change(driver);
    return error < 0 ? error : posix_file_make_directory(path);
}

static int
sync_directory(struct io_driver *driver, const char *path)
{
    (void)path;
    return change(driver);
}

static int
list_directory(struct io_driver *driver, const char *path,
               int (*each)(void *context, const char *name), void *context)
{
    (void)driver;
    return posix_file_list_directory(path, each, context);
}

static int
free_bytes(struct io_driver *driver, const char *path, uint64_t *out_bytes)
{
    (void)driver;
    return posix_file_free_bytes(path, out_bytes);
}

void
disk_init(struct disk *disk, const char *folder)
{
    static const struct io_ops ops = {
        .wall_ms = wall_ms,
        .random = random_bytes,
        .file_open = file_open,
        .file_close = file_close,
        .file_read = file_read,
        .file_write = file_write,
        .file_sync = file_sync,
        .file_size = file_size,
        .file_truncate = file_truncate,
        .file_allocate = file_allocate,
        .file_lock = file_lock,
        .rename = file_rename,
        .remove = file_remove,
        .make_directory = make_directory,
        .sync_directory = sync_directory,
        .list_directory = list_directory,
        .free_bytes = free_bytes,
    };
    *disk = (struct disk){.folder = folder, .chance = {1}};
    disk->driver = (struct io_driver){.ops = &ops, .loops = 1, .io = disk->ios};
    disk->io = (struct io){.ops = &ops, .driver = &disk->driver};
    disk->ios[0] = &disk->io;
    assert_int_equal(sim_tree_remove(folder), 0);
    assert_int_equal(posix_file_make_directory(folder), 0);
}

void
disk_fail(struct disk *disk, unsigned n, int error)
{
    disk->fail_at = n > 0 ? disk->calls + n : 0;
    disk->fail_error = error;
}

static void
disk_path(const struct disk *disk, const char *name, char out[512])
{
    assert_in_range(snprintf(out, 512, "%s/%s", disk->folder, name), 1, 511);
}

unsigned char *
disk_read(struct disk *disk, const char *name, size_t *out_bytes)
{
    char path[512];
    io_file file = -1;
    uint64_t bytes = 0;
    disk_path(disk, name, path);
    assert_int_equal(posix_file_open(path, IO_OPEN_READ, &file), 0);
    assert_int_equal(posix_file_size(file, &bytes), 0);
    unsigned char *memory = malloc((size_t)bytes + 1);
    assert_non_null(memory);
    assert_int_equal(posix_file_read(file, memory, (size_t)bytes, 0), bytes);
    posix_file_close(file);
    *out_bytes = (size_t)bytes;
    return memory;
}

void
disk_write(struct disk *disk, const char *name, const void *bytes, size_t count)
{
    char path[512];
    io_file file = -1;
    disk_path(disk, name, path);
    assert_int_equal(posix_file_open(path, IO_OPEN_WRITE | IO_OPEN_CREATE, &file), 0);
    assert_int_equal(posix_file_truncate(file, 0), 0);
    assert_int_equal(posix_file_write(file, bytes, count, 0), 0);
    posix_file_close(file);
}

void
disk_patch(struct disk *disk, const char *name, uint64_t offset, const void *bytes, size_t count)
{
    char path[512];
    io_file file = -1;
    disk_path(disk, name, path);
    assert_int_equal(posix_file_open(path, IO_OPEN_WRITE, &file), 0);
    assert_int_equal(posix_file_write(file, bytes, count, offset), 0);
    posix_file_close(file);
}

bool
disk_has(struct disk *disk, const char *name)
{
    char path[512];
    io_file file = -1;
    disk_path(disk, name, path);
    if (posix_file_open(path, IO_OPEN_READ, &file) != 0) {
        return false;
    }
    posix_file_close(file);
    return true;
}
