/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h - an io_driver for tests of files alone: the real file calls, no loops, chance from a
 * seed, and a call that fails when a test says so.
 *
 *     struct disk disk;
 *     disk_init(&disk, "scratch");              an empty folder of that name
 *     disk_fail(&disk, 3, -ENOSPC);             the third call from now on fails, once
 */
#pragma once
#include "runtime/io/io_priv.h"
#include "tests/store/chance.h"

struct disk {
    struct io_driver driver;
    struct io io;
    struct io *ios[1];
    struct chance chance;
    const char *folder;
    unsigned calls; /* that change something, so far */
    unsigned fail_at;
    int fail_error;
};

/* Empties the folder, or makes it. */
void disk_init(struct disk *disk, const char *folder);

/* The n-th call (1: the next) that changes something fails with this error. 0: none does. */
void disk_fail(struct disk *disk, unsigned n, int error);

/* Whole files by name within the folder. The bytes are the caller's to free. */
unsigned char *disk_read(struct disk *disk, const char *name, size_t *out_bytes);
void disk_write(struct disk *disk, const char *name, const void *bytes, size_t count);
/* Changes a part of an existing file. */
void disk_patch(struct disk *disk, const char *name, uint64_t offset, const void *bytes,
                size_t count);
bool disk_has(struct disk *disk, const char *name);
