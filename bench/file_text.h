/* SPDX-License-Identifier: Apache-2.0 */
/* file_text.h - a file as a text: a small one of /proc's, or the whole of a result. */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"

/* Reads up to bytes_max - 1 bytes from the beginning, NUL-terminated; empty when it fails. What is
 * longer is cut. Blocks. 0 or a negative errno. */
MUST_CHECK int file_text(struct io_driver *driver, const char *path, char *out, size_t bytes_max);
/* The whole of it, NUL-terminated, for free(). Blocks. 0 with *out; -EFBIG: it is longer than
 * bytes_max; or another negative errno. */
MUST_CHECK int file_text_whole(struct io_driver *driver, const char *path, uint64_t bytes_max,
                               char **out);
