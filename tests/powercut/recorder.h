/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.h - a linnetd that writes down, as it goes, what it asks of its disk and what the disk
 * has confirmed.
 *
 * linnetd_recorded is linnetd's own objects, linked with --wrap around the file calls that
 * posix_file.c and LMDB make and around the ring's durable append. Each goes through to the kernel
 * as ever, syncs too; beside that an entry is added to a journal outside the data directory. A
 * SIGKILL at any instant leaves the journal with everything that had been confirmed to the node by
 * then, and so disk.py can tell what a power cut at that instant would have left.
 *
 *     LINNET_POWERCUT_DATA=/abs/data LINNET_POWERCUT_JOURNAL=/abs/journal \
 *         linnetd_recorded --data /abs/data ...
 *
 * The order in which entries are added is what makes it sound:
 * - a write is added once it has returned, so nothing is in the journal that was not written (an
 *   append through the ring is added when it is handed over, since the disk may get any part of it
 *   from then on);
 * - a sync is added after it has returned and before its caller goes on, with the journal's length
 *   from before it began: what was written later may still be lost;
 * - an append is confirmed when its completion is seen, before anybody is told.
 *
 * What is not seen: bytes stored through a writable map. LMDB's lock file alone is one, and it
 * means nothing after a restart.
 */
#pragma once

#include "runtime/io/io.h"

#include <sys/types.h>
#include <sys/uio.h>

struct uring;

/* The linker's names: __wrap_x is what the program's calls of x reach, __real_x is x itself. */
int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int file);
ssize_t __wrap_pwrite(int file, const void *bytes, size_t count, off_t offset);
ssize_t __wrap_write(int file, const void *bytes, size_t count);
ssize_t __wrap_writev(int file, const struct iovec *pieces, int count);
int __wrap_ftruncate(int file, off_t bytes);
int __wrap_fallocate(int file, int mode, off_t offset, off_t bytes);
int __wrap_fdatasync(int file);
int __wrap_fsync(int file);
int __wrap_rename(const char *from, const char *to);
int __wrap_remove(const char *path);
int __wrap_mkdir(const char *path, mode_t mode);
void __wrap_uring_write_sync(struct io *io, struct io_op *op, io_file file,
                             const struct iovec *pieces, unsigned count, uint64_t offset);
void __wrap_uring_write_sync_complete(struct uring *uring, struct io_op *op, int32_t result);

int __real_open(const char *path, int flags, ...);
int __real_close(int file);
ssize_t __real_pwrite(int file, const void *bytes, size_t count, off_t offset);
ssize_t __real_write(int file, const void *bytes, size_t count);
ssize_t __real_writev(int file, const struct iovec *pieces, int count);
int __real_ftruncate(int file, off_t bytes);
int __real_fallocate(int file, int mode, off_t offset, off_t bytes);
int __real_fdatasync(int file);
int __real_fsync(int file);
int __real_rename(const char *from, const char *to);
int __real_remove(const char *path);
int __real_mkdir(const char *path, mode_t mode);
void __real_uring_write_sync(struct io *io, struct io_op *op, io_file file,
                             const struct iovec *pieces, unsigned count, uint64_t offset);
void __real_uring_write_sync_complete(struct uring *uring, struct io_op *op, int32_t result);
