/* SPDX-License-Identifier: Apache-2.0 */
/* page_part.h - what every page is put together from: its head, tiles, tables, and its way to a
 * file. The page of a run is page.h's, that of a search capacity_page.h's.
 *
 * HTML that is complete in itself: it asks for nothing over a network, runs nothing, and follows
 * the reader's light or dark scheme. It is well-formed XML too.
 */
#pragma once

#include "bench/options.h"
#include "bench/scale.h"
#include "runtime/check.h"
#include "runtime/text.h"

struct page_verdict {
    const char *tone; /* its colour: "good", "warn" or "bad" */
    const char *mark, *text;
};

struct page_head {
    const char *name; /* of the scenario */
    const struct options *options;
    int64_t wall_ms; /* when it began, since 1970 */
    struct page_verdict verdict;
    const char *why; /* it failed; empty: it did not */
};

/* From the first byte on. */
void page_head(const struct page_head *head, struct ln_text *out);
/* To the last one. */
void page_tail(struct ln_text *out);
/* A paragraph that says why something failed; nothing where that is empty. */
void page_why(const char *why, struct ln_text *out);

/* A figure with what it is, within a <section class="tiles">. */
void page_tile(const char *value, const char *what, struct ln_text *out);
void page_tile_number(enum scale_unit unit, double value, const char *what, struct ln_text *out);

/* A table of names and values, below a heading of that level ("h2"); names and values of page_row
 * are any text. */
void page_table_open(const char *heading, const char *title, struct ln_text *out);
void page_row(const char *name, const char *value, struct ln_text *out);
void page_row_number(const char *name, uint64_t value, struct ln_text *out);
void page_table_close(struct ln_text *out);

/* Opens the file for it, which is made where there is none; what is there stays until the page is
 * written. Blocks. 0 with *out_file, to be closed by the caller; or a negative errno. */
MUST_CHECK int page_open(struct io_driver *driver, const char *path, io_file *out_file);
/* Writes a page into that file, in place of what was there. Blocks. 0, -EFBIG when the text was
 * cut, or another negative errno. */
MUST_CHECK int page_write(struct io_driver *driver, io_file file, const struct ln_text *page);
