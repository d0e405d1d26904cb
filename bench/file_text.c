/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/file_text.h"

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
