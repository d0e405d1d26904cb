/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/sim_wrap.h"

#include "runtime/io/sim_foreign.h"

#include <assert.h>
#include <fcntl.h>
#include <stdarg.h>

static_assert(sizeof(off_t) == 8, "the names with 64 are the same calls");

static int
open_any(const char *path, int flags, mode_t mode)
{
    return sim_foreign_covers(path) ? sim_foreign_open(path, flags, mode)
                                    : __real_open(path, flags, mode);
}

/* The mode is there only when a file may be made. */
static mode_t
open_mode(int flags, va_list rest)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

int
__wrap_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = open_mode(flags, rest);
    va_end(rest);
    return open_any(path, flags, mode);
}

int
__wrap_open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = open_mode(flags, rest);
    va_end(rest);
    return open_any(path, flags, mode);
}

int
__wrap_close(int descriptor)
{
    sim_foreign_closing(descriptor);
    return __real_close(descriptor);
}

ssize_t
__wrap_pwrite(int descriptor, const void *bytes, size_t count, off_t offset)
{
    if (!sim_foreign_owns(descriptor) || offset < 0) {
        return __real_pwrite(descriptor, bytes, count, offset);
    }
    struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    return sim_foreign_write(descriptor, &piece, 1, offset);
}

ssize_t
__wrap_pwrite64(int descriptor, const void *bytes, size_t count, off_t offset)
{
    return __wrap_pwrite(descriptor, bytes, count, offset);
}

ssize_t
__wrap_write(int descriptor, const void *bytes, size_t count)
{
    if (!sim_foreign_owns(descriptor)) {
        return __real_write(descriptor, bytes, count);
    }
    struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    return sim_foreign_write(descriptor, &piece, 1, -1);
}

ssize_t
__wrap_writev(int descriptor, const struct iovec *pieces, int count)
{
    return sim_foreign_owns(descriptor) ? sim_foreign_write(descriptor, pieces, count, -1)
                                        : __real_writev(descriptor, pieces, count);
}

int
__wrap_ftruncate(int descriptor, off_t bytes)
{
    return sim_foreign_owns(descriptor) ? sim_foreign_truncate(descriptor, bytes)
                                        : __real_ftruncate(descriptor, bytes);
}

int
__wrap_ftruncate64(int descriptor, off_t bytes)
{
    return __wrap_ftruncate(descriptor, bytes);
}

int
__wrap_fdatasync(int descriptor)
{
    return sim_foreign_owns(descriptor) ? sim_foreign_sync(descriptor)
                                        : __real_fdatasync(descriptor);
}

int
__wrap_fsync(int descriptor)
{
    return sim_foreign_owns(descriptor) ? sim_foreign_sync(descriptor) : __real_fsync(descriptor);
}
