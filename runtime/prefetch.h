/* SPDX-License-Identifier: Apache-2.0 */
/* prefetch.h - asks the caches for memory that will be wanted soon. Any address will do, NULL and
 * what was freed as well: nothing is read that could be seen. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { PREFETCH_LINE_BYTES = 64 };

/* All lines that `bytes` bytes from `at` on touch if it begins one; to be written. */
static inline __attribute__((always_inline)) void
lines_prefetch(const void *at, size_t bytes)
{
    for (size_t offset = 0; offset < bytes; offset += PREFETCH_LINE_BYTES) {
        // NOLINTNEXTLINE(performance-no-int-to-ptr)
        __builtin_prefetch((const char *)((uintptr_t)at + offset), 1);
    }
}
