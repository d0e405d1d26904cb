/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_foreign.h"

#include "runtime/io/sim_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOREIGN_ROOM_FIRST = 64 };

struct sim_foreign {
    struct sim_inode *inode; /* NULL: not one of these */
    bool durable;            /* opened with O_DSYNC or O_SYNC */
};

static int
fail(int error)
{
    errno = -error;
    return -1;
}

static struct sim_foreign *
foreign_of(int descriptor)
{
    struct sim_disk *disk = sim_disk_active();
    if (!disk || descriptor < 0 || (size_t)descriptor >= disk->foreign_room) {
        return NULL;
    }
    struct sim_foreign *foreign = &disk->foreign[descriptor];
    return foreign->inode ? foreign : NULL;
}

bool
sim_foreign_covers(const char *path)
{
    char below[SIM_PATH_MAX];
    struct sim_disk *disk = sim_disk_active();
    return disk && sim_disk_path(disk, path, below) == 0;
}

bool
sim_foreign_owns(int descriptor)
{
    return foreign_of(descriptor) != NULL;
}

static void
foreign_add(struct sim_disk *disk, int descriptor, struct sim_inode *inode, bool durable)
{
    if ((size_t)descriptor >= disk->foreign_room) {
        size_t room = (size_t)descriptor * 2 + FOREIGN_ROOM_FIRST;
        disk->foreign = sim_resize(disk->foreign, room, sizeof(*disk->foreign));
        for (size_t i = disk->foreign_room; i < room; i++) {
            disk->foreign[i] = (struct sim_foreign){0};
        }
        disk->foreign_room = room;
    }
    ASSERT(disk->foreign[descriptor].inode == NULL);
    disk->foreign[descriptor] = (struct sim_foreign){.inode = inode, .durable = durable};
}

/* The sync flags stay away from the real descriptor: what they promise is kept here, and the real
 * disk can rest. */
int
sim_foreign_open(const char *path, int flags, mode_t mode)
{
    char below[SIM_PATH_MAX];
    struct sim_disk *disk = sim_disk_active();
    struct sim_inode *inode = NULL;
    struct stat status;
    int error = sim_disk_path(disk, path, below);
    if (error < 0) {
        return fail(error);
    }
    bool missing = fstatat(disk->root_fd, below, &status, 0) < 0;
    int descriptor =
        openat(disk->root_fd, *below ? below : ".", flags & ~(O_SYNC | O_DSYNC | O_TRUNC), mode);
    if (descriptor < 0 || (!missing && !S_ISREG(status.st_mode))) {
        return descriptor;
    }
    error = sim_inode_get(disk, below, &inode);
    if (error == 0 && missing) {
        sim_names_created(disk, below);
        sim_happen(disk->sim, SIM_EVENT_NAMES, 0);
    }
    if (error == 0 && (flags & O_TRUNC) != 0) {
        error = sim_disk_resize(inode, 0);
    }
    if (error < 0) {
        sim_inode_put(inode);
        (void)close(descriptor);
        return fail(error);
    }
    foreign_add(disk, descriptor, inode, (flags & O_DSYNC) != 0);
    return descriptor;
}

ssize_t
sim_foreign_write(int descriptor, const struct iovec *pieces, int count, off_t offset)
{
    struct sim_foreign *foreign = foreign_of(descriptor);
    off_t at = offset < 0 ? lseek(descriptor, 0, SEEK_CUR) : offset;
    if (at < 0) {
        return -1;
    }
    size_t written = 0;
    int error = sim_disk_write(foreign->inode, pieces, (unsigned)count, (uint64_t)at, &written);
    if (error < 0 && written == 0) {
        return fail(error);
    }
    if (foreign->durable) {
        struct sim *sim = foreign->inode->disk->sim;
        sim_happen(sim, SIM_EVENT_FILE_SYNC, (uint64_t)at);
        if (sim_fault(sim, sim->options.faults.sync_error_one_in, &sim->struck.sync_errors)) {
            return fail(-EIO);
        }
        if (sim_disk_settles(foreign->inode->disk)) {
            sim_inode_settle_range(foreign->inode, (uint64_t)at, written);
        }
    }
    if (offset < 0 && lseek(descriptor, at + (off_t)written, SEEK_SET) < 0) {
        return -1;
    }
    return (ssize_t)written;
}

int
sim_foreign_truncate(int descriptor, off_t bytes)
{
    if (bytes < 0) {
        return fail(-EINVAL);
    }
    int error = sim_disk_resize(foreign_of(descriptor)->inode, (uint64_t)bytes);
    return error < 0 ? fail(error) : 0;
}

int
sim_foreign_sync(int descriptor)
{
    int error = sim_disk_sync(foreign_of(descriptor)->inode);
    return error < 0 ? fail(error) : 0;
}

void
sim_foreign_closing(int descriptor)
{
    struct sim_foreign *foreign = foreign_of(descriptor);
    if (foreign) {
        sim_inode_put(foreign->inode);
        foreign->inode = NULL;
    }
}

void
sim_foreign_free(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->foreign_room; i++) {
        sim_inode_put(disk->foreign[i].inode);
    }
    free(disk->foreign);
    disk->foreign = NULL;
    disk->foreign_room = 0;
}
