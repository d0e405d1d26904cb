/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/io/posix_memory.h"

#include "runtime/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOUNT_BYTES = 256, TEXT_BYTES = 64 << 10 };

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
limit_in(const char *folder, const char *name)
{
    char text[64];
    char *path = NULL;
    uint64_t bytes = UINT64_MAX;
    if (asprintf(&path, "%s/%s", folder, name) < 0) {
        return bytes;
    }
    if (!file_text(path, text, sizeof(text)) || sscanf(text, "%" SCNu64, &bytes) != 1) {
        bytes = UINT64_MAX;
    }
    free(path);
    return bytes;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Of the group and those above it, up to the mount itself. */
static uint64_t
limit_of(const char *mount, const char *group)
{
    static const char *const names[] = {"memory.max", "memory.high", "memory.limit_in_bytes"};
    uint64_t bytes = UINT64_MAX;
    size_t mount_bytes = strlen(mount);
    char *folder = NULL;
    if (asprintf(&folder, "%s%s", mount, group) < 0) {
        return bytes;
    }
    for (char *end = folder + strlen(folder); end != NULL && end >= folder + mount_bytes;
         end = strrchr(folder, '/')) {
        *end = '\0';
        for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
            bytes = least(bytes, limit_in(folder, names[i]));
        }
    }
    free(folder);
    return bytes;
}

/* Whether "memory" is among the names, which commas part. */
static bool
has_memory(const char *names)
{
    static const char word[] = "memory";
    size_t bytes = sizeof(word) - 1;
    for (const char *at = names; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, bytes) == 0 && (at[bytes] == '\0' || at[bytes] == ',')) {
            return true;
        }
    }
    return false;
}

/* A line is "number:controllers:/the/group"; of version 2 it is "0::/the/group". */
static uint64_t
limit_by(char *line, const char *mount)
{
    char path[MOUNT_BYTES];
    char *names = strchr(line, ':');
    char *group = names != NULL ? strchr(names + 1, ':') : NULL;
    if (group == NULL || group[1] != '/') {
        return UINT64_MAX;
    }
    *group++ = '\0';
    names++;
    if (*names == '\0') {
        return limit_of(mount, group);
    }
    if (!has_memory(names)) {
        return UINT64_MAX;
    }
    (void)snprintf(path, sizeof(path), "%s/memory", mount);
    return limit_of(path, group);
}

uint64_t
posix_memory_limit(char *text, const char *mount)
{
    uint64_t bytes = UINT64_MAX;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        bytes = least(bytes, limit_by(line, mount));
    }
    return bytes;
}

uint64_t
posix_memory_bytes(void)
{
    uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
    char *text = malloc(TEXT_BYTES);
    ASSERT(text != NULL);
    if (file_text("/proc/self/cgroup", text, TEXT_BYTES)) {
        bytes = least(bytes, posix_memory_limit(text, "/sys/fs/cgroup"));
    }
    free(text);
    return bytes;
}
