/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_disk.h"

#include "runtime/io/posix_file.h"
#include "runtime/io/sim_file.h"
#include "runtime/io/sim_foreign.h"
#include "runtime/io/sim_names.h"
#include "runtime/io/sim_tree.h"
#include "runtime/io/sim_work.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DIRECTORY_MODE = 0700,
    FULL_PATH_MAX = 900, /* two of them fit a small stack frame */
    DELAY_NS_MAX_DEFAULT = 1000 * 1000,
};
/* What a disk without a limit says it has left. */
static const uint64_t FREE_BYTES_DEFAULT = (uint64_t)1 << 40;
static const uint64_t SLOW_NS_MAX_DEFAULT = 500000000;

/* The one static of the driver: a library's wrapped calls bring no driver along. */
static struct sim_disk *active;

struct sim_disk *
sim_disk_active(void)
{
    return active;
}

/* ---------------------------------------------------------------------------------------- paths */

/* Appends the components of `text`; . and .. are taken by their letter, for there are no links in a
 * data directory. */
static int
path_append(char full[FULL_PATH_MAX], const char *text)
{
    size_t bytes = strlen(full);
    while (*text) {
        size_t part = strcspn(text, "/");
        if (part == 2 && text[0] == '.' && text[1] == '.') {
            while (bytes > 0 && full[bytes - 1] != '/') {
                bytes--;
            }
            bytes = bytes > 0 ? bytes - 1 : 0;
        } else if (part > 0 && !(part == 1 && text[0] == '.')) {
            if (bytes + part + 2 > FULL_PATH_MAX) {
                return -ENAMETOOLONG;
            }
            full[bytes++] = '/';
            memcpy(full + bytes, text, part);
            bytes += part;
        }
        full[bytes] = '\0';
        text += part + (text[part] == '/');
    }
    return 0;
}

static int
path_full(const char *path, char full[FULL_PATH_MAX])
{
    int error = 0;
    full[0] = '\0';
    if (path[0] != '/') {
        char *here = get_current_dir_name();
        error = here ? path_append(full, here) : -errno;
        free(here);
    }
    return error < 0 ? error : path_append(full, path);
}

int
sim_disk_path(const struct sim_disk *disk, const char *path, char out[SIM_PATH_MAX])
{
    char full[FULL_PATH_MAX];
    if (!disk->root) {
        return -EACCES;
    }
    int error = path_full(path, full);
    if (error < 0) {
        return error;
    }
    size_t root = strlen(disk->root);
    if (strncmp(full, disk->root, root) != 0 || (full[root] != '/' && full[root] != '\0')) {
        return -EACCES;
    }
    const char *below = full[root] == '/' ? full + root + 1 : full + root;
    if (strlen(below) >= SIM_PATH_MAX) {
        return -ENAMETOOLONG;
    }
    memcpy(out, below, strlen(below) + 1);
    return 0;
}

/* ----------------------------------------------------------------------------------------- life */

/* Removes the trash, if there is any. */
static int
disk_empty_trash(const struct sim_disk *disk)
{
    char trash[FULL_PATH_MAX + sizeof(SIM_TRASH)];
    (void)snprintf(trash, sizeof(trash), "%s/" SIM_TRASH, disk->root);
    return sim_tree_remove(trash);
}

static int
disk_open_root(struct sim_disk *disk, const char *root)
{
    char full[FULL_PATH_MAX];
    int error = path_full(root, full);
    if (error < 0) {
        return error;
    }
    disk->root = strdup(full);
    ASSERT(disk->root != NULL);
    error = posix_file_make_directory(full);
    if (error < 0) {
        return error;
    }
    disk->root_fd = openat(AT_FDCWD, full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (disk->root_fd < 0) {
        return -errno;
    }
    error = disk_empty_trash(disk); /* of a simulation that was killed */
    return error < 0 ? error : sim_tree_bytes(disk->root, &disk->used_bytes);
}

static void
disk_free(struct sim_disk *disk)
{
    if (disk->root_fd >= 0) {
        posix_file_close(disk->root_fd);
    }
    free(disk->root);
    free(disk);
}

int
sim_disk_open(struct sim *sim, const char *root, struct sim_disk **out)
{
    struct sim_disk *disk = sim_memory(sizeof(*disk));
    disk->sim = sim;
    disk->root_fd = -1;
    disk->lost_from = IO_NEVER;
    int error = root && active ? -EBUSY : 0;
    if (root && error == 0) {
        error = disk_open_root(disk, root);
    }
    if (error < 0) {
        disk_free(disk);
        return error;
    }
    active = root ? disk : active;
    *out = disk;
    return 0;
}

void
sim_disk_close(struct sim_disk *disk)
{
    sim_file_close_all(disk);
    sim_foreign_free(disk);
    bool crashed = disk->lost_from != IO_NEVER;
    for (struct sim_inode *at = disk->inodes; crashed && at; at = at->next) {
        sim_inode_roll_back(at);
    }
    if (crashed) {
        sim_names_roll_back(disk);
    }
    while (disk->inodes) {
        sim_inode_free(disk->inodes);
    }
    sim_names_forget(disk);
    int error = disk->root ? disk_empty_trash(disk) : 0;
    ASSERT(error == 0);
    active = active == disk ? NULL : active;
    disk_free(disk);
}

void
sim_disk_lose_power(struct sim_disk *disk)
{
    disk->lost_from = disk->changes;
}

/* ----------------------------------------------------------------------------------------- data */

uint64_t
sim_disk_delay_ns(struct sim *sim)
{
    uint64_t max_ns = sim->options.disk_delay_ns_max ? sim->options.disk_delay_ns_max
                                                     : (uint64_t)DELAY_NS_MAX_DEFAULT;
    uint64_t delay_ns = 1 + sim_chance_below(&sim->disk_chance, max_ns);
    const struct sim_faults *faults = &sim->options.faults;
    if (sim_fault(sim, faults->slow_one_in, &sim->struck.slow)) {
        delay_ns += sim_fault_delay_ns(sim, faults->slow_ns_max, SLOW_NS_MAX_DEFAULT);
    }
    return delay_ns;
}

uint64_t
sim_disk_free(const struct sim_disk *disk)
{
    uint64_t max = disk->sim->options.disk_bytes_max;
    if (max == 0) {
        return FREE_BYTES_DEFAULT;
    }
    return disk->used_bytes < max ? max - disk->used_bytes : 0;
}

bool
sim_disk_settles(const struct sim_disk *disk)
{
    return !disk->sim->crashed && !disk->sim->options.drop_syncs;
}

/* Only what makes the file larger can meet it. */
static bool
disk_is_full(const struct sim_inode *inode, uint64_t bytes)
{
    struct sim *sim = inode->disk->sim;
    return bytes > inode->size_bytes &&
           sim_fault(sim, sim->options.faults.full_one_in, &sim->struck.full);
}

int
sim_disk_write(struct sim_inode *inode, const struct iovec *pieces, unsigned count, uint64_t offset,
               size_t *out_written)
{
    struct sim *sim = inode->disk->sim;
    sim_happen(sim, SIM_EVENT_FILE_WRITE, offset);
    sim_work_charge(sim, sim_disk_delay_ns(sim));
    *out_written = 0;
    if (disk_is_full(inode, offset + sim_pieces_bytes(pieces, count))) {
        return -ENOSPC;
    }
    /* A write that fails may have got as far as anywhere. */
    bool fails = sim_fault(sim, sim->options.faults.write_error_one_in, &sim->struck.write_errors);
    if (fails) {
        count = (unsigned)sim_chance_below(&sim->fault_chance, count + 1);
    }
    int error = sim_inode_write(inode, pieces, count, offset, out_written);
    sim_note(sim, *out_written);
    if (fails) {
        *out_written = 0;
        return -EIO;
    }
    return error;
}

int
sim_disk_resize(struct sim_inode *inode, uint64_t bytes)
{
    struct sim *sim = inode->disk->sim;
    sim_happen(sim, SIM_EVENT_FILE_RESIZE, bytes);
    sim_work_charge(sim, sim_disk_delay_ns(sim));
    return disk_is_full(inode, bytes) ? -ENOSPC : sim_inode_resize(inode, bytes);
}

/* The power may go before the sync; after it all is settled. */
int
sim_disk_sync(struct sim_inode *inode)
{
    struct sim *sim = inode->disk->sim;
    sim_happen(sim, SIM_EVENT_FILE_SYNC, inode->size_bytes);
    sim_work_charge(sim, sim_disk_delay_ns(sim));
    if (sim_fault(sim, sim->options.faults.sync_error_one_in, &sim->struck.sync_errors)) {
        return -EIO;
    }
    if (sim_disk_settles(inode->disk)) {
        sim_inode_settle(inode);
    }
    return 0;
}

/* ---------------------------------------------------------------------------------------- names */

int
sim_disk_rename(struct io_driver *driver, const char *from, const char *to)
{
    struct sim_disk *disk = sim_of(driver)->disk;
    char below_from[SIM_PATH_MAX], below_to[SIM_PATH_MAX];
    int error = sim_disk_path(disk, from, below_from);
    if (error == 0) {
        error = sim_disk_path(disk, to, below_to);
    }
    if (error < 0) {
        return error;
    }
    sim_happen(disk->sim, SIM_EVENT_NAMES, 1);
    return sim_names_rename(disk, below_from, below_to);
}

int
sim_disk_remove(struct io_driver *driver, const char *path)
{
    struct sim_disk *disk = sim_of(driver)->disk;
    char below[SIM_PATH_MAX];
    int error = sim_disk_path(disk, path, below);
    if (error < 0) {
        return error;
    }
    sim_happen(disk->sim, SIM_EVENT_NAMES, 2);
    return sim_names_remove(disk, below);
}

int
sim_disk_make_directory(struct io_driver *driver, const char *path)
{
    struct sim_disk *disk = sim_of(driver)->disk;
    char below[SIM_PATH_MAX];
    struct stat status;
    int error = sim_disk_path(disk, path, below);
    if (error < 0) {
        return error;
    }
    sim_happen(disk->sim, SIM_EVENT_NAMES, 3);
    if (*below == '\0') {
        return 0;
    }
    if (mkdirat(disk->root_fd, below, DIRECTORY_MODE) == 0) {
        sim_names_made_directory(disk, below);
        return 0;
    }
    if (errno != EEXIST || fstatat(disk->root_fd, below, &status, 0) < 0) {
        return -errno;
    }
    return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
}

int
sim_disk_sync_directory(struct io_driver *driver, const char *path)
{
    struct sim_disk *disk = sim_of(driver)->disk;
    char below[SIM_PATH_MAX];
    struct stat status;
    int error = sim_disk_path(disk, path, below);
    if (error < 0) {
        return error;
    }
    if (*below && fstatat(disk->root_fd, below, &status, 0) < 0) {
        return -errno;
    }
    if (*below && !S_ISDIR(status.st_mode)) {
        return -ENOTDIR;
    }
    sim_happen(disk->sim, SIM_EVENT_NAMES_SYNC, 0);
    sim_work_charge(disk->sim, sim_disk_delay_ns(disk->sim));
    if (sim_disk_settles(disk)) {
        sim_names_sync(disk, below);
    }
    return 0;
}

struct listing {
    int (*each)(void *context, const char *name);
    void *context;
    bool root;
};

static int
listing_each(void *context, const char *name)
{
    const struct listing *listing = context;
    bool hidden = listing->root && strcmp(name, SIM_TRASH) == 0;
    return hidden ? 0 : listing->each(listing->context, name);
}

int
sim_disk_list_directory(struct io_driver *driver, const char *path,
                        int (*each)(void *context, const char *name), void *context)
{
    struct sim_disk *disk = sim_of(driver)->disk;
    char below[SIM_PATH_MAX];
    int error = sim_disk_path(disk, path, below);
    if (error < 0) {
        return error;
    }
    struct listing listing = {.each = each, .context = context, .root = *below == '\0'};
    return posix_file_list_directory(path, listing_each, &listing);
}

int
sim_disk_free_bytes(struct io_driver *driver, const char *path, uint64_t *out_bytes)
{
    struct sim_disk *disk = sim_of(driver)->disk;
    char below[SIM_PATH_MAX];
    int error = sim_disk_path(disk, path, below);
    if (error < 0) {
        return error;
    }
    *out_bytes = sim_disk_free(disk);
    return 0;
}
