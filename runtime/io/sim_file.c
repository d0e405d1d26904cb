/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_file.h"

#include "runtime/io/posix_file.h"
#include "runtime/io/sim_names.h"
#include "runtime/io/sim_request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    FILES_ROOM_FIRST = 16,
    FILE_MODE = 0600,
};

struct sim_file {
    struct sim_inode *inode;
    int flags;
};

/* -------------------------------------------------------------------------------------- handles */

static struct sim_file *
file_of(struct io_driver *driver, io_file file)
{
    struct sim_disk *disk = sim_of(driver)->disk;
    return file >= 0 && (size_t)file < disk->files_room ? disk->files[file] : NULL;
}

/* The file when it is open for what `flags` say, else NULL. */
static struct sim_inode *
inode_of(struct io_driver *driver, io_file handle, int flags)
{
    struct sim_file *file = file_of(driver, handle);
    return file && (file->flags & flags) == flags ? file->inode : NULL;
}

/* That what is read or written keeps to what IO_OPEN_DIRECT asks for. */
static void
check_direct(struct io_driver *driver, io_file handle, const struct iovec *piece, uint64_t offset)
{
    struct sim_file *file = file_of(driver, handle);
    bool direct = file && (file->flags & IO_OPEN_DIRECT) != 0;
    ASSERT(!direct || (piece->iov_len % IO_DIRECT_BYTES == 0 && offset % IO_DIRECT_BYTES == 0 &&
                       (uintptr_t)piece->iov_base % IO_DIRECT_BYTES == 0));
}

static io_file
file_give(struct sim_disk *disk, struct sim_file *file)
{
    size_t at = 0;
    while (at < disk->files_room && disk->files[at]) {
        at++;
    }
    if (at == disk->files_room) {
        size_t room = disk->files_room * 2 + FILES_ROOM_FIRST;
        disk->files = sim_resize(disk->files, room, sizeof(struct sim_file *));
        for (size_t i = at; i < room; i++) {
            disk->files[i] = NULL;
        }
        disk->files_room = room;
    }
    disk->files[at] = file;
    return (io_file)at;
}

/* Creates the file when it is missing and that was asked. */
static int
file_create(struct sim_disk *disk, const char *path, int flags)
{
    struct stat status;
    bool exists = fstatat(disk->root_fd, path, &status, 0) == 0;
    if (exists) {
        return (flags & IO_OPEN_EXCLUSIVE) != 0 ? -EEXIST : 0;
    }
    if (errno != ENOENT || (flags & IO_OPEN_CREATE) == 0) {
        return -errno;
    }
    sim_happen(disk->sim, SIM_EVENT_NAMES, 0);
    int descriptor = openat(disk->root_fd, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (descriptor < 0) {
        return -errno;
    }
    posix_file_close(descriptor);
    sim_names_created(disk, path);
    return 0;
}

int
sim_file_open(struct io_driver *driver, const char *path, int flags, io_file *out)
{
    struct sim_disk *disk = sim_of(driver)->disk;
    char below[SIM_PATH_MAX];
    struct sim_inode *inode = NULL;
    bool asked = (flags & (IO_OPEN_READ | IO_OPEN_WRITE)) != 0;
    if (!asked || ((flags & IO_OPEN_EXCLUSIVE) != 0 && (flags & IO_OPEN_CREATE) == 0)) {
        return -EINVAL;
    }
    int error = sim_disk_path(disk, path, below);
    if (error == 0) {
        error = file_create(disk, below, flags);
    }
    if (error == 0) {
        error = sim_inode_get(disk, below, &inode);
    }
    if (error < 0) {
        return error;
    }
    struct sim_file *file = sim_memory(sizeof(*file));
    *file = (struct sim_file){.inode = inode, .flags = flags};
    *out = file_give(disk, file);
    return 0;
}

static void
file_close(struct sim_disk *disk, io_file handle)
{
    struct sim_file *file = disk->files[handle];
    if (file->inode->locker == file) {
        file->inode->locker = NULL;
    }
    sim_inode_put(file->inode);
    disk->files[handle] = NULL;
    free(file);
}

void
sim_file_close(struct io_driver *driver, io_file handle)
{
    ASSERT(file_of(driver, handle) != NULL);
    file_close(sim_of(driver)->disk, handle);
}

void
sim_file_close_all(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->files_room; i++) {
        if (disk->files[i]) {
            file_close(disk, (io_file)i);
        }
    }
    free(disk->files);
    disk->files = NULL;
    disk->files_room = 0;
}

ssize_t
sim_file_read(struct io_driver *driver, io_file file, void *out, size_t bytes, uint64_t offset)
{
    struct sim *sim = sim_of(driver);
    struct sim_inode *inode = inode_of(driver, file, IO_OPEN_READ);
    if (inode && sim_fault(sim, sim->options.faults.read_error_one_in, &sim->struck.read_errors)) {
        return -EIO;
    }
    check_direct(driver, file, &(struct iovec){.iov_base = out, .iov_len = bytes}, offset);
    return inode ? posix_file_read(inode->fd, out, bytes, offset) : -EBADF;
}

int
sim_file_write(struct io_driver *driver, io_file file, const void *in, size_t bytes,
               uint64_t offset)
{
    struct sim_inode *inode = inode_of(driver, file, IO_OPEN_WRITE);
    if (!inode) {
        return -EBADF;
    }
    struct iovec piece = {.iov_base = (void *)(uintptr_t)in, .iov_len = bytes};
    size_t written = 0;
    check_direct(driver, file, &piece, offset);
    sim_note_bytes(sim_of(driver), in, bytes);
    return sim_disk_write(inode, &piece, 1, offset, &written);
}

int
sim_file_sync(struct io_driver *driver, io_file file)
{
    struct sim_inode *inode = inode_of(driver, file, 0);
    return inode ? sim_disk_sync(inode) : -EBADF;
}

int
sim_file_size(struct io_driver *driver, io_file file, uint64_t *out_bytes)
{
    struct sim_inode *inode = inode_of(driver, file, 0);
    if (!inode) {
        return -EBADF;
    }
    *out_bytes = inode->size_bytes;
    return 0;
}

int
sim_file_truncate(struct io_driver *driver, io_file file, uint64_t bytes)
{
    struct sim_inode *inode = inode_of(driver, file, IO_OPEN_WRITE);
    return inode ? sim_disk_resize(inode, bytes) : -EBADF;
}

/* The real file stays sparse: the space is reserved in the count of the simulated disk. */
int
sim_file_allocate(struct io_driver *driver, io_file file, uint64_t bytes)
{
    struct sim_inode *inode = inode_of(driver, file, IO_OPEN_WRITE);
    if (!inode) {
        return -EBADF;
    }
    return bytes > inode->size_bytes ? sim_disk_resize(inode, bytes) : 0;
}

int
sim_file_lock(struct io_driver *driver, io_file handle)
{
    struct sim_file *file = file_of(driver, handle);
    if (!file) {
        return -EBADF;
    }
    if (file->inode->locker && file->inode->locker != file) {
        return -EWOULDBLOCK;
    }
    file->inode->locker = file;
    return 0;
}

/* ----------------------------------------------------------------------------- through the ring */

static void
write_sync_end(struct sim_request *request, int32_t result)
{
    sim_inode_put(request->inode);
    request->inode = NULL;
    sim_request_finish(request, result);
}

static void
sync_fire(void *context)
{
    struct sim_request *request = sim_request_fired(context);
    ASSERT(request != NULL);
    request->loop->stats.file_syncs++;
    write_sync_end(request, sim_disk_sync(request->inode));
}

static void
write_fire(void *context)
{
    struct sim_request *request = sim_request_fired(context);
    ASSERT(request != NULL);
    struct sim *sim = sim_of(request->loop->io.driver);
    if (!request->inode) {
        sim_request_finish(request, -EBADF);
        return;
    }
    if (request->cancelled && sim_chance_one_in(&sim->disk_chance, 2)) {
        write_sync_end(request, -ECANCELED);
        return;
    }
    for (unsigned i = 0; i < request->count; i++) {
        sim_note_bytes(sim, request->pieces[i].iov_base, request->pieces[i].iov_len);
    }
    size_t written = 0;
    int error =
        sim_disk_write(request->inode, request->pieces, request->count, request->offset, &written);
    request->loop->stats.file_bytes += written;
    if (error < 0) {
        write_sync_end(request, error);
        return;
    }
    sim_request_later(request, sim_disk_delay_ns(sim), sync_fire);
}

/* Two entries of the agenda, so that the power can go between the write and the sync. */
void
sim_file_write_sync(struct io *io, struct io_op *op, io_file file, const struct iovec *pieces,
                    unsigned count, uint64_t offset)
{
    ASSERT(count <= IO_SEND_PIECES_MAX);
    uint64_t at = offset;
    for (unsigned i = 0; i < count; at += pieces[i].iov_len, i++) {
        check_direct(io->driver, file, &pieces[i], at);
    }
    struct sim_request *request = sim_request_new(io, op, SIM_WRITE_SYNC, NULL);
    request->inode = inode_of(io->driver, file, IO_OPEN_WRITE);
    request->pieces = pieces;
    request->count = count;
    request->offset = offset;
    if (request->inode) {
        request->inode->opens++;
    }
    sim_request_later(request, sim_disk_delay_ns(sim_of_io(io)), write_fire);
}
