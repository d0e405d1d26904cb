/* SPDX-License-Identifier: Apache-2.0 */
/* posix_memory.h - how much memory the process may use: the machine's, or less where a control
 * group says so, its own or one above it (cgroups(7): memory.max and memory.high of version 2,
 * memory.limit_in_bytes of version 1). */
#pragma once

#include "runtime/io/io.h"

/* As io_memory_bytes. */
uint64_t posix_memory_bytes(void);

/* The least limit of the groups that `text`, what /proc/self/cgroup holds, names below `mount`, or
 * `mount`/memory for version 1. UINT64_MAX: there is none, or none that can be read. Changes the
 * text. */
uint64_t posix_memory_limit(char *text, const char *mount);
