/* SPDX-License-Identifier: Apache-2.0 */
/* file_text.h - a small file as a text: /proc's, a result. */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"

/* Reads up to bytes_max - 1 bytes from the beginning, NUL-terminated; empty when it fails. What is
 * longer is cut. Blocks. 0 or a negative errno. */
MUST_CHECK int file_text(struct io_driver *driver, const char *path, char *out, size_t bytes_max);
