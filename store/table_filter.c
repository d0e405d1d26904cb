/* SPDX-License-Identifier: Apache-2.0 */
/* Made and made anew: of all keys that the table has then, of which the last is the one that there
 * was no room for. */
#include "store/table_filter.h"

#include "store/table_priv.h"

#include <stdlib.h>

enum {
    ENTRIES_MIN = 128, /* with fewer, the way down is short and its nodes are in the cache */
    WORD_KEYS = 8,     /* at most: 8 bits each */
    WORDS_BITS_MIN = 6,
};

static uint64_t
words_count(const struct filter *filter)
{
    return filter->words == NULL ? 0 : UINT64_C(1) << (64 - filter->shift);
}

static void
note(struct filter *filter, uint64_t hash)
{
    filter->words[hash >> filter->shift] |= filter_bits(hash);
    filter->added++;
}

/* With room for as many keys again. It goes through the whole table, which is a millisecond for a
 * hundred thousand entries, and more than one partition has as a rule before they are folded. */
static void
make(struct table *table)
{
    struct filter *filter = &table->filter;
    unsigned bits = WORDS_BITS_MIN;
    while ((UINT64_C(1) << bits) * WORD_KEYS < 2 * (table->entries - 1)) {
        bits++;
    }
    free(filter->words);
    *filter = (struct filter){
        .words = calloc(UINT64_C(1) << bits, sizeof(*filter->words)),
        .shift = 64 - bits,
    };
    if (filter->words == NULL) {
        check_failed("out of memory", __FILE__, __LINE__);
    }
    for (const struct table_leaf *leaf = leaf_first(table->root, table->height); leaf != NULL;
         leaf = leaf->next) {
        for (unsigned i = 0; i < leaf->count; i++) {
            struct store_key key = slot_key(&leaf->slots[i]);
            note(filter, key_hash(&key));
        }
    }
}

void
filter_add(struct table *table, uint64_t hash)
{
    struct filter *filter = &table->filter;
    if (filter->added < words_count(filter) * WORD_KEYS) {
        note(filter, hash);
    } else if (filter->words != NULL || table->entries >= ENTRIES_MIN) {
        make(table);
    }
}

void
filter_free(struct filter *filter)
{
    free(filter->words);
    *filter = (struct filter){0};
}

uint64_t
filter_bytes(const struct filter *filter)
{
    return words_count(filter) * sizeof(*filter->words);
}
