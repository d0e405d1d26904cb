/* SPDX-License-Identifier: Apache-2.0 */
/* kernel.h - what the machine's kernel says of its own memory, of connections that it dropped, and
 * of what went over the others.
 *
 * Of the whole machine, or its network namespace: the difference of two readings means something
 * where nothing else runs. Blocks for microseconds; any thread.
 */
#pragma once

#include "runtime/io/io.h"

#include <stdint.h>

struct kernel {
    uint64_t slab_bytes;      /* the kernel's objects: sockets, their files and entries ... */
    uint64_t memory_bytes;    /* of the machine, less what the kernel itself lies in */
    uint64_t available_bytes; /* what could still be used */
    /* Since the start: connections that found a listener's queue full; segments that TCP has sent,
     * and those of them that brought data for the first time. */
    uint64_t queue_overflows;
    uint64_t segments, segments_with_data;
};

/* Take what the texts of /proc/meminfo, /proc/net/netstat and /proc/net/snmp tell; what they do not
 * is 0. */
void kernel_take_meminfo(const char *text, struct kernel *out);
void kernel_take_netstat(const char *text, struct kernel *out);
void kernel_take_snmp(const char *text, struct kernel *out);
/* What can't be read is 0. */
void kernel_read(struct io_driver *driver, struct kernel *out);
