/* SPDX-License-Identifier: Apache-2.0 */
/* skip_list.h - commands that an operator has given up, since applying them ends the node.
 *
 * A line per command in DIR/skip, each a position's text (position.h). A command on the list is
 * passed over whenever the log is applied again. Start-up and tools only.
 */
#pragma once

#include "runtime/check.h"
#include "runtime/io/io.h"
#include "store/position.h"

enum {
    SKIP_LIST_MAX = 256, /* whoever needs more has another problem */
    SKIP_LIST_BYTES_MAX = SKIP_LIST_MAX * POSITION_TEXT_BYTES,
};

struct skip_list {
    uint32_t count;
    struct position positions[SKIP_LIST_MAX];
};

/* 0; -EINVAL with a line that is no position; -EFBIG with too many; or another negative errno. A
 * missing file is an empty list. */
MUST_CHECK int skip_list_read(struct skip_list *list, struct io_driver *driver,
                              const char *directory);
bool skip_list_has(const struct skip_list *list, const struct position *position);
/* Adds it, durably. 0 or a negative errno. */
MUST_CHECK int skip_list_add(struct io_driver *driver, const char *directory,
                             const struct position *position);
