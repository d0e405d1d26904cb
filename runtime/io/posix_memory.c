/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/posix_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 512, TEXT_BYTES = 1024 };

/* False: there is no such file, or it is empty. What is too long is cut. */
static bool
file_text(const char *path, char *out, size_t bytes)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    size_t count = fread(out, 1, bytes - 1, file);
    (void)fclose(file);
    out[count] = '\0';
    return count > 0;
}

/* "max" is none. */
static uint64_t
limit_of(const char *mount, const char *group)
{
    char path[2 * PATH_BYTES];
    char text[64];
    uint64_t bytes;
    (void)snprintf(path, sizeof(path), "%s%s/memory.max", mount, group);
    return file_text(path, text, sizeof(text)) && sscanf(text, "%" SCNu64, &bytes) == 1
               ? bytes
               : UINT64_MAX;
}

/* The line of version 2 is "0::/the/group". */
static bool
group_of(const char *text, char out[PATH_BYTES])
{
    const char *line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
    if (line == NULL) {
        return false;
    }
    line = strchr(line, '/');
    size_t length = line != NULL ? strcspn(line, "\n") : 0;
    if (length == 0 || length >= PATH_BYTES) {
        return false;
    }
    memcpy(out, line, length);
    out[length] = '\0';
    return true;
}

uint64_t
posix_memory_limit(const char *text, const char *mount)
{
    char group[PATH_BYTES];
    uint64_t least = UINT64_MAX;
    if (!group_of(text, group)) {
        return least;
    }
    for (char *end = group + strlen(group); end != NULL; end = strrchr(group, '/')) {
        *end = '\0';
        uint64_t bytes = limit_of(mount, group);
        least = bytes < least ? bytes : least;
    }
    return least;
}

uint64_t
posix_memory_bytes(void)
{
    char text[TEXT_BYTES];
    uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t limit = UINT64_MAX;
    if (file_text("/proc/self/cgroup", text, sizeof(text))) {
        limit = posix_memory_limit(text, "/sys/fs/cgroup");
    }
    return limit < bytes ? limit : bytes;
}
