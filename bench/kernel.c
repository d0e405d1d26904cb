/* SPDX-License-Identifier: Apache-2.0 */
/* proc(5): /proc/meminfo has a line for each figure; /proc/net/netstat and /proc/net/snmp have them
 * in pairs of lines, names above and values below. */
#include "bench/kernel.h"

#include "bench/file_text.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 16 << 10, KIB = 1024 };

/* "\nSlab:  123 kB" -> bytes; 0: there is no such line. */
static uint64_t
meminfo_bytes(const char *text, const char *name)
{
    const char *line = strstr(text, name);
    return line != NULL ? strtoull(line + strlen(name), NULL, 10) * KIB : 0;
}

/* The value below a name of the pair of lines that begin with `mark`; 0: there is none. */
static uint64_t
value_below(const char *text, const char *mark, const char *name)
{
    const char *names = strstr(text, mark);
    const char *values = names != NULL ? strstr(names + strlen(mark), mark) : NULL;
    if (values == NULL) {
        return 0;
    }
    names += strlen(mark);
    values += strlen(mark);
    while (*names == ' ' && *values == ' ') {
        size_t bytes = strcspn(++names, " \n");
        uint64_t value = strtoull(++values, NULL, 10);
        if (bytes == strlen(name) && memcmp(names, name, bytes) == 0) {
            return value;
        }
        names += bytes;
        values += strcspn(values, " \n");
    }
    return 0;
}

void
kernel_take_meminfo(const char *text, struct kernel *out)
{
    out->memory_bytes = meminfo_bytes(text, "MemTotal:");
    out->slab_bytes = meminfo_bytes(text, "\nSlab:");
    out->available_bytes = meminfo_bytes(text, "\nMemAvailable:");
}

void
kernel_take_netstat(const char *text, struct kernel *out)
{
    out->queue_overflows = value_below(text, "TcpExt:", "ListenOverflows");
    out->segments_with_data = value_below(text, "TcpExt:", "TCPOrigDataSent");
}

void
kernel_take_snmp(const char *text, struct kernel *out)
{
    out->segments = value_below(text, "Tcp:", "OutSegs");
}

void
kernel_read(struct io_driver *driver, struct kernel *out)
{
    char *text = malloc(TEXT_BYTES);
    ASSERT(text != NULL);
    *out = (struct kernel){0};
    if (file_text(driver, "/proc/meminfo", text, TEXT_BYTES) == 0) {
        kernel_take_meminfo(text, out);
    }
    if (file_text(driver, "/proc/net/netstat", text, TEXT_BYTES) == 0) {
        kernel_take_netstat(text, out);
    }
    if (file_text(driver, "/proc/net/snmp", text, TEXT_BYTES) == 0) {
        kernel_take_snmp(text, out);
    }
    free(text);
}
