/* SPDX-License-Identifier: Apache-2.0 */
/* proc(5), and the disk's own words in /sys/dev/block. */
#include "bench/machine.h"

#include "bench/file_text.h"
#include "bench/kernel.h"
#include "runtime/io/uring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_BYTES = 1536,
    MOUNTS_BYTES = 64 << 10,
    MOUNT_BYTES = 256,
    NAME_BYTES = 96,
    MACHINE_TYPE_BYTES = 40
};

static void
line_take(const char *line, char out[MACHINE_TEXT_BYTES])
{
    (void)snprintf(out, MACHINE_TEXT_BYTES, "%.*s", (int)strcspn(line, "\n"), line);
}

/* The processor's name, in the beginning of /proc/cpuinfo. */
static void
cpu_take(const char *cpuinfo, char out[MACHINE_TEXT_BYTES])
{
    static const char name[] = "\nmodel name\t: "; /* x86-64; others have no name there */
    const char *found = strstr(cpuinfo, name);
    line_take(found != NULL ? found + sizeof name - 1 : "", out);
}

/* ------------------------------------------------------------------------------------- the disk */

/* How much of the path a mount covers; 0: it lies elsewhere. */
static size_t
covers(const char *mount, const char *path)
{
    size_t bytes = strlen(mount);
    if (strcmp(mount, "/") == 0) {
        return 1;
    }
    bool inside = strncmp(mount, path, bytes) == 0 && (path[bytes] == '/' || path[bytes] == '\0');
    return inside ? bytes : 0;
}

/* A line: id, parent, device, root, mount point, options, more of them, "-", type, source. The last
 * of those that cover as much lies on top. */
void
machine_take_mounts(const char *mounts, const char *path, char out_disk[MACHINE_TEXT_BYTES],
                    char out_device[MACHINE_DEVICE_BYTES])
{
    size_t most = 0;
    out_disk[0] = '\0';
    out_device[0] = '\0';
    for (const char *line = mounts; *line != '\0'; line += line[0] == '\n') {
        char device[MACHINE_DEVICE_BYTES];
        char mount[MOUNT_BYTES];
        char type[MACHINE_TYPE_BYTES];
        char source[MACHINE_TYPE_BYTES];
        const char *rest = strstr(line, " - ");
        size_t covered = 0;
        if (rest != NULL && sscanf(line, "%*s %*s %23s %*s %255s", device, mount) == 2 &&
            sscanf(rest, " - %39s %39s", type, source) == 2) {
            covered = covers(mount, path);
        }
        if (covered > 0 && covered >= most) {
            most = covered;
            (void)snprintf(out_disk, MACHINE_TEXT_BYTES, "%s on %s", type, source);
            memcpy(out_device, device, sizeof device);
        }
        line += strcspn(line, "\n");
    }
}

static void
disk_read(struct io_driver *driver, const char *data, struct machine *out)
{
    /* Of the disk, or of the one that a partition is of. */
    static const char *const places[] = {"queue", "../queue"};
    char device[MACHINE_DEVICE_BYTES];
    char name[NAME_BYTES];
    char *path = realpath(data, NULL);
    char *text = calloc(1, MOUNTS_BYTES);
    ASSERT(text != NULL);
    if (path != NULL && file_text(driver, "/proc/self/mountinfo", text, MOUNTS_BYTES) == 0) {
        machine_take_mounts(text, path, out->disk, device);
        for (unsigned i = 0; i < 2 && device[0] != '\0' && out->disk_cache[0] == '\0'; i++) {
            (void)snprintf(name, sizeof name, "/sys/dev/block/%s/%s/write_cache", device,
                           places[i]);
            bool known = file_text(driver, name, text, MOUNTS_BYTES) == 0;
            line_take(known ? text : "", out->disk_cache);
        }
    }
    free(text);
    free(path);
}

/* ---------------------------------------------------------------------------------- the machine */

void
machine_read(struct io_driver *driver, const char *data, struct machine *out)
{
    char text[FILE_BYTES];
    out->cores = uring_cores();
    bool known = file_text(driver, "/proc/cpuinfo", text, sizeof text) == 0;
    cpu_take(known ? text : "", out->cpu);
    known = file_text(driver, "/proc/sys/kernel/osrelease", text, sizeof text) == 0;
    line_take(known ? text : "", out->kernel);
    struct kernel kernel;
    kernel_read(driver, &kernel);
    out->memory_bytes = kernel.memory_bytes;
    if (data != NULL) {
        disk_read(driver, data, out);
    }
}

static void
print_text(const char *name, const char *value, struct ln_text *out)
{
    if (value[0] != '\0') {
        ln_text_print(out, ",\"%s\":\"", name);
        ln_text_json(out, value);
        ln_text_print(out, "\"");
    }
}

void
machine_print_json(const struct machine *machine, struct ln_text *out)
{
    ln_text_print(out, "{\"cores\":%u,\"memory_bytes\":%llu", machine->cores,
                  (unsigned long long)machine->memory_bytes);
    print_text("cpu", machine->cpu, out);
    print_text("kernel", machine->kernel, out);
    print_text("disk", machine->disk, out);
    print_text("disk_cache", machine->disk_cache, out);
    ln_text_print(out, "}");
}
