/* SPDX-License-Identifier: Apache-2.0 */
/* sim_foreign.h - descriptors that a library has opened itself, below the root of the simulated
 * disk.
 *
 * LMDB writes its file with calls of its own. Where they are wrapped (sim_wrap.h) they come here,
 * and its writes are remembered and lost like ours. The descriptor is a real one: the library reads
 * and maps it as ever.
 *
 * A write through a descriptor opened with O_DSYNC is durable when the call returns; the power may
 * go in between, and then it may be torn.
 */
#pragma once

#include "runtime/io/sim_disk.h"

#include <sys/types.h>

/* True when a driver with a disk is open and `path` is below its root. */
bool sim_foreign_covers(const char *path);
/* True when the descriptor came from sim_foreign_open of the driver that is open. */
bool sim_foreign_owns(int descriptor);

/* As the system calls of these names: -1 and errno on failure. */
int sim_foreign_open(const char *path, int flags, mode_t mode);
/* offset < 0: at the descriptor's position, which moves on. */
ssize_t sim_foreign_write(int descriptor, const struct iovec *pieces, int count, off_t offset);
int sim_foreign_truncate(int descriptor, off_t bytes);
int sim_foreign_sync(int descriptor);
/* Forgets the descriptor, which is about to be closed. */
void sim_foreign_closing(int descriptor);

/* Forgets all of them. */
void sim_foreign_free(struct sim_disk *disk);
