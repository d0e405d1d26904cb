/* SPDX-License-Identifier: Apache-2.0 */
#include "store/reserve.h"

#include "store/log_segment.h"

#include <errno.h>
#include <stdio.h>

static int
path_of(const struct reserve *reserve, char path[LOG_PATH_BYTES_MAX])
{
    int length = snprintf(path, LOG_PATH_BYTES_MAX, "%s/reserve", reserve->directory);
    return length < 0 || length >= LOG_PATH_BYTES_MAX ? -ENAMETOOLONG : 0;
}

int
reserve_hold(const struct reserve *reserve)
{
    char path[LOG_PATH_BYTES_MAX];
    io_file file;
    uint64_t held = 0;
    uint64_t free_bytes = 0;
    int error = path_of(reserve, path);
    if (error != 0 || reserve->bytes == 0) {
        return error;
    }
    error =
        io_file_open(reserve->driver, path, IO_OPEN_READ | IO_OPEN_WRITE | IO_OPEN_CREATE, &file);
    if (error != 0) {
        return error;
    }
    error = io_file_size(reserve->driver, file, &held);
    if (error == 0 && held < reserve->bytes) {
        error = io_free_bytes(reserve->driver, reserve->directory, &free_bytes);
        if (error == 0 && free_bytes < 2 * reserve->bytes) {
            error = -ENOSPC;
        }
        if (error == 0) {
            error = io_file_allocate(reserve->driver, file, reserve->bytes);
        }
    }
    io_file_close(reserve->driver, file);
    return error;
}

int
reserve_release(const struct reserve *reserve)
{
    char path[LOG_PATH_BYTES_MAX];
    int error = path_of(reserve, path);
    if (error == 0) {
        error = io_remove(reserve->driver, path);
    }
    return error == -ENOENT ? 0 : error;
}
