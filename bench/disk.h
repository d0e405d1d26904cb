/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h - how large a node's data directory is. */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"

#include <stdint.h>

/* The lengths of all files in a folder and in the folders right below it, which is as deep as a
 * node's data goes. A file that goes meanwhile counts nothing. Blocks. 0 or a negative errno. */
MUST_CHECK int disk_bytes(struct io_driver *driver, const char *path, uint64_t *out_bytes);
