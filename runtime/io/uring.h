/* SPDX-License-Identifier: Apache-2.0 */
/* uring.h - the real driver: a thread and an io_uring per loop, a small pool of worker threads
 * beside them.
 *
 * Called once, from any thread; the driver then is io/io.h's.
 *
 * Needs Linux 6.1. Newer features are probed at run time and used where they help; IO_LEVEL_6_1
 * switches them off.
 */
#pragma once

#include "runtime/io/io.h"

LN_BEGIN

enum io_level {
    IO_LEVEL_PROBE, /* use what the kernel has */
    IO_LEVEL_6_1,   /* use only what Linux 6.1 has */
};

struct uring_options {
    unsigned loops; /* one per scheduler; 0: one per core */
    enum io_level level;
    unsigned workers; /* threads for normal work; 0: one per core, at least 2 */
    unsigned spin_us; /* how long a loop polls for completions before it sleeps; 0: not at all */
    unsigned receive_buffers; /* per loop, of IO_RECEIVE_BYTES each; a power of two; 0: 1,024 */
    unsigned ring_entries;    /* 0: 4,096 */
    /* Settled sockets (io_settle) in one ring; 0: 16,384. Never more than the process may have
     * descriptors, which is the kernel's limit. */
    unsigned table_slots;
};

/* Opens the rings. On failure returns a negative errno and, in `why` (may be NULL), one sentence
 * for the operator that says what is missing (io_uring absent, disabled by sysctl or seccomp,
 * kernel too old, a limit) and how to mend it. */
LN_API LN_MUST_CHECK int uring_open(const struct uring_options *options, struct io_driver **out,
                                    char *why, size_t why_bytes);

/* How many workers a driver of uring_open's has. Any thread. */
LN_API unsigned uring_workers(const struct io_driver *driver);

/* Cores that this process may run on: as many loops as there are if none is said. Any thread. */
LN_API unsigned uring_cores(void);

LN_END
