/* SPDX-License-Identifier: Apache-2.0 */
/* page.h - what came out of a run, as one page: verdict, charts, tables, settings, machine.
 *
 * HTML that is complete in itself: it asks for nothing over a network, runs nothing, and follows
 * the reader's light or dark scheme. It is well-formed XML too.
 */
#pragma once

#include "bench/conductor.h"
#include "runtime/text.h"

/* A page takes half a megabyte at most; what does not fit is cut, and the text remembers. */
enum { PAGE_BYTES = 4 << 20 };

void page_print(const struct run *run, struct ln_text *out);
/* Prints it into a file, in place of what was there. Blocks. 0 or a negative errno. */
MUST_CHECK int page_write(const struct run *run, const char *path);
