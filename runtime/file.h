/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - files from inside an actor: the calls wait, and others run meanwhile.
 *
 * Called from inside an actor. Files are opened and closed with io/io.h. */
#pragma once

#include "runtime/io/io.h"
#include "runtime/linnet.h"

LN_BEGIN

/* Writes all pieces at `offset` and syncs. Yields. No deadline, and an end of the caller waits for
 * it, too: the kernel reads the pieces until it is through. 0 or a negative errno. */
LN_API LN_MUST_CHECK int ln_file_write_sync(io_file file, const struct iovec *pieces,
                                            unsigned count, uint64_t offset);

LN_END
