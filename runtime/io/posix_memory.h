/* SPDX-License-Identifier: Apache-2.0 */
/* posix_memory.h - how much memory the process may use: the machine's, or less where a control
 * group says so (cgroup v2, memory.max of its own group and those above; cgroups(7)). */
#pragma once

#include "runtime/io/io.h"

/* As io_memory_bytes. */
uint64_t posix_memory_bytes(void);

/* The least limit of the groups that `text`, what /proc/self/cgroup holds, names below `mount`;
 * UINT64_MAX: there is none, or none that can be read. */
uint64_t posix_memory_limit(const char *text, const char *mount);
