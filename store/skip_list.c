/* SPDX-License-Identifier: Apache-2.0 */
#include "store/skip_list.h"

#include "store/log_segment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
list_open(struct io_driver *driver, const char *directory, int flags, io_file *out)
{
    char path[LOG_PATH_BYTES_MAX];
    int length = snprintf(path, sizeof(path), "%s/skip", directory);
    if (length < 0 || (size_t)length >= sizeof(path)) {
        return -ENAMETOOLONG;
    }
    return io_file_open(driver, path, flags, out);
}

/* Lines into positions; the text is changed. */
static int
list_parse(struct skip_list *list, char *text)
{
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (list->count == SKIP_LIST_MAX) {
            return -EFBIG;
        }
        int error = position_parse(line, &list->positions[list->count]);
        if (error != 0) {
            return error;
        }
        list->count++;
    }
    return 0;
}

int
skip_list_read(struct skip_list *list, struct io_driver *driver, const char *directory)
{
    io_file file;
    list->count = 0;
    int error = list_open(driver, directory, IO_OPEN_READ, &file);
    if (error != 0) {
        return error == -ENOENT ? 0 : error;
    }
    char *text = calloc(1, SKIP_LIST_BYTES_MAX + 1);
    ASSERT(text != NULL);
    ssize_t count = io_file_read(driver, file, text, SKIP_LIST_BYTES_MAX, 0);
    io_file_close(driver, file);
    error = count < 0 ? (int)count : list_parse(list, text);
    free(text);
    return error;
}

bool
skip_list_has(const struct skip_list *list, const struct position *position)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (position_equal(&list->positions[i], position)) {
            return true;
        }
    }
    return false;
}

int
skip_list_add(struct io_driver *driver, const char *directory, const struct position *position)
{
    char text[POSITION_TEXT_BYTES];
    char line[POSITION_TEXT_BYTES + 1];
    io_file file;
    uint64_t bytes;
    int error = list_open(driver, directory, IO_OPEN_READ | IO_OPEN_WRITE | IO_OPEN_CREATE, &file);
    if (error != 0) {
        return error;
    }
    position_print(position, text);
    (void)snprintf(line, sizeof(line), "%s\n", text);
    error = io_file_size(driver, file, &bytes);
    if (error == 0) {
        error = io_file_write(driver, file, line, strlen(line), bytes);
    }
    if (error == 0) {
        error = io_file_sync(driver, file);
    }
    io_file_close(driver, file);
    return error != 0 ? error : io_sync_directory(driver, directory);
}
