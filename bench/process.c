/* SPDX-License-Identifier: Apache-2.0 */
/* proc(5). The files have no size; they are read until they end. */
#include "bench/process.h"

#include "bench/file_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATH_BYTES = 64,
    TEXT_BYTES = 1536, /* what is looked for stands in the first half of it */
    /* The kernel counts in hundredths of a second towards user space, on every architecture. */
    TICK_MS = 10,
};

static int
proc_read(struct io_driver *driver, uint32_t pid, const char *name, char out[TEXT_BYTES])
{
    char path[PATH_BYTES];
    if (pid == 0) {
        (void)snprintf(path, sizeof path, "/proc/self/%s", name);
    } else {
        (void)snprintf(path, sizeof path, "/proc/%u/%s", pid, name);
    }
    int error = file_text(driver, path, out, TEXT_BYTES);
    return error == -ENOENT ? -ESRCH : error;
}

int
process_cpu_ms(struct io_driver *driver, uint32_t pid, uint64_t *out_ms)
{
    enum { BEFORE_UTIME = 11 };
    char text[TEXT_BYTES];
    int error = proc_read(driver, pid, "stat", text);
    if (error < 0) {
        return error;
    }
    /* The name in brackets may hold anything, brackets and blanks too: the fields begin behind the
     * last one. */
    const char *field = strrchr(text, ')');
    for (unsigned i = 0; field != NULL && i <= BEFORE_UTIME; i++) {
        field = strchr(field + 1, ' ');
    }
    if (field == NULL) {
        return -EPROTO;
    }
    char *end = NULL;
    uint64_t user = strtoull(field, &end, 10);
    uint64_t kernel = strtoull(end, NULL, 10);
    *out_ms = (user + kernel) * TICK_MS;
    return 0;
}

static int
status_bytes(struct io_driver *driver, uint32_t pid, const char *name, uint64_t *out_bytes)
{
    char text[TEXT_BYTES];
    int error = proc_read(driver, pid, "status", text);
    if (error < 0) {
        return error;
    }
    const char *line = strstr(text, name);
    if (line == NULL) {
        return -EPROTO;
    }
    *out_bytes = strtoull(line + strlen(name), NULL, 10) * 1024;
    return 0;
}

int
process_resident(struct io_driver *driver, uint32_t pid, uint64_t *out_bytes)
{
    return status_bytes(driver, pid, "\nVmRSS:", out_bytes);
}

int
process_own(struct io_driver *driver, uint32_t pid, uint64_t *out_bytes)
{
    return status_bytes(driver, pid, "\nRssAnon:", out_bytes);
}
