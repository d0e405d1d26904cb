/* SPDX-License-Identifier: Apache-2.0 */
#include "store/page.h"

static void
known_advance(struct page *page)
{
    page->known_left =
        delta_range_next(&page->known, &page->known_key, &page->known_found, &page->known_value);
}

/* Rows that were read for a wider range than what is left of it now are passed over. */
static void
row_advance(struct page *page)
{
    bool present = true;
    do {
        page->row_left = rows_next(page->rows.bytes, page->rows.count, &page->at, &page->row_key,
                                   &present, &page->row_value);
        ASSERT(present);
    } while (page->row_left && (key_less(&page->row_key, &page->range.low) ||
                                key_less(&page->range.high, &page->row_key)));
}

void
page_start(struct page *page, const struct delta *delta, const struct store_range *range,
           const struct page_rows *rows_or_null)
{
    *page = (struct page){.range = *range};
    if (rows_or_null != NULL) {
        page->rows = *rows_or_null;
    }
    delta_range_start(delta, range, &page->known);
    known_advance(page);
    row_advance(page);
}

bool
page_next(struct page *page, struct store_key *out_key, struct store_value *out_value)
{
    while (page->known_left || page->row_left) {
        int order = -1;
        if (page->row_left && page->known_left) {
            order = key_compare(&page->known_key, &page->row_key);
        } else if (page->row_left) {
            order = 1;
        } else if (page->rows.more) {
            page->cut = true;
            return false;
        }
        if (order > 0) {
            *out_key = page->row_key;
            *out_value = page->row_value;
            row_advance(page);
            return true;
        }
        *out_key = page->known_key;
        *out_value = page->known_value;
        bool present = page->known_found == DELTA_PRESENT;
        known_advance(page);
        if (order == 0) {
            row_advance(page);
        }
        if (present) {
            return true;
        }
    }
    page->cut = page->rows.more;
    return false;
}
