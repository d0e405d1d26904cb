/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - what a process has used: its CPU time and its resident memory, as /proc tells.
 *
 * Blocks for microseconds; any thread.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"

#include <stdint.h>

/* CPU time of all threads in user space and kernel, to ten milliseconds. `pid` 0 is this process.
 * -ESRCH: there is no such process. */
MUST_CHECK int process_cpu_ms(struct io_driver *driver, uint32_t pid, uint64_t *out_ms);
/* Resident bytes. */
MUST_CHECK int process_resident(struct io_driver *driver, uint32_t pid, uint64_t *out_bytes);
/* Of these, what no file stands behind. Pages of mapped files come with what is read of them, and
 * go when others want the room. */
MUST_CHECK int process_own(struct io_driver *driver, uint32_t pid, uint64_t *out_bytes);
