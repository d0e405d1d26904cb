/* SPDX-License-Identifier: Apache-2.0 */
/* sim_inode.h - one file of the simulated disk: its bytes are in a real file, here is what a crash
 * may take back.
 *
 * Each write leaves the before-images of the sectors it touches, and each change of size the size
 * before it, until a sync settles them. So the oldest image of a sector is what the disk surely
 * holds, and every later state of it is one that a crash may leave: the page cache may have been
 * written back at any moment, in any order, sector by sector. Sizes are kept by a journal: a crash
 * keeps the first few changes of size and undoes the rest. A truncation and the bytes it cut off
 * come back together, and what was written after it goes with it.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/sim_priv.h"

enum { SIM_SECTOR_BYTES = 512 }; /* what a disk writes whole or not at all */

struct sim_sector {
    uint64_t sector;
    uint64_t write; /* the number of the write it comes from */
    bool cut;       /* from a truncation: undone with it and kept with it */
    bool kept;      /* decided when the crash is played */
    unsigned char before[SIM_SECTOR_BYTES];
};

struct sim_resize {
    uint64_t write;
    uint64_t before_bytes, after_bytes;
};

struct sim_inode {
    struct sim_disk *disk;
    char *path;         /* below the root, where it is now, the trash included */
    int fd;             /* of the real file, for reading and writing; -1: closed */
    unsigned opens;     /* handles, descriptors and writes in flight */
    const void *locker; /* whoever holds io_file_lock, or NULL */
    uint64_t size_bytes;
    struct sim_sector *sectors; /* in the order of the writes */
    size_t sectors_count, sectors_room;
    struct sim_resize *resizes;
    size_t resizes_count, resizes_room;
    struct sim_inode *next, *previous; /* all of the disk, in the order they were first met */
};

/* The file at a path below the root, opened; it must exist. 0 or a negative errno. */
MUST_CHECK int sim_inode_get(struct sim_disk *disk, const char *path, struct sim_inode **out);
/* Forgets it when nobody has it open and nothing of it is unsynced. NULL is allowed. */
void sim_inode_put(struct sim_inode *inode);
/* The same as get without opening it: NULL when it is not known here. */
struct sim_inode *sim_inode_known(struct sim_disk *disk, const char *path);
void sim_inode_free(struct sim_inode *inode);
void sim_inode_rename(struct sim_inode *inode, const char *path);

/* Writes the pieces; on -ENOSPC what fitted is written. *out_written is set in any case. */
MUST_CHECK int sim_inode_write(struct sim_inode *inode, const struct iovec *pieces, unsigned count,
                               uint64_t offset, size_t *out_written);
MUST_CHECK int sim_inode_resize(struct sim_inode *inode, uint64_t bytes);

/* A sync has covered all of it; or a range, as a write through O_DSYNC does. */
void sim_inode_settle(struct sim_inode *inode);
void sim_inode_settle_range(struct sim_inode *inode, uint64_t offset, uint64_t bytes);

/* Leaves in the real file one of the states that a power cut may leave. */
void sim_inode_roll_back(struct sim_inode *inode);
