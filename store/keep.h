/* SPDX-License-Identifier: Apache-2.0 */
/* keep.h - what of a folded table stays in memory as a cache until the next fold.
 *
 * Users' records are: the next message, acknowledgement or login asks for them again. What users
 * wrote is not: it is most of the bytes, and whoever reads it reads much of it at once, a page of
 * an inbox at a time, which LMDB gives as well. The memory lets folds be larger instead, and the
 * larger they are, the more of a fold's records share a page.
 */
#pragma once

#include "store/table.h"

/* A new table of what stays, for delta_folded, or NULL: all of it, since too little would go. Only
 * reads `folded`. `seed` as of table_new. On a worker. */
struct table *keep_new(const struct table *folded, uint64_t seed);
