/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/disk.h"

#include <stdio.h>

enum { PATH_BYTES = 900 }; /* two of them lie on a stack */

struct folder {
    struct io_driver *driver;
    const char *path;
    uint64_t bytes;
};

/* False: there is no such path, or it is too long for one. */
static bool
path_of(const struct folder *folder, const char *name, char out[PATH_BYTES])
{
    int bytes = snprintf(out, PATH_BYTES, "%s/%s", folder->path, name);
    return bytes >= 0 && bytes < PATH_BYTES;
}

static void
file_add(struct folder *folder, const char *path)
{
    io_file file = -1;
    uint64_t bytes = 0;
    if (io_file_open(folder->driver, path, IO_OPEN_READ, &file) == 0) {
        if (io_file_size(folder->driver, file, &bytes) == 0) {
            folder->bytes += bytes;
        }
        io_file_close(folder->driver, file);
    }
}

static int
leaf_add(void *context, const char *name)
{
    struct folder *folder = context;
    char path[PATH_BYTES];
    if (path_of(folder, name, path)) {
        file_add(folder, path);
    }
    return 0;
}

/* A folder's files, or a file. */
static int
entry_add(void *context, const char *name)
{
    struct folder *folder = context;
    char path[PATH_BYTES];
    if (!path_of(folder, name, path)) {
        return 0;
    }
    struct folder below = {.driver = folder->driver, .path = path};
    if (io_list_directory(folder->driver, path, leaf_add, &below) == 0) {
        folder->bytes += below.bytes;
    } else {
        file_add(folder, path);
    }
    return 0;
}

int
disk_bytes(struct io_driver *driver, const char *path, uint64_t *out_bytes)
{
    struct folder folder = {.driver = driver, .path = path};
    int error = io_list_directory(driver, path, entry_add, &folder);
    if (error == 0) {
        *out_bytes = folder.bytes;
    }
    return error;
}
