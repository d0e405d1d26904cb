/* SPDX-License-Identifier: Apache-2.0 */
/* page.h - a range of a partition's records, in order: what LMDB has, corrected by what the delta
 * knows better.
 *
 *     struct page page;
 *     page_start(&page, delta, &range, &rows);    rows of a worker's snapshot; NULL: there are none
 *     while (page_next(&page, &key, &value)) { ... }
 *     ... page.cut: the rows ended before the range did; ask again from behind the last key ...
 *
 * The worker may have read LMDB before, during or after a fold: with a delta ticket taken before it
 * read, whatever it missed is still in the delta, and what the delta knows wins. On the partition's
 * scheduler; what is given out is borrowed until the delta's next change.
 */
#pragma once

#include "store/delta.h"
#include "store/rows.h"

/* What a worker read of a range. */
struct page_rows {
    const unsigned char *bytes;
    size_t count;
    bool more; /* it stopped at its bound: nothing is known beyond the last row */
};

/* Embedded; `cut`, and with it `row_key`, the last row's, may be read after the end. */
struct page {
    struct store_range range;
    struct delta_range known;
    bool known_left;
    struct store_key known_key;
    enum delta_found known_found;
    struct store_value known_value;

    struct page_rows rows;
    size_t at;
    bool row_left;
    struct store_key row_key;
    struct store_value row_value;

    bool cut;
};

/* Borrows all of them while it is used. */
void page_start(struct page *page, const struct delta *delta, const struct store_range *range,
                const struct page_rows *rows_or_null);
bool page_next(struct page *page, struct store_key *out_key, struct store_value *out_value);
