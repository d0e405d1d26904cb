/* SPDX-License-Identifier: Apache-2.0 */
/* sim_tree.h - whole trees of real files: how large, and away with them. */
#pragma once

#include "runtime/check.h"

#include <stdint.h>

/* The sizes of all files below `path`. 0 or a negative errno. */
MUST_CHECK int sim_tree_bytes(const char *path, uint64_t *out_bytes);
/* Removes `path` and all below it; 0 also when there is nothing, or a negative errno. */
MUST_CHECK int sim_tree_remove(const char *path);
