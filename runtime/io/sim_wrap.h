/* SPDX-License-Identifier: Apache-2.0 */
/* sim_wrap.h - lets the simulated disk see what a statically linked library writes.
 *
 * The real LMDB runs under the simulation. It is linked from liblmdb.a with the linker's --wrap for
 * the calls it makes on its data file: open, close, pwrite, write, writev, ftruncate, fdatasync,
 * fsync and the 64-bit names of those. While a sim driver with a disk is open, calls on files below
 * its root go to sim_foreign.c; all others, and all calls when no such driver is open, go straight
 * through. The options redirect every call of these names in the program's static parts, ours
 * included; shared libraries keep the real ones.
 *
 *     linnet_sim_wrap(store_sim_test)      in CMake, for an executable that links liblmdb.a
 *
 * Reading needs no help: LMDB maps the file, and the simulated disk keeps it a real one. What it
 * writes through a writable map (its lock file) is not seen; that file's content means nothing
 * after a restart. Never MDB_WRITEMAP.
 */
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

/* The linker's names: __wrap_x is what the program's calls of x reach, __real_x is x itself. */
int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_close(int descriptor);
ssize_t __wrap_pwrite(int descriptor, const void *bytes, size_t count, off_t offset);
ssize_t __wrap_pwrite64(int descriptor, const void *bytes, size_t count, off_t offset);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t count);
ssize_t __wrap_writev(int descriptor, const struct iovec *pieces, int count);
int __wrap_ftruncate(int descriptor, off_t bytes);
int __wrap_ftruncate64(int descriptor, off_t bytes);
int __wrap_fdatasync(int descriptor);
int __wrap_fsync(int descriptor);

int __real_open(const char *path, int flags, ...);
int __real_close(int descriptor);
ssize_t __real_pwrite(int descriptor, const void *bytes, size_t count, off_t offset);
ssize_t __real_write(int descriptor, const void *bytes, size_t count);
ssize_t __real_writev(int descriptor, const struct iovec *pieces, int count);
int __real_ftruncate(int descriptor, off_t bytes);
int __real_fdatasync(int descriptor);
int __real_fsync(int descriptor);
