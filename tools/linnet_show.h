/* SPDX-License-Identifier: Apache-2.0 */
/* linnet_show.h - what a node answers in one piece, shown: as `print` has it, or with --json as it
 * is. What comes in pages is in linnet_list.h.
 */
#pragma once

#include "runtime/check.h"
#include "tools/linnet_call.h"

MUST_CHECK int linnet_show(struct linnet_call *call, const char **words, unsigned count,
                           void (*print)(yajl_val tree));
