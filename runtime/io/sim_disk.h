/* SPDX-License-Identifier: Apache-2.0 */
/* sim_disk.h - the simulated disk: real files below a root, and a memory of what was not synced.
 *
 * What becomes of a power cut is played when the driver closes, that is when everything of the dead
 * life has been torn down: until then the files must stay as that life believes them to be, for
 * LMDB has them mapped. From the crash on syncs settle nothing, and what is still written, created
 * or renamed is undone with certainty: the dead life goes on in a world that is forgotten. A driver
 * closed without a crash leaves all that was written, as a killed process does.
 *
 * Removed and replaced files wait in a hidden folder below the root until their directory is
 * synced.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/sim_inode.h"

enum { SIM_PATH_MAX = 512 }; /* below the root; ours are far shorter */
#define SIM_TRASH ".sim-trash"

struct sim_file;
struct sim_name_change;
struct sim_foreign;

struct sim_disk {
    struct sim *sim;
    char *root; /* absolute, without . and .. */
    int root_fd;
    uint64_t used_bytes;
    uint64_t changes;   /* of data and names ever made: the next one's number */
    uint64_t lost_from; /* changes from this one on came after the crash; IO_NEVER: no crash */
    struct sim_inode *inodes, *inodes_last;
    struct sim_name_change *names; /* [names_count], oldest first */
    size_t names_count, names_room;
    uint64_t trashed;        /* files ever put into the trash */
    struct sim_file **files; /* by handle; NULL: free */
    size_t files_room;
    struct sim_foreign *foreign; /* by descriptor */
    size_t foreign_room;
};

/* `root` is made when missing; NULL: a machine without a disk, every path is -EACCES. */
MUST_CHECK int sim_disk_open(struct sim *sim, const char *root, struct sim_disk **out);
/* Plays the crash if there was one, empties the trash, closes. */
void sim_disk_close(struct sim_disk *disk);
void sim_disk_lose_power(struct sim_disk *disk);
/* The disk of the open driver that has one, or NULL: a process simulates one machine at a time. */
struct sim_disk *sim_disk_active(void);

/* `path` as a path below the root ("" is the root): 0, -EACCES when it is outside,
 * -ENAMETOOLONG. */
MUST_CHECK int sim_disk_path(const struct sim_disk *disk, const char *path, char out[SIM_PATH_MAX]);
/* How long a write or a sync takes. */
uint64_t sim_disk_delay_ns(struct sim *sim);
/* Bytes a file may grow by. */
uint64_t sim_disk_free(const struct sim_disk *disk);
/* False when syncs do nothing: after the crash, and for the planted bug. */
bool sim_disk_settles(const struct sim_disk *disk);
/* A write, a change of size, a sync: each an event that takes time. */
MUST_CHECK int sim_disk_write(struct sim_inode *inode, const struct iovec *pieces, unsigned count,
                              uint64_t offset, size_t *out_written);
MUST_CHECK int sim_disk_resize(struct sim_inode *inode, uint64_t bytes);
LN_MUST_CHECK int sim_disk_sync(struct sim_inode *inode);

/* These stand in the table of io_priv.h. */
int sim_disk_rename(struct io_driver *driver, const char *from, const char *to);
int sim_disk_remove(struct io_driver *driver, const char *path);
int sim_disk_make_directory(struct io_driver *driver, const char *path);
int sim_disk_sync_directory(struct io_driver *driver, const char *path);
int sim_disk_list_directory(struct io_driver *driver, const char *path,
                            int (*each)(void *context, const char *name), void *context);
int sim_disk_free_bytes(struct io_driver *driver, const char *path, uint64_t *out_bytes);
