/* SPDX-License-Identifier: Apache-2.0 */
/* kernel.h - what the machine's kernel says of its own memory and of connections that it dropped.
 *
 * Of the whole machine: the difference of two readings means something where nothing else runs.
 * Blocks for microseconds; any thread.
 */
#pragma once

#include "runtime/io/io.h"

#include <stdint.h>

struct kernel {
    uint64_t slab_bytes;      /* the kernel's objects: sockets, their files and entries ... */
    uint64_t memory_bytes;    /* of the machine, less what the kernel itself lies in */
    uint64_t available_bytes; /* what could still be used */
    uint64_t queue_overflows; /* connections that found a listener's queue full, since the start */
};

/* Take what the texts of /proc/meminfo and /proc/net/netstat tell; what they do not is 0. */
void kernel_take_meminfo(const char *text, struct kernel *out);
void kernel_take_netstat(const char *text, struct kernel *out);
/* What can't be read is 0. */
void kernel_read(struct io_driver *driver, struct kernel *out);
