/* SPDX-License-Identifier: Apache-2.0 */
/* linnet_list.h - a list of the node's, which comes in pages, shown whole: as a table, or with
 * --json as it is.
 */
#pragma once

#include "tools/linnet_call.h"
#include "tools/linnet_table.h"

/* For each element `fill` adds the cells of its row. `words` has room for the cursor behind its
 * `count`. */
MUST_CHECK int linnet_list(struct linnet_call *call, const char **words, unsigned count,
                           const struct linnet_column *columns, unsigned columns_count,
                           void (*fill)(struct linnet_table *table, yajl_val row));
