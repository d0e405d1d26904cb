/* SPDX-License-Identifier: Apache-2.0 */
/* sim_names.h - creations, renames and removals, and how a crash undoes those whose directory was
 * not synced.
 *
 * Changes are undone newest first, and a directory forgets from some change on: what came later in
 * it is undone too, so that no rename survives the creation it builds on. A rename between two
 * directories belongs to both. A sync settles all changes of its directory and, as a journal would,
 * what they build on in others. Syncing a file does not settle its name.
 *
 * All paths are below the disk's root.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/sim_disk.h"

void sim_names_created(struct sim_disk *disk, const char *path);
void sim_names_made_directory(struct sim_disk *disk, const char *path);
/* These change the real directories themselves. 0 or a negative errno. */
MUST_CHECK int sim_names_remove(struct sim_disk *disk, const char *path);
MUST_CHECK int sim_names_rename(struct sim_disk *disk, const char *from, const char *to);
void sim_names_sync(struct sim_disk *disk, const char *directory);
void sim_names_roll_back(struct sim_disk *disk);
void sim_names_forget(struct sim_disk *disk);
