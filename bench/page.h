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
/* Opens the file for it, which is made where there is none; what is there stays until the page is
 * written. Blocks. 0 with *out_file, to be closed by the caller; or a negative errno. */
MUST_CHECK int page_open(struct io_driver *driver, const char *path, io_file *out_file);
/* Prints it into that file, in place of what was there. Blocks. 0 or a negative errno. */
MUST_CHECK int page_write(const struct run *run, io_file file);
