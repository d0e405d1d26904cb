/* SPDX-License-Identifier: Apache-2.0 */
/* posix_file.h - the file calls of io.h as plain system calls that block.
 *
 * For start-up and for worker threads, and for both drivers: `uring` calls them as they are, `sim`
 * puts its memory of what was not yet synced in front of them. No state: any thread. Each call
 * starts anew what a signal interrupted.
 * 0 or a negative errno; results stay untouched on failure. The meaning of each is told in io.h.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"

MUST_CHECK int posix_file_open(const char *path, int flags, io_file *out);
void posix_file_close(io_file file);
/* Whether it was opened with IO_OPEN_DIRECT, and the file system can. */
bool posix_file_is_direct(io_file file);
MUST_CHECK ssize_t posix_file_read(io_file file, void *out, size_t bytes, uint64_t offset);
MUST_CHECK int posix_file_write(io_file file, const void *in, size_t bytes, uint64_t offset);
MUST_CHECK int posix_file_sync(io_file file);
MUST_CHECK int posix_file_size(io_file file, uint64_t *out_bytes);
MUST_CHECK int posix_file_truncate(io_file file, uint64_t bytes);
MUST_CHECK int posix_file_allocate(io_file file, uint64_t bytes);
MUST_CHECK int posix_file_lock(io_file file);
MUST_CHECK int posix_file_rename(const char *from, const char *to);
MUST_CHECK int posix_file_remove(const char *path);
MUST_CHECK int posix_file_make_directory(const char *path);
MUST_CHECK int posix_file_sync_directory(const char *path);
MUST_CHECK int posix_file_list_directory(const char *path,
                                         int (*each)(void *context, const char *name),
                                         void *context);
MUST_CHECK int posix_file_free_bytes(const char *path, uint64_t *out_bytes);
