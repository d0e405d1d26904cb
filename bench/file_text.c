/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/file_text.h"

#include <errno.h>
#include <stdlib.h>

int
file_text(struct io_driver *driver, const char *path, char *out, size_t bytes_max)
{
    io_file file = -1;
    out[0] = '\0';
    int error = io_file_open(driver, path, IO_OPEN_READ, &file);
    if (error < 0) {
        return error;
    }
    ssize_t count = io_file_read(driver, file, out, bytes_max - 1, 0);
    io_file_close(driver, file);
    out[count > 0 ? count : 0] = '\0';
    return count < 0 ? (int)count : 0;
}

int
file_text_whole(struct io_driver *driver, const char *path, uint64_t bytes_max, char **out)
{
    io_file file = -1;
    uint64_t bytes = 0;
    char *text = NULL;
    int error = io_file_open(driver, path, IO_OPEN_READ, &file);
    if (error < 0) {
        return error;
    }
    error = io_file_size(driver, file, &bytes);
    if (error == 0 && bytes > bytes_max) {
        error = -EFBIG;
    }
    if (error == 0) {
        text = calloc(1, bytes + 1);
        ASSERT(text != NULL);
        ssize_t count = io_file_read(driver, file, text, bytes, 0);
        error = count < 0 ? (int)count : 0;
    }
    io_file_close(driver, file);
    if (error < 0) {
        free(text);
        return error;
    }
    *out = text;
    return 0;
}
