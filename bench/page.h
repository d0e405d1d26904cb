/* SPDX-License-Identifier: Apache-2.0 */
/* page.h - what came out of a run, as one page: verdict, charts, tables, settings, machine; put
 * together from page_part.h's. */
#pragma once

#include "bench/conductor.h"
#include "runtime/text.h"

/* What a run takes on a page at most, half a megabyte in fact; what does not fit is cut, and the
 * text remembers. */
enum { PAGE_BYTES = 4 << 20 };

/* The whole page. */
void page_print(const struct run *run, struct ln_text *out);
/* What it did, below headings of that level ("h2"): figures, broken promises, charts, latencies,
 * what was wanted, what was counted. */
void page_print_run(const struct run *run, const char *heading, struct ln_text *out);
/* What was asked, and on what it ran. */
void page_print_settings(const struct run *run, struct ln_text *out);
