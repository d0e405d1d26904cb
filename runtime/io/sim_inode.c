/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_inode.h"

#include "runtime/io/posix_file.h"
#include "runtime/io/sim_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IMAGES_ROOM_FIRST = 16 };

/* ----------------------------------------------------------------------------------------- life */

struct sim_inode *
sim_inode_known(struct sim_disk *disk, const char *path)
{
    for (struct sim_inode *at = disk->inodes; at; at = at->next) {
        if (strcmp(at->path, path) == 0) {
            return at;
        }
    }
    return NULL;
}

static int
inode_open(struct sim_inode *inode)
{
    if (inode->fd < 0) {
        inode->fd = openat(inode->disk->root_fd, inode->path, O_RDWR | O_CLOEXEC);
    }
    return inode->fd < 0 ? -errno : 0;
}

static struct sim_inode *
inode_new(struct sim_disk *disk, const char *path)
{
    struct sim_inode *inode = sim_memory(sizeof(*inode));
    inode->disk = disk;
    inode->path = strdup(path);
    ASSERT(inode->path != NULL);
    inode->fd = -1;
    inode->previous = disk->inodes_last;
    if (disk->inodes_last) {
        disk->inodes_last->next = inode;
    } else {
        disk->inodes = inode;
    }
    disk->inodes_last = inode;
    return inode;
}

int
sim_inode_get(struct sim_disk *disk, const char *path, struct sim_inode **out)
{
    struct sim_inode *inode = sim_inode_known(disk, path);
    bool met = inode != NULL;
    if (!met) {
        inode = inode_new(disk, path);
    }
    int error = inode_open(inode);
    if (error == 0 && !met) {
        error = posix_file_size(inode->fd, &inode->size_bytes);
    }
    if (error < 0) {
        sim_inode_put(inode);
        return error;
    }
    inode->opens++;
    *out = inode;
    return 0;
}

void
sim_inode_free(struct sim_inode *inode)
{
    struct sim_disk *disk = inode->disk;
    if (inode->previous) {
        inode->previous->next = inode->next;
    } else {
        disk->inodes = inode->next;
    }
    if (inode->next) {
        inode->next->previous = inode->previous;
    } else {
        disk->inodes_last = inode->previous;
    }
    if (inode->fd >= 0) {
        posix_file_close(inode->fd);
    }
    free(inode->sectors);
    free(inode->resizes);
    free(inode->path);
    free(inode);
}

void
sim_inode_put(struct sim_inode *inode)
{
    if (!inode) {
        return;
    }
    if (inode->opens > 0) {
        inode->opens--;
    }
    if (inode->opens > 0) {
        return;
    }
    if (inode->sectors_count == 0 && inode->resizes_count == 0) {
        sim_inode_free(inode);
    } else if (inode->fd >= 0) {
        posix_file_close(inode->fd);
        inode->fd = -1;
    }
}

void
sim_inode_rename(struct sim_inode *inode, const char *path)
{
    free(inode->path);
    inode->path = strdup(path);
    ASSERT(inode->path != NULL);
}

/* -------------------------------------------------------------------------------- before-images */

/* Keeps what the sectors of a range hold now; past the file's end they hold zeros. */
static int
inode_remember(struct sim_inode *inode, uint64_t write, uint64_t offset, uint64_t bytes, bool cut)
{
    if (bytes == 0) {
        return 0;
    }
    uint64_t first = offset / SIM_SECTOR_BYTES;
    uint64_t count = (offset + bytes - 1) / SIM_SECTOR_BYTES - first + 1;
    unsigned char *images = sim_memory(count * SIM_SECTOR_BYTES);
    ssize_t got =
        posix_file_read(inode->fd, images, count * SIM_SECTOR_BYTES, first * SIM_SECTOR_BYTES);
    if (got < 0) {
        free(images);
        return (int)got;
    }
    size_t needed = inode->sectors_count + count;
    if (needed > inode->sectors_room) {
        inode->sectors_room = needed * 2 + IMAGES_ROOM_FIRST;
        inode->sectors = sim_resize(inode->sectors, inode->sectors_room, sizeof(*inode->sectors));
    }
    for (uint64_t i = 0; i < count; i++) {
        struct sim_sector *sector = &inode->sectors[inode->sectors_count++];
        *sector = (struct sim_sector){.sector = first + i, .write = write, .cut = cut};
        memcpy(sector->before, images + i * SIM_SECTOR_BYTES, SIM_SECTOR_BYTES);
    }
    free(images);
    return 0;
}

static void
inode_size_changes(struct sim_inode *inode, uint64_t write, uint64_t bytes)
{
    if (bytes == inode->size_bytes) {
        return;
    }
    if (inode->resizes_count == inode->resizes_room) {
        inode->resizes_room = inode->resizes_room * 2 + IMAGES_ROOM_FIRST;
        inode->resizes = sim_resize(inode->resizes, inode->resizes_room, sizeof(*inode->resizes));
    }
    inode->resizes[inode->resizes_count++] = (struct sim_resize){
        .write = write,
        .before_bytes = inode->size_bytes,
        .after_bytes = bytes,
    };
    inode->disk->used_bytes += bytes - inode->size_bytes;
    inode->size_bytes = bytes;
}

/* How much of a write the disk has room for. */
static size_t
inode_fits(const struct sim_inode *inode, uint64_t offset, size_t bytes)
{
    uint64_t free_bytes = sim_disk_free(inode->disk);
    uint64_t end_max =
        free_bytes > IO_NEVER - inode->size_bytes ? IO_NEVER : inode->size_bytes + free_bytes;
    if (offset >= end_max) {
        return 0;
    }
    return bytes < end_max - offset ? bytes : (size_t)(end_max - offset);
}

int
sim_inode_write(struct sim_inode *inode, const struct iovec *pieces, unsigned count,
                uint64_t offset, size_t *out_written)
{
    size_t asked = 0;
    for (unsigned i = 0; i < count; i++) {
        asked += pieces[i].iov_len;
    }
    *out_written = 0;
    size_t bytes = inode_fits(inode, offset, asked);
    uint64_t write = inode->disk->changes++;
    int error = inode_remember(inode, write, offset, bytes, false);
    for (size_t left = bytes; left > 0 && error == 0; pieces++) {
        size_t take = pieces->iov_len < left ? pieces->iov_len : left;
        error = posix_file_write(inode->fd, pieces->iov_base, take, offset + (bytes - left));
        left -= take;
    }
    if (error < 0) {
        return error;
    }
    if (bytes > 0 && offset + bytes > inode->size_bytes) {
        inode_size_changes(inode, write, offset + bytes);
    }
    *out_written = bytes;
    return bytes < asked ? -ENOSPC : 0;
}

int
sim_inode_resize(struct sim_inode *inode, uint64_t bytes)
{
    uint64_t write = inode->disk->changes++;
    if (bytes > inode->size_bytes && bytes - inode->size_bytes > sim_disk_free(inode->disk)) {
        return -ENOSPC;
    }
    int error = 0;
    if (bytes < inode->size_bytes) {
        error = inode_remember(inode, write, bytes, inode->size_bytes - bytes, true);
    }
    if (error == 0) {
        error = posix_file_truncate(inode->fd, bytes);
    }
    if (error == 0) {
        inode_size_changes(inode, write, bytes);
    }
    return error;
}

/* ------------------------------------------------------------------------------------- settling */

void
sim_inode_settle(struct sim_inode *inode)
{
    inode->sectors_count = 0;
    inode->resizes_count = 0;
    free(inode->sectors);
    inode->sectors = NULL;
    inode->sectors_room = 0;
}

/* When the new size is needed to read the range back, the journal is committed: all changes of size
 * with it. */
void
sim_inode_settle_range(struct sim_inode *inode, uint64_t offset, uint64_t bytes)
{
    if (bytes == 0) {
        return;
    }
    uint64_t first = offset / SIM_SECTOR_BYTES, last = (offset + bytes - 1) / SIM_SECTOR_BYTES;
    bool sizes = inode->resizes_count > 0 && inode->resizes[0].before_bytes < offset + bytes;
    size_t kept = 0;
    for (size_t i = 0; i < inode->sectors_count; i++) {
        struct sim_sector *at = &inode->sectors[i];
        bool settled = (at->sector >= first && at->sector <= last) || (sizes && at->cut);
        if (!settled) {
            inode->sectors[kept++] = *at;
        }
    }
    inode->sectors_count = kept;
    if (sizes) {
        inode->resizes_count = 0;
    }
}

/* ------------------------------------------------------------------------------------ the crash */

enum fate {
    FATE_LOST,  /* nothing of what was unsynced */
    FATE_KEPT,  /* all of it */
    FATE_FIRST, /* the first writes, one of them torn */
    FATE_MIXED, /* each write by itself: lost, kept or torn */
    FATES,
};

struct verdict {
    struct sim_chance *chance;
    enum fate fate;
    uint64_t torn_write; /* FATE_FIRST: where the first writes end */
    uint64_t lost_from;  /* writes from this one on are lost in any case */
    uint64_t cut_until;  /* truncations before this write are kept, the others not */
    uint64_t size_bytes;
};

static bool
resize_kept(const struct verdict *verdict, const struct sim_resize *resize)
{
    if (resize->write >= verdict->lost_from) {
        return false;
    }
    switch (verdict->fate) {
    case FATE_LOST:
        return false;
    case FATE_KEPT:
        return true;
    case FATE_FIRST:
        return resize->write < verdict->torn_write ||
               (resize->write == verdict->torn_write && sim_chance_one_in(verdict->chance, 2));
    case FATE_MIXED:
    case FATES:
        break;
    }
    return !sim_chance_one_in(verdict->chance, 3);
}

/* Decides the size, and with it which truncations have happened. */
static void
verdict_size(struct verdict *verdict, const struct sim_inode *inode)
{
    size_t kept = 0;
    while (kept < inode->resizes_count && resize_kept(verdict, &inode->resizes[kept])) {
        kept++;
    }
    verdict->size_bytes = inode->size_bytes;
    verdict->cut_until = verdict->lost_from;
    if (kept == inode->resizes_count) {
        return;
    }
    verdict->size_bytes = inode->resizes[kept].before_bytes;
    verdict->cut_until = inode->resizes[kept].write;
    for (size_t i = kept; i < inode->resizes_count; i++) {
        const struct sim_resize *resize = &inode->resizes[i];
        if (resize->after_bytes < resize->before_bytes) {
            verdict->lost_from =
                resize->write < verdict->lost_from ? resize->write : verdict->lost_from;
            return;
        }
    }
}

/* Of one write: lost (0), kept (1) or torn (2). */
static uint64_t
write_fate(const struct verdict *verdict, uint64_t write)
{
    switch (verdict->fate) {
    case FATE_LOST:
        return 0;
    case FATE_KEPT:
        return 1;
    case FATE_FIRST:
        return write == verdict->torn_write ? 2 : write < verdict->torn_write;
    case FATE_MIXED:
    case FATES:
        break;
    }
    return sim_chance_below(verdict->chance, 3);
}

static void
verdict_sectors(const struct verdict *verdict, struct sim_inode *inode)
{
    uint64_t fate = 0;
    for (size_t i = 0; i < inode->sectors_count; i++) {
        struct sim_sector *at = &inode->sectors[i];
        if (i == 0 || at->write != inode->sectors[i - 1].write) {
            fate = write_fate(verdict, at->write);
        }
        at->kept = fate == 2 ? sim_chance_one_in(verdict->chance, 2) : fate == 1;
        if (at->write >= verdict->lost_from) {
            at->kept = false;
        } else if (at->cut) {
            at->kept = at->write < verdict->cut_until;
        }
    }
}

static int
sector_compare(const void *a, const void *b)
{
    const struct sim_sector *x = a, *y = b;
    if (x->sector != y->sector) {
        return x->sector < y->sector ? -1 : 1;
    }
    return x->write > y->write ? -1 : x->write < y->write;
}

/* A sector holds what its newest kept write left, which is what the next one found; without a kept
 * one, what the oldest found. */
static void
inode_restore(struct sim_inode *inode)
{
    if (inode->sectors_count > 0) { /* qsort may not be handed a NULL, even for nothing */
        qsort(inode->sectors, inode->sectors_count, sizeof(*inode->sectors), sector_compare);
    }
    for (size_t i = 0, next; i < inode->sectors_count; i = next) {
        const unsigned char *image = NULL;
        bool decided = false;
        uint64_t sector = inode->sectors[i].sector;
        for (next = i; next < inode->sectors_count && inode->sectors[next].sector == sector;
             next++) {
            decided = decided || inode->sectors[next].kept;
            image = decided ? image : inode->sectors[next].before;
        }
        if (image) {
            int error =
                posix_file_write(inode->fd, image, SIM_SECTOR_BYTES, sector * SIM_SECTOR_BYTES);
            ASSERT(error == 0);
        }
    }
}

void
sim_inode_roll_back(struct sim_inode *inode)
{
    if (inode->sectors_count == 0 && inode->resizes_count == 0) {
        return;
    }
    if (inode_open(inode) < 0) {
        return; /* removed for good */
    }
    struct sim_chance *chance = &inode->disk->sim->crash_chance;
    struct verdict verdict = {
        .chance = chance,
        .fate = (enum fate)sim_chance_below(chance, FATES),
        .lost_from = inode->disk->lost_from,
    };
    if (inode->sectors_count > 0) {
        verdict.torn_write = inode->sectors[sim_chance_below(chance, inode->sectors_count)].write;
    } else {
        verdict.torn_write = inode->resizes[sim_chance_below(chance, inode->resizes_count)].write;
    }
    verdict_size(&verdict, inode);
    verdict_sectors(&verdict, inode);
    inode_restore(inode);
    int error = posix_file_truncate(inode->fd, verdict.size_bytes);
    ASSERT(error == 0);
    sim_inode_settle(inode);
}
