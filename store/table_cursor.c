/* SPDX-License-Identifier: Apache-2.0 */
/* In the order of the keys. */
#include "store/table_priv.h"

enum { SEEK_AHEAD = 4 };

/* Who seeks goes on from there: the records arrive together. */
static void
records_prefetch(const struct table_cursor *at)
{
    for (unsigned i = 0; at->leaf != NULL && i < SEEK_AHEAD && at->index + i < at->leaf->count;
         i++) {
        __builtin_prefetch(slot_record(&at->leaf->slots[at->index + i]));
    }
}

void
table_seek(const struct table *table, const struct store_key *key, struct table_cursor *out)
{
    if (table->root == NULL) {
        *out = (struct table_cursor){0};
        return;
    }
    struct table_rank rank = key_rank(key);
    out->leaf = leaf_of(table, &rank);
    out->index = leaf_find(out->leaf, &rank);
    while (out->leaf != NULL && out->index >= out->leaf->count) {
        out->leaf = out->leaf->next;
        out->index = 0;
    }
    records_prefetch(out);
}

bool
table_at(const struct table_cursor *at, struct table_entry *out)
{
    if (at->leaf == NULL) {
        return false;
    }
    table_record_read(slot_record(&at->leaf->slots[at->index]), out);
    return true;
}

void
table_next(struct table_cursor *at)
{
    if (at->leaf == NULL) {
        return;
    }
    at->index++;
    if (at->index + SEEK_AHEAD <= at->leaf->count) {
        __builtin_prefetch(slot_record(&at->leaf->slots[at->index + SEEK_AHEAD - 1]));
        return;
    }
    if (at->index < at->leaf->count) {
        return;
    }
    at->leaf = at->leaf->next;
    at->index = 0;
    if (at->leaf != NULL) {
        ASSERT(at->leaf->count > 0);
        node_prefetch(at->leaf->next, sizeof(*at->leaf));
        records_prefetch(at);
    }
}
